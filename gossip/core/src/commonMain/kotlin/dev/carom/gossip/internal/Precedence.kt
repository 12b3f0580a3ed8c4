package dev.carom.gossip.internal

import dev.carom.gossip.MemberState

/**
 * SWIM's order of news about one identity: whether (state, incarnation) replaces what is known. Down is final; a
 * suspicion wins over the life it suspects; only a member itself raises its incarnation, so a higher one is its own
 * word.
 */
internal fun supersedes(known: MemberState, knownIncarnation: Long, state: MemberState, incarnation: Long): Boolean =
    when (known) {
        MemberState.Down -> false

        MemberState.Alive -> when (state) {
            MemberState.Down -> true
            MemberState.Suspect -> incarnation >= knownIncarnation
            MemberState.Alive -> incarnation > knownIncarnation
        }

        MemberState.Suspect -> state == MemberState.Down || incarnation > knownIncarnation
    }
