package dev.carom.storage.tck

import dev.carom.storage.OpOptions
import dev.carom.storage.SessionHold
import dev.carom.storage.Sessions

/** Sessions whose operations all have these options. */
internal class Hurried<S : Any>(private val on: Sessions<S>, private val options: OpOptions) : Sessions<S> {
    override suspend fun <R> use(options: OpOptions, block: suspend (S) -> R): R = on.use(this.options, block)

    override suspend fun hold(options: OpOptions): SessionHold<S> = on.hold(this.options)
}
