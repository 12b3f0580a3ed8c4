package dev.carom.samples.messaging.perf

import dev.carom.sockets.BlockingRepSocket
import dev.carom.sockets.BlockingReqSocket
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.openBusSocket
import dev.carom.sockets.openPairSocket
import dev.carom.sockets.openPubSocket
import dev.carom.sockets.openPullSocket
import dev.carom.sockets.openPushSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.openRespondentSocket
import dev.carom.sockets.openSubSocket
import dev.carom.sockets.openSurveyorSocket
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlin.time.Duration.Companion.seconds

/** One message there, and the same one back. */
internal typealias Trip = suspend (ByteArray) -> ByteArray

/**
 * Round trips: a client that asks, and a server that gives everything back. Where one socket goes one way only, the way
 * back is another: the client's first message says where it listens for that.
 */
internal class RoundTrips(private val plan: PerfPlan) {
    private val transports = plan.transports

    /** The server: gives back as many messages as are planned. [bound] is told where it listens. */
    suspend fun echo(bound: CompletableDeferred<String>): Unit = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openRepSocket("echo", transports = transports).served(plan, bound) {
                if (plan.blocking) {
                    val socket = BlockingRepSocket.of(this)
                    onThread { plan.eachMessage { socket.receive().use { it.reply(it.body()) } } }
                } else {
                    plan.eachMessage { receive().use { it.reply(it.body) } }
                }
            }

            PerfProtocol.Survey -> openRespondentSocket("echo", transports = transports).served(plan, bound) {
                plan.eachMessage { receive().use { it.reply(it.body) } }
            }

            PerfProtocol.Pair -> openPairSocket("echo", transports = transports).served(plan, bound) {
                plan.eachMessage { send(receive()) }
            }

            PerfProtocol.Bus -> openBusSocket("echo", transports = transports).served(plan, bound) {
                plan.eachMessage { send(receive()) }
            }

            PerfProtocol.Pipeline -> openPullSocket("echo", transports = transports).served(plan, bound) {
                val there = this
                openPushSocket("back", transports = transports).connected(receive().decodeToString()) {
                    plan.eachMessage { send(there.receive()) }
                }
            }

            // Subscribed before anybody knows where it is: what comes earlier is not for it.
            PerfProtocol.PubSub -> openSubSocket("echo", transports = transports).also {
                it.subscribe("")
            }.served(plan, bound) {
                val there = this
                openPubSocket("back", transports = transports).connected(receive().decodeToString()) {
                    plan.eachMessage { send(there.receive()) }
                }
            }
        }
    }

    /** The client of [echo]: works with round trips. */
    suspend fun <R> asking(url: String, work: suspend (Trip) -> R): R = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openReqSocket("client", transports = transports).connected(url) {
                val socket = BlockingReqSocket.of(this)
                if (plan.blocking) work { socket.request(it) } else work(::request)
            }

            PerfProtocol.Survey -> openSurveyorSocket("client", PATIENT, transports).connected(url) {
                work { survey(it).first() }
            }

            PerfProtocol.Pair -> openPairSocket("client", transports = transports).connected(url) {
                work { send(it).let { receive() } }
            }

            PerfProtocol.Bus -> openBusSocket("client", transports = transports).connected(url) {
                work { send(it).let { receive() } }
            }

            PerfProtocol.Pipeline -> openPullSocket("back", transports = transports).closing {
                val answers = this
                val back = bind(plan.back).url
                openPushSocket("client", transports = transports).connected(url) {
                    send(back.encodeToByteArray())
                    answers.awaitPipes(1)
                    work { send(it).let { answers.receive() } }
                }
            }

            PerfProtocol.PubSub -> openSubSocket("back", transports = transports).closing {
                val answers = also { it.subscribe("") }
                val back = bind(plan.back).url
                openPubSocket("client", transports = transports).connected(url) {
                    send(back.encodeToByteArray())
                    answers.awaitPipes(1)
                    work { send(it).let { answers.receive() } }
                }
            }
        }
    }

    private companion object {
        /** The first answer ends a survey: how long it may take is to be measured, not to be missed. */
        val PATIENT = SocketPolicy(surveyDeadline = 30.seconds)
    }
}
