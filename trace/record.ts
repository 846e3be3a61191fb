import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import type { SwitchEvent } from '../protocols/ethernet/switch.ts'
import type { HostEvent } from '../protocols/host/event.ts'
import type { HostCall } from '../protocols/host/host.ts'
import type { Nanos } from '../protocols/time.ts'

/** What a link may do to a frame instead of delivering it. */
export type LinkDropReason =
  | 'loss'
  | 'forced'
  | 'queue-full'
  | 'too-big'
  | 'down'
  | 'red'
  | 'codel'
  | 'fq-codel'
  | 'pie'

/**
 * What happened, once, in the order in which it happened. One stream of these feeds the digest,
 * the text lines, the captures and the statistics.
 *
 * `event` numbers the queue event within which it happened, counted from 1.
 */
export type TraceRecord =
  | FrameSent
  | FrameDeparted
  | FrameDiscarded
  | FrameMarked
  | FrameReceived
  | HostSaid
  | HostCalled
  | FaultDone

interface At {
  readonly at: Nanos
  readonly event: number
  readonly node: string
}

/** What a link decided about a frame. */
export interface FrameFate {
  readonly dropped: LinkDropReason | null
  /** When it will arrive; `NEVER` where dropped. */
  readonly arrives: Nanos
  /** Copies delivered beside the first. */
  readonly duplicates: number
  /** The bit that was flipped, counted from the first bit of the frame; -1 for none. */
  readonly corruptedBit: number
  /** It was sent past the frames before it. */
  readonly reordered: boolean
}

/** A frame at the sending end of a link. */
interface AtSender extends At {
  readonly port: number
  /** The direction's name, `a>b`. */
  readonly link: string
  readonly frame: EthernetFrame
}

/** A node put a frame on a link, and what the link decided about it. */
export interface FrameSent extends AtSender, FrameFate {
  readonly kind: 'sent'
  /** Frames and bytes that wait for transmission, this one included unless dropped. */
  readonly queueFrames: number
  readonly queueBytes: number
  /**
   * How long it waits for its transmission. `NEVER` where a queue decides about that later: then
   * nothing else is decided either, and a `departed` or `discarded` record follows. It says
   * nothing that the other records of the link do not, so it is not in the digest.
   */
  readonly waits: Nanos
}

/** The transmission of a frame began that had to wait for a queue's decision. */
export interface FrameDeparted extends AtSender, FrameFate {
  readonly kind: 'departed'
  readonly sojourn: Nanos
}

/** A queue dropped a frame that it had taken. */
export interface FrameDiscarded extends AtSender {
  readonly kind: 'discarded'
  readonly why: LinkDropReason
  readonly sojourn: Nanos
}

/** A queue wrote "congestion experienced" into a frame (RFC 3168) instead of dropping it. */
export interface FrameMarked extends AtSender {
  readonly kind: 'marked'
  /** The discipline, by the reason for which it drops. */
  readonly by: LinkDropReason
  readonly sojourn: Nanos
}

export interface FrameReceived extends At {
  readonly kind: 'received'
  readonly port: number
  readonly link: string
  readonly frame: EthernetFrame
}

/** What the engine of a node may say. */
export type NodeEvent = HostEvent | SwitchEvent

/** An engine's event; applications see those that are socket events. */
export interface HostSaid extends At {
  readonly kind: 'event'
  readonly said: NodeEvent
}

export interface HostCalled extends At {
  readonly kind: 'call'
  readonly call: HostCall
}

/** Something was done to the network or to a host; `node` is empty. */
export interface FaultDone extends At {
  readonly kind: 'fault'
  readonly what: string
}

/** Somebody who listens to a run. Must not change anything. */
export type TraceObserver = (record: TraceRecord) => void
