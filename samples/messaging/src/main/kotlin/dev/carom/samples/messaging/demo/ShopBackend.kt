package dev.carom.samples.messaging.demo

import dev.carom.sockets.AnsweringSocket
import dev.carom.sockets.RepSocket
import dev.carom.sockets.RespondentSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openRespondentSocket
import dev.carom.sockets.serve
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentHashMap

/**
 * One backend of the shop: answers questions and surveys at ports of its own, with `question@name`.
 *
 * @param log counts how often each question was answered, by all backends.
 */
class ShopBackend private constructor(
    val name: String,
    private val rep: RepSocket,
    private val respondent: RespondentSocket,
    private val log: AnswerLog,
) {
    var askPort = 0
        private set
    var surveyPort = 0
        private set

    private suspend fun start(scope: CoroutineScope) {
        askPort = rep.bind("tcp://127.0.0.1:0").url.substringAfterLast(':').toInt()
        surveyPort = respondent.bind("tcp://127.0.0.1:0").url.substringAfterLast(':').toInt()
        scope.launch { work(rep) { log.answered(it) } }
        scope.launch { work(respondent) {} }
    }

    private suspend fun work(socket: AnsweringSocket, note: (String) -> Unit) = socket.serve { body ->
        val question = body.decodeToString()
        note(question)
        "$question@$name".encodeToByteArray()
    }

    /** Answers what it has been asked, and goes. */
    suspend fun stop() {
        rep.close()
        respondent.close()
    }

    /** Goes at once: whatever it was about to answer is lost. */
    suspend fun kill() {
        rep.close(0)
        respondent.close(0)
    }

    companion object {
        suspend fun CoroutineScope.openShopBackend(name: String, log: AnswerLog): ShopBackend =
            ShopBackend(name, openRepSocket("$name ask"), openRespondentSocket("$name survey"), log)
                .also { it.start(this) }
    }
}

/** How often each question was answered. */
class AnswerLog {
    private val counts = ConcurrentHashMap<String, Int>()

    fun answered(question: String) {
        counts.merge(question, 1, Int::plus)
    }

    /** How many were answered more than once. */
    fun repeated(): Int = counts.values.count { it > 1 }
}
