import { ETHERTYPE_IPV4, EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { Ipv4Details, Ipv4Packet, PROTOCOL_UDP } from '../../../protocols/ipv4/packet.ts'
import type { Nanos } from '../../../protocols/time.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import type { QueueOut, QueuePlace, WaitingFrame } from '../../../sim/queue/discipline.ts'
import type { LinkDropReason } from '../../../trace/record.ts'
import { rawFrame } from '../link-fixture.ts'

export const NOT_ECT = 0
export const ECT_0 = 2
export const CE = 3

/** A link of 8 Mbit/s: 1000 bytes take 1 ms. */
export const place = (change: Partial<QueuePlace> = {}): QueuePlace => ({
  name: 'a>b',
  seed: '1',
  rate: 8_000_000,
  mtu: 1500,
  freeAt: 0,
  ...change,
})

/** A frame of so many bytes, offered at a time. */
export const waiting = (arrived: Nanos, size: number, frame = rawFrame(size)): WaitingFrame => ({
  frame,
  size: frame.size,
  arrived,
  fate: {
    lost: false,
    duplicated: false,
    reordered: false,
    corrupted: false,
    jitter: 0,
    copyJitter: 0,
    corruptPosition: 0,
  },
  forced: false,
})

/** A UDP datagram in a frame of `size` bytes: `flow` is its source port. */
export function datagramFrame(size: number, flow = 1, ecn = NOT_ECT): EthernetFrame {
  const payload = new UdpDatagram(flow, 9, new Uint8Array(size - 42))
  const details = new Ipv4Details(ecn, true, false, 0, new Uint8Array(0))
  return new EthernetFrame(
    '02:00:00:00:00:02',
    '02:00:00:00:00:01',
    ETHERTYPE_IPV4,
    new Ipv4Packet(0x0a000001, 0x0a000002, PROTOCOL_UDP, 64, 0, details, payload),
  )
}

export function ecnOf(frame: EthernetFrame): number {
  if (frame.payload.kind !== 'ipv4') throw new Error('it carries no IPv4')
  return frame.payload.details.trafficClass & 3
}

/** Keeps what a queue says. */
export class Heard implements QueueOut {
  readonly discarded: WaitingFrame[] = []
  readonly whys: LinkDropReason[] = []
  readonly marked: WaitingFrame[] = []

  discard(frame: WaitingFrame, why: LinkDropReason): void {
    this.discarded.push(frame)
    this.whys.push(why)
  }

  mark(frame: WaitingFrame): void {
    this.marked.push(frame)
  }
}
