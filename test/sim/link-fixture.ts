import { DONT_FRAGMENT, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { NO_OPTIONS } from '../../protocols/tcp/options.ts'
import { Opaque } from '../../protocols/payload.ts'
import { TcpSegment } from '../../protocols/tcp/segment.ts'
import type { Nanos } from '../../protocols/time.ts'
import { EventQueue } from '../../sim/event-queue.ts'
import type { QueueOutcome } from '../../sim/queue/managed-queue.ts'
import { LinkDirection, type LinkOptions, PERFECT_LINK } from '../../sim/link.ts'

const A = '02:00:00:00:00:01'
const B = '02:00:00:00:00:02'

/** A frame of so many bytes that carries nothing known. */
export const rawFrame = (size: number): EthernetFrame =>
  new EthernetFrame(B, A, 0x88b5, new Opaque(new Uint8Array(size - 14)))

export const tcpFrame = (flags: number, payloadBytes = 0): EthernetFrame =>
  new EthernetFrame(
    B,
    A,
    ETHERTYPE_IPV4,
    new Ipv4Packet(
      0x0a000001,
      0x0a000002,
      6,
      64,
      0,
      DONT_FRAGMENT,
      new TcpSegment(
        5000,
        80,
        1,
        1,
        flags,
        1000,
        0,
        NO_OPTIONS,
        new Uint8Array(payloadBytes).fill(7),
      ),
    ),
  )

export interface Delivery {
  at: Nanos
  frame: EthernetFrame
}

/** One direction `a>b` alone in the world. */
export class Bench {
  readonly queue = new EventQueue()
  readonly link: LinkDirection
  readonly delivered: Delivery[] = []
  /** What a discipline's queue did. */
  readonly outcomes: QueueOutcome[] = []

  constructor(options: Partial<LinkOptions>, seed = '1', name = 'a>b') {
    this.link = new LinkDirection(name, seed, { ...PERFECT_LINK, ...options }, this.queue)
  }

  /** Delivers what arrives up to this instant, inclusive. */
  runUntil(until: Nanos): void {
    while (this.queue.topTime <= until && this.queue.size > 0) {
      const at = this.queue.topTime
      if (this.queue.topSource === this.link.departures) {
        this.link.depart(at)
        this.outcomes.push(...this.link.managed!.outcomes)
        continue
      }
      this.delivered.push({ at, frame: this.link.take() })
    }
  }

  /** Sends and tells why the frame was dropped, or when it arrives. */
  send(now: Nanos, frame: EthernetFrame): string | Nanos {
    this.runUntil(now)
    this.link.send(now, frame)
    this.outcomes.push(...(this.link.managed?.outcomes ?? []))
    this.link.assertConserved()
    return this.link.dropped ?? this.link.arrives
  }

  /** Delivers all that is left. */
  finish(): Delivery[] {
    this.runUntil(Number.MAX_SAFE_INTEGER)
    this.link.assertConserved()
    return this.delivered
  }
}
