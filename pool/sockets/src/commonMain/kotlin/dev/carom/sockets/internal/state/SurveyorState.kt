package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import dev.carom.sockets.internal.wire.WORD
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * SURVEYOR: any number of surveys at once, each asked of every peer. A survey is named by the call that started it; it
 * ends when that call is cancelled.
 *
 *     Running ──[deadline] passed──► Over: answers that came in time can still be taken, later ones are dropped
 */
internal class SurveyorState(
    private val deadline: Duration = DEFAULT_DEADLINE,
    private val answers: Int = DEFAULT_ANSWERS,
    sendLimit: Int = SEND_LIMIT,
    random: Random,
) : SocketState() {
    private class Survey(val id: Int, val name: Long) {
        val answers = ArrayDeque<Message>()
        val waiting = LinkedHashSet<Long>()
        var over = false
    }

    private val ids = Ids(random)
    private val byId = HashMap<Int, Survey>()
    private val byName = LinkedHashMap<Long, Survey>()
    private val receivers = HashMap<Long, Survey>()
    private val timers = Timers<Int>(deadline)
    private val fanout = Fanout(sendLimit, Overflow.DropLatest, effects)

    init {
        require(deadline.isPositive()) { "deadline must be positive, was $deadline" }
    }

    override val keepsTime: Boolean get() = true

    override val nextDeadline: Duration? get() = timers.next

    override val unflushed: Int get() = fanout.queued

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        fanout.attach(event.pipe)
    }

    override fun detach(pipe: Int, cause: Violation?) = fanout.detach(pipe)

    override fun retire(pipe: Int) = fanout.retire(pipe)

    override fun isBusy(pipe: Int): Boolean = queuedFor(pipe) > 0

    override fun queuedFor(pipe: Int): Int = fanout.queuedFor(pipe)

    override fun flushed(pipe: Int) = fanout.flushed(pipe)

    override fun send(call: Long, body: Body) {
        val survey = Survey(ids.next { it in byId }, call)
        byId[survey.id] = survey
        byName[call] = survey
        timers.arm(survey.id, now)
        effects += SocketEffect.Done(call)
        fanout.broadcast(Frame(intArrayOf(survey.id), body))
    }

    override fun received(pipe: Int, frame: Body) {
        if (frame.size < WORD) return cut(pipe, Violation.ShortHeader(frame.size))
        // The time is up at the deadline, even if the shell is late to say so.
        expire()
        val survey = byId[frame.word(0)] ?: return drop(pipe, DropReason.Stale)
        val message = Message(pipe, frame.drop(WORD), survey.name)
        when {
            survey.waiting.isNotEmpty() -> deliver(survey, message)
            survey.answers.size < answers -> survey.answers.addLast(message)
            else -> drop(pipe, DropReason.Overflow)
        }
    }

    override fun receive(call: Long, survey: Long) {
        expire()
        val asked = byName[survey] ?: return fail(call, Failure.SurveyOver)
        val answer = asked.answers.removeFirstOrNull()
        if (answer != null) {
            effects += SocketEffect.Deliver(call, answer)
        } else if (asked.over) {
            fail(call, Failure.SurveyOver)
        } else {
            asked.waiting += call
            receivers[call] = asked
        }
    }

    override fun cancel(call: Long) {
        receivers.remove(call)?.waiting?.remove(call)
        val survey = byName.remove(call) ?: return
        byId.remove(survey.id)
        timers.disarm(survey.id)
        endWaiting(survey, Failure.SurveyOver)
        survey.answers.forEach { drop(it.pipe, DropReason.Stale) }
    }

    override fun takeBack(message: Message) {
        val survey = byName[message.request] ?: return drop(message.pipe, DropReason.Stale)
        if (survey.waiting.isEmpty()) survey.answers.addFirst(message) else deliver(survey, message)
    }

    override fun close() {
        for (survey in byName.values) {
            timers.disarm(survey.id)
            endWaiting(survey, Failure.Closed)
            survey.answers.forEach { drop(it.pipe, DropReason.Closed) }
        }
        byId.clear()
        byName.clear()
    }

    override fun expire() {
        while (true) {
            val survey = byId.remove(timers.take(now) ?: return) ?: continue
            survey.over = true
            endWaiting(survey, Failure.SurveyOver)
        }
    }

    private fun deliver(survey: Survey, message: Message) {
        val first = survey.waiting.first()
        survey.waiting.remove(first)
        receivers.remove(first)
        effects += SocketEffect.Deliver(first, message)
    }

    private fun endWaiting(survey: Survey, failure: Failure) {
        for (call in survey.waiting) {
            receivers.remove(call)
            fail(call, failure)
        }
        survey.waiting.clear()
    }

    companion object {
        val DEFAULT_DEADLINE = 1.seconds

        /** Answers of one survey that wait to be taken. */
        const val DEFAULT_ANSWERS = 128
        private const val SEND_LIMIT = 8
    }
}
