package dev.carom.pool.internal.record

import dev.carom.pool.Backend
import dev.carom.pool.Fault
import dev.carom.pool.Role
import dev.carom.pool.describe
import dev.carom.pool.internal.Outcome
import dev.carom.pool.internal.PoolEffect
import dev.carom.pool.internal.PoolEvent
import dev.carom.pool.internal.Probe

/** A failure as a recording has it: what notices say of it, and nothing else. */
internal class RecordedFailure(val description: String) : RuntimeException(description)

internal fun LineWriter.event(event: PoolEvent): LineWriter = when (event) {
    is PoolEvent.BackendsListed -> {
        plain("listed").number(event.backends.size.toLong())
        event.backends.forEach { backend(it) }
        this
    }

    is PoolEvent.Connected -> plain("connected").number(event.slot).probe(event.probe)

    is PoolEvent.Ended -> plain("ended").number(event.slot).failure(event.cause).plain(event.fault.name)

    is PoolEvent.Lost -> plain("lost").number(event.slot).failure(event.cause)

    is PoolEvent.Checked -> plain("checked").number(event.slot).failure(event.failure).probe(event.probe)

    is PoolEvent.Recycled -> plain("recycled").number(event.slot).failure(event.failure)

    is PoolEvent.Returned -> plain("returned").number(event.slot).outcome(event.outcome)

    is PoolEvent.Reported -> plain("reported").number(event.slot).plain(event.fault.name).failure(event.cause)

    is PoolEvent.DrainRequested -> plain("drain").backend(event.backend)

    is PoolEvent.DrainRevoked -> plain("undrain").backend(event.backend)

    is PoolEvent.EvictRequested -> plain("evict").backend(event.backend)

    is PoolEvent.LimitsSet -> plain("limits").number(event.spares.toLong()).number(event.maxSlots.toLong())

    PoolEvent.RanLow -> plain("low")

    is PoolEvent.ReadyAwaited -> plain("awaited").number(event.connections.toLong())

    is PoolEvent.ReadyUnawaited -> plain("unawaited").number(event.connections.toLong())

    PoolEvent.CloseRequested -> plain("close")

    PoolEvent.GraceEnded -> plain("grace")

    PoolEvent.Tick -> plain("tick")
}

internal fun LineReader.event(ceiling: Int): PoolEvent = when (val kind = plain()) {
    "listed" -> PoolEvent.BackendsListed(List(int(0..left)) { backend() }.toSet())
    "connected" -> PoolEvent.Connected(number(), probe())
    "ended" -> PoolEvent.Ended(number(), failure(), fault())
    "lost" -> PoolEvent.Lost(number(), failure())
    "checked" -> PoolEvent.Checked(number(), failure(), probe())
    "recycled" -> PoolEvent.Recycled(number(), failure())
    "returned" -> PoolEvent.Returned(number(), outcome())
    "reported" -> PoolEvent.Reported(number(), fault(), failure())
    "drain" -> PoolEvent.DrainRequested(backend())
    "undrain" -> PoolEvent.DrainRevoked(backend())
    "evict" -> PoolEvent.EvictRequested(backendOrNull())
    "limits" -> PoolEvent.LimitsSet(int(0..ceiling), int(1..ceiling))
    "low" -> PoolEvent.RanLow
    "awaited" -> PoolEvent.ReadyAwaited(int(0..Int.MAX_VALUE))
    "unawaited" -> PoolEvent.ReadyUnawaited(int(0..Int.MAX_VALUE))
    "close" -> PoolEvent.CloseRequested
    "grace" -> PoolEvent.GraceEnded
    "tick" -> PoolEvent.Tick
    else -> throw Damage("there is no event \"$kind\"")
}

/** What was decided, for people and for comparison. */
internal fun textOf(effect: PoolEffect): String = when (effect) {
    is PoolEffect.Connect -> "connect ${effect.slot} at ${effect.index} to ${effect.backend}"
    is PoolEffect.Disconnect -> "disconnect ${effect.slot}"
    is PoolEffect.Check -> "check ${effect.slot}"
    is PoolEffect.Recycle -> "recycle ${effect.slot}"
    is PoolEffect.Lend -> "lend ${effect.slot}"
    PoolEffect.Reconsider -> "reconsider"
    is PoolEffect.Tell -> "tell: ${effect.notice}"
}

private const val FIELDS = 6

private fun LineWriter.backend(backend: Backend?): LineWriter {
    if (backend == null) return text(null)
    val numbers = listOf(backend.port, backend.priority, backend.weight).map { it.toString() }
    val metadata = backend.metadata.flatMap { listOf(it.key, it.value) }
    return list(listOf(backend.name, backend.host) + numbers + backend.authority + metadata)
}

private fun LineReader.backend(): Backend {
    val parts = list()
    if (parts.size < FIELDS || parts.size % 2 != 0) throw Damage("a backend has ${parts.size} parts")
    val numbers = parts.subList(2, 5).map { it.toIntOrNull() ?: throw Damage("\"$it\" should be a number") }
    val metadata = parts.drop(FIELDS).chunked(2).associate { (key, value) -> key to value }
    try {
        return Backend(parts[0], parts[1], numbers[0], numbers[1], numbers[2], parts[5], metadata)
    } catch (e: IllegalArgumentException) {
        throw Damage(e.message.orEmpty())
    }
}

private fun LineReader.backendOrNull(): Backend? = if (nextIsNull()) null else backend()

private fun LineWriter.failure(cause: Throwable?): LineWriter = text(cause?.let(::describe))

private fun LineReader.failure(): Throwable? = textOrNull()?.let(::RecordedFailure)

private fun LineReader.fault(): Fault = named(Fault.entries, plain())

private fun LineWriter.probe(probe: Probe?): LineWriter =
    if (probe == null) text(null) else list(listOf(probe.role.name, probe.demotions.toString()))

private fun LineReader.probe(): Probe? {
    if (nextIsNull()) return null
    val parts = list()
    val demotions = parts.getOrNull(1)?.toIntOrNull() ?: throw Damage("a probe has no number")
    return Probe(named(Role.entries, parts[0]), demotions)
}

private fun LineWriter.outcome(outcome: Outcome): LineWriter = when (outcome) {
    Outcome.Used -> plain("used").text(null)
    Outcome.Unused -> plain("unused").text(null)
    is Outcome.Discarded -> plain("discarded").failure(outcome.cause)
    is Outcome.NotPrepared -> plain("unprepared").failure(outcome.cause)
}

private fun LineReader.outcome(): Outcome {
    val kind = plain()
    val cause = failure()
    return when (kind) {
        "used" -> Outcome.Used
        "unused" -> Outcome.Unused
        "discarded" -> Outcome.Discarded(cause)
        "unprepared" -> Outcome.NotPrepared(cause ?: throw Damage("what was not prepared has no cause"))
        else -> throw Damage("there is no outcome \"$kind\"")
    }
}

internal fun <E : Enum<E>> named(entries: List<E>, name: String): E =
    entries.find { it.name == name } ?: throw Damage("\"$name\" is none of $entries")
