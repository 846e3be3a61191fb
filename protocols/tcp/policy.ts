import type { Errno } from '../errno.ts'
import type { Nanos } from '../time.ts'
import type { CongestionName } from './congestion/congestion.ts'
import type { EcnPolicy } from './ecn.ts'
import type { SigningKey } from './signature.ts'
import type { FastOpenChoices } from './fast-open-choices.ts'
import type { SynLayouts } from './syn-layouts.ts'

/** What a TCP may choose. Data only: the engine reads it and never asks which system it imitates. */
export interface TcpChoices {
  /** RFC 6298 (2.1): before the first sample; the SYN's first timeout. */
  readonly rtoInitial: Nanos
  /** RFC 6298 (2.4). */
  readonly rtoMin: Nanos
  /** RFC 6298 (2.5). */
  readonly rtoMax: Nanos
  /** RFC 6298 (2.3): clock granularity G. */
  readonly rtoGranularity: Nanos
  /** Added to every timeout that is computed, before the floor and the ceiling. */
  readonly rtoSlop: Nanos
  /** `false`: no estimate is made, every timeout begins at `rtoInitial`. */
  readonly rtoAdaptive: boolean
  /** How often a SYN, and anything later, is sent again before giving up (RFC 1122 §4.2.3.5, R2). */
  readonly synRetries: number
  readonly dataRetries: number
  /** The same for a SYN,ACK. */
  readonly synAckRetries: number
  /** How long to wait after each SYN in turn, the last one again and again; empty: `rtoInitial`,
   * doubled each time. */
  readonly synSchedule: readonly Nanos[]
  /** So many SYNs more are repeated after `rtoInitial` before the timeout doubles; 0: it does at once. */
  readonly synLinear: number
  /** Giving up data is a matter of the time that `dataRetries` timeouts from the least on take. */
  readonly retriesAreTime: boolean
  /** The window of one that is closed is asked for by an old number without text, not by a byte. */
  readonly probesOldNumber: boolean
  /** A segment without a timestamp counts although timestamps were agreed on. */
  readonly stampsMayMiss: boolean
  /** From this many retransmissions on, the neighbour is under suspicion (RFC 1122 R1). */
  readonly suspectAfter: number
  /** RFC 9293 §3.8.6.3: how long an ACK may wait, and after how many full segments it may not. */
  readonly delayedAck: Nanos
  readonly ackEvery: number
  /** RFC 9293 §3.4.2; the 2 MSL of TIME-WAIT is twice this. */
  readonly msl: Nanos
  /** How long an orphan stays in FIN-WAIT-2. */
  readonly finWait2: Nanos
  /** Initial window in segments, RFC 6928. */
  readonly initialWindow: number
  /** After so many SYNs, or SYN,ACKs, that were sent again it is one segment (RFC 5681 §3.1). */
  readonly oneAfterSyns: number
  readonly oneAfterSynAcks: number
  /** RFC 5681 §4.1: after an idle timeout the window is the initial one again. */
  readonly idleRestart: boolean
  /** What moves the congestion window. */
  readonly congestion: CongestionName
  /** RFC 3465: how many segments an ACK is worth in slow start at most; RFC 9406 §4.3 says 8. */
  readonly slowStartLimit: number
  /** RFC 9406: slow start ends when the round trip grows. */
  readonly hystart: boolean
  /** RFC 5681 §3.2. */
  readonly dupAckThreshold: number
  /** Figures of every round trip are kept (`tally.ts`): the timeout, and what counts as a window that was
   * used, follow them. */
  readonly tallies: boolean
  /** Windows are counted in segments: what PRR and a loss come to is rounded to whole ones. */
  readonly wholeWindows: boolean
  /** RFC 3465 §2.3: the same after a timeout. */
  readonly lossSlowStartLimit: number
  /** An idle window is halved for each timeout that went by, not restarted at once. */
  readonly idleHalves: boolean
  /** A retransmission that is lost shrinks the window once more (RFC 5681 §4.3). */
  readonly reducesAgain: boolean
  /** A loss that was none gives back the whole window, and the first ACK after a timeout may show it;
   * otherwise RFC 4015 §4 and RFC 5682 §3.1. */
  readonly undoesWholly: boolean
  /** Segments leave one after the other at a rate. BBR does so in any case. */
  readonly pacing: boolean
  /** RFC 3168. */
  readonly ecn: EcnPolicy
  /** RFC 9768: the same with feedback that counts, and whether ACKs have its option. */
  readonly accurateEcn: EcnPolicy
  readonly accurateEcnOption: boolean
  /** RFC 3168 §6.1.1.1: so many repetitions of our SYN still ask for it. */
  readonly ecnSynRetries: number
  /** Bytes. The receive buffer decides the window scale that is offered. */
  readonly sendBuffer: number
  readonly receiveBuffer: number
  /** Bytes that a receive buffer may grow to, where these decide the scale in its place; 0: it does. */
  readonly receiveBufferMax: number
  /** SO_SNDBUF and SO_RCVBUF count memory: so many bytes for each of payload, and at least so many. */
  readonly bufferUnit: number
  readonly sendBufferMin: number
  readonly receiveBufferMin: number
  /** SO_RCVLOWAT: less than this is not worth waking a reader for. */
  readonly receiveLowWater: number
  /** TCP_NOTSENT_LOWAT: no more than this waits to be sent before the writer has to wait. */
  readonly notSentLowWater: number
  /** The largest MSS offered; the path's own limit counts too. */
  readonly mss: number
  /** A SYN offers what ICMP errors have said of the path; `false`: what the first link takes. */
  readonly offersPathMss: boolean
  /** TCP_MAXSEG of a connection that stands limits what it sends. */
  readonly maxsegLowers: boolean
  /** An ICMPv6 "packet too big" is believed only where what it quotes was (RFC 5927 §7). */
  readonly provesIpv6TooBig: boolean
  /** RFC 2923 §2.1: after so many timeouts of a full segment its size falls to `blackHoleMss`, a
   * size without options; 0: never. */
  readonly blackHoleAfter: number
  readonly blackHoleMss: number
  /** IP_TOS: what segments say about their service (RFC 2474), the two bits of ECN left out. */
  readonly trafficClass: number
  /** IP_TTL, IPV6_UNICAST_HOPS: how many hops segments may take; 0: as many as the host's other packets. */
  readonly hopLimit: number
  /** TCP_NOOPT: SYNs carry no option, and nothing is agreed on. */
  readonly noOptions: boolean
  readonly windowScale: boolean
  readonly sackPermitted: boolean
  /** The SACK block that ends at a FIN which came early counts it (RFC 2018 leaves it open). */
  readonly sackCountsFin: boolean
  /** RFC 2883: the first block of an ACK tells what came twice. */
  readonly dsack: boolean
  /** RFC 3042: the first duplicate ACKs let new data out. */
  readonly limitedTransmit: boolean
  /** RFC 6937 leads the window through fast recovery; otherwise it is `ssthresh` at once. */
  readonly prr: boolean
  /** RFC 8985: what is late is lost, not what is followed by three others. It needs SACK. */
  readonly rack: boolean
  /** RFC 8985 §7, with `rack`: a probe before the timeout. */
  readonly tlp: boolean
  /** TLP.max_ack_delay: what a single segment's ACK may wait at the peer. */
  readonly maxAckDelay: Nanos
  /** RFC 5682: whether a timeout was needed shows by new data. */
  readonly frto: boolean
  readonly timestamps: boolean
  /** RFC 9293 §3.7.4; TCP_NODELAY switches it off. */
  readonly nagle: boolean
  /** Nagle asks once a call or an ACK what is in flight: with a full segment the small rest may go. */
  readonly nagleAsksOnce: boolean
  /** Nagle as Minshall would have it (RFC 9293 §A.3): what is small waits for what was small alone. */
  readonly minshall: boolean
  /**
   * RFC 9293 §3.8.6.2.2: the right edge of the window stays until a full segment or half of the buffer
   * is free behind it. `false`: every segment offers all that is free, unless that is little.
   */
  readonly steadyEdge: boolean
  /** The receive buffer counts the memory that segments take, not their text (`room.ts`). */
  readonly roomInMemory: boolean
  /** When the MSS is known, the receive buffer is rounded up to whole segments. */
  readonly wholeSegments: boolean
  /** Resets and SYNs count as in the window up to all that is free, offered or not. */
  readonly freeIsWindow: boolean
  /** `ackEvery` counts segments of any size, not the bytes of full ones. */
  readonly countsSegments: boolean
  /** Text on a SYN that comes to a listener is kept until the connection stands (§3.10.7.2). */
  readonly keepsSynText: boolean
  /** A FIN that only half closes may be acknowledged late, like text. */
  readonly delaysFinAck: boolean
  /** A first SYN that is answered by a wrong ACK is repeated so soon behind the reset; 0: when it is due. */
  readonly synAgainAfter: Nanos
  /** Text and FIN of a SYN,ACK count; otherwise they have to come again. */
  readonly takesSynAckText: boolean
  /** A listener has no ear for a SYN that is a FIN too. */
  readonly listenSkipsSynFin: boolean
  /** The SYN,ACK of a simultaneous open offers what our SYN did, whatever the peer's had. */
  readonly crossingOffersAll: boolean
  /** Segments leave several at a time; the last of several carries PSH (`chunks.ts`). */
  readonly sendsChunks: boolean
  /** Every ACK carries our FIN until it is acknowledged. */
  readonly finRides: boolean
  /** RFC 5961 §3.2 and §4.2 switched off: any reset, any SYN in the window ends the connection. */
  readonly insecureReset: boolean
  readonly insecureSyn: boolean
  /** A half-open connection of a listener believes any reset in its window that names its SYN or none. */
  readonly looseHalfOpenReset: boolean
  /** Behind the peer's FIN a reset may also have the number of the FIN: some peers do not count theirs. */
  readonly resetAtFin: boolean
  /** The reset that refuses text begins where its ACK says (RFC 9293 §3.5.2), not where we are. */
  readonly resetAtAck: boolean
  /** A reset of our own tells the window, and the time where timestamps were agreed on. */
  readonly resetTellsWindow: boolean
  /** Nobody looks at a segment with SYN and FIN. */
  readonly dropSynFin: boolean
  /** RFC 5961 §7: at most so many challenge ACKs of a connection within such a time. */
  readonly challengeAcks: number
  readonly challengeWindow: Nanos
  /** A SYN that is newer than all before it takes the place of TIME-WAIT (RFC 6191, RFC 1122). */
  readonly timeWaitReuse: boolean
  /** RFC 1337, fix (F1): TIME-WAIT ignores resets. */
  readonly timeWaitStays: boolean
  /** What a reset means to the application in these states; `null`: nothing. In those before it is
   * ECONNREFUSED and ECONNRESET. */
  readonly resetInCloseWait: Errno | null
  readonly resetInClosing: Errno | null
  readonly resetInLastAck: Errno | null
  /** TIME-WAIT looks at SEG.SEQ alone, and every ACK begins its time anew: see `time-wait.ts`. */
  readonly timeWaitBySeq: boolean
  /** TIME-WAIT answers nothing that has no ACK. */
  readonly timeWaitMute: boolean
  /** ICMP errors that end an attempt to connect, as 256 * type + code, and the name that the
   * application hears; `null`: each its own. */
  readonly icmpEndsConnect: readonly number[]
  readonly icmpConnectError: Errno | null
  /** Without an answer for so long, an attempt to connect is given up, whatever is left to try; 0: no
   * such limit. */
  readonly connectTimeout: Nanos
  /** RFC 5482: the same for data, and for probes; 0: no such limit. */
  readonly userTimeout: Nanos
  /** RFC 9293 §3.8.4: whether an idle connection is probed, after how long, how often, how many times. */
  readonly keepAlive: boolean
  /** Every idle connection is probed, whether SO_KEEPALIVE is on or not. */
  readonly alwaysKeepAlive: boolean
  readonly keepIdle: Nanos
  readonly keepInterval: Nanos
  readonly keepCount: number
  /** SO_LINGER: closing waits so long for the last acknowledgment; with no time at all it resets. */
  readonly lingers: boolean
  readonly lingerTime: Nanos
  /** TCP_CORK: less than a full segment waits for more, at most `corkTime`; 0: as long as a timeout. */
  readonly cork: boolean
  readonly corkTime: Nanos
  /** So many segments are acknowledged at once before ACKs begin to wait. */
  readonly quickAcks: number
  /** TCP_DEFER_ACCEPT: a connection is not accepted before its first bytes, or this time. */
  readonly deferAccept: Nanos
  /** Until then it stays half open, and the time is counted in timeouts of the SYN,ACK: see `defer.ts`. */
  readonly defersHandshake: boolean
  /** With it, whoever connects waits so long for text to go with the ACK of the SYN,ACK; 0: it does not. */
  readonly deferredAck: Nanos
  /** SO_REUSEADDR, SO_REUSEPORT: who may be bound beside others; see `../host/port-conflict.ts`. */
  readonly reuseAddress: boolean
  readonly reusePort: boolean
  /**
   * RFC 2385: whose segments are signed. `known`: of peers that the socket has a key for; `everybody`:
   * with the keys of the host's policy, and nobody is heard who has none.
   */
  readonly signs: 'nobody' | 'known' | 'everybody'
  readonly signingKeys: readonly SigningKey[]
  /** The signature stands before the other options, or behind them. */
  readonly signatureFirst: boolean
  /** A signed SYN offers timestamps; `false`: it does not, and its answer only where there is no SACK. */
  readonly signedTimestamps: boolean
  /** The reset that is for no connection has the TOS and the hops of the socket that is bound there. */
  readonly resetsAsSocket: boolean
  /**
   * TCP over UDP: the peer's UDP port, where segments go inside datagrams (TCP_REMOTE_UDP_ENCAPS_PORT); 0: they
   * go by themselves.
   */
  readonly udpPort: number
  /** The host's own port for that, 0: none; and what it leaves of a packet for the UDP header, bytes. */
  readonly tunnelPort: number
  readonly tunnelOverhead: number
  /** RFC 4987 §3.6: a listener that has no room for another SYN answers with a cookie. */
  readonly synCookies: boolean
  /** SO_ERROR tells of what may pass (RFC 1122 §4.2.4.1), not only of what has ended a connection. */
  readonly tellsSoftErrors: boolean
  /** A listener that closes resets its half-open connections; `false`: it forgets them. */
  readonly resetsHalfOpen: boolean
  /** From this retransmission of a SYN on it offers nothing but the MSS; 0: never. */
  readonly synPlainAfter: number
  /** What reading has freed is told at once when it is a quarter of the buffer. */
  readonly eagerUpdates: boolean
  /** RFC 7413. */
  readonly fastOpen: FastOpenChoices
  /** In which order options stand on a SYN and on a SYN,ACK. */
  readonly synLayouts: SynLayouts
  readonly synAckLayouts: SynLayouts
}

/**
 * Immutable; a class, so that Immer passes it through as one value. Every one has the same fields in
 * the same order, for each is made from another.
 */
class Policy {
  with(changes: Partial<TcpChoices>): TcpPolicy {
    return createPolicy(Object.assign({}, this as unknown as TcpChoices, changes))
  }
}

export type TcpPolicy = TcpChoices & Policy

/**
 * Spread at once, the fields lie in the object; given one by one, so many make V8 keep it as a hash
 * table, and the hot path reads them for every segment.
 */
export const createPolicy = (choices: TcpChoices): TcpPolicy =>
  Object.setPrototypeOf({ ...choices }, Policy.prototype) as TcpPolicy
