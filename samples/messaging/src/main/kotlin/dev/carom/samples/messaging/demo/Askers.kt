package dev.carom.samples.messaging.demo

import dev.carom.sockets.ReqSocket
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/** Many askers of one socket: each asks, checks the answer, and asks again. */
class Askers(private val socket: ReqSocket) {
    private val numbers = AtomicLong()
    private val right = AtomicLong()
    private val wrong = AtomicLong()
    private val stopped = AtomicBoolean()
    private var jobs = emptyList<Job>()

    /** Questions asked so far. */
    val asked: Long get() = numbers.get()

    /** Questions answered so far, each once, with its own answer. */
    val answered: Long get() = right.get()

    /** Answers that belong to another question. */
    val mistaken: Long get() = wrong.get()

    fun start(scope: CoroutineScope, count: Int) {
        jobs = List(count) {
            scope.launch {
                while (!stopped.get()) {
                    val question = "${numbers.incrementAndGet()}"
                    val answer = socket.request(question.encodeToByteArray()).decodeToString()
                    if (answer.substringBefore('@') == question) right.incrementAndGet() else wrong.incrementAndGet()
                }
            }
        }
    }

    /** Asks nothing more, and waits for the answers. */
    suspend fun stop() {
        stopped.set(true)
        jobs.forEach { it.join() }
    }
}
