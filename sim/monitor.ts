import { formatIp } from '../protocols/address.ts'
import { assert } from '../protocols/assert.ts'
import { type Bytes, equalBytes } from '../protocols/bytes.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import type { HostCall } from '../protocols/host/host.ts'
import type { SocketId } from '../protocols/host/socket.ts'
import { isOwn } from '../protocols/host/state.ts'
import { type IpPacket, isIp } from '../protocols/ipv6/packet.ts'
import { type Seq, seqAdd, seqDiff } from '../protocols/sequence.ts'
import { ACK, RST, SYN, type TcpSegment } from '../protocols/tcp/segment.ts'
import type { TcpState } from '../protocols/tcp/state.ts'
import type { NodeEvent } from '../trace/record.ts'
import type { LinkDirection } from './link.ts'
import type { Node } from './node.ts'

/**
 * Watches a whole world for what must hold after every step, whatever the network does:
 * delivered bytes are a prefix of the bytes sent, no segment lies beyond the window that the peer
 * offered, no link loses count of its frames. The engine itself asserts what it can see alone.
 */
export class Monitor {
  /** Bytes taken from one end's application and not yet delivered at the other, by connection. */
  readonly #streams = new Map<string, Stream>()
  /** The highest right edge that the peer offered, by connection. */
  readonly #edges = new Map<string, Seq>()
  /** The window scale in a sender's SYN; -1 where it offered none. */
  readonly #scales = new Map<string, number>()
  /** What the call under way wants to send; `null` once it was answered; how much of it was taken. */
  #offered: Bytes | null = null
  #taken = 0
  /** Streams that have begun before their connection stands (RFC 7413). */
  readonly #early = new Set<string>()
  readonly #touched: LinkDirection[] = []

  called(_node: Node, call: HostCall): void {
    const sends = call.kind === 'send' || call.kind === 'send-to'
    this.#offered = sends ? call.bytes : null
  }

  said(node: Node, event: NodeEvent): void {
    switch (event.kind) {
      case 'connected':
      case 'accepted': {
        const s = node.state.sockets[event.socket]
        if (s?.kind !== 'connection' || this.#early.delete(outgoing(s))) return
        this.#streams.set(outgoing(s), { chunks: [], head: 0, offset: 0 })
        return
      }
      case 'fast-open':
        return this.#opens(event)
      case 'queued':
        this.#taken = event.bytes
        return this.#queued(node, event.socket, event.bytes)
      case 'received':
        return this.#received(node, event.socket, event.chunks)
      case 'tcp-state':
        if (event.to === 'CLOSED') this.#forget(node, event.socket)
        return
      default:
    }
  }

  sent(node: Node, link: LinkDirection, frame: EthernetFrame): void {
    this.#touched.push(link)
    if (!node.isHost) return
    const packet = frame.payload
    if (!isIp(packet) || packet.payload.kind !== 'tcp') return
    if (isOwn(node.state, packet.source)) this.#respected(packet, packet.payload)
  }

  /**
   * What the peer offered is read from the segments that it sent: the sender's own variables may
   * be wrong, and within a recorded step they are those of the step before.
   */
  #respected({ source, destination }: IpPacket, segment: TcpSegment): void {
    const { sourcePort, destinationPort, flags, options, payload } = segment
    if (flags & RST) return
    const forth = keyOf(source, sourcePort, destination, destinationPort)
    const back = keyOf(destination, destinationPort, source, sourcePort)
    if (flags & SYN) this.#scales.set(forth, options.windowScale)
    if (flags & ACK) {
      const [ours, theirs] = [this.#scales.get(forth) ?? -1, this.#scales.get(back) ?? -1]
      // RFC 7323 §2.2: a SYN's own window is never scaled, and both have to ask for it.
      const scale = flags & SYN || ours < 0 || theirs < 0 ? 0 : ours
      const offered = seqAdd(segment.ack, segment.window << scale)
      const before = flags & SYN ? undefined : this.#edges.get(back)
      if (before === undefined || seqDiff(offered, before) > 0) this.#edges.set(back, offered)
    } else this.#edges.delete(forth)
    const edge = this.#edges.get(forth)
    // A peer outside this world offers what nobody saw.
    if (payload.length === 0 || edge === undefined) return
    // One byte beyond it is what a probe of a closed window sends (RFC 9293 §3.8.6.1).
    const beyond = seqDiff(seqAdd(segment.seq, payload.length), edge)
    assert(beyond <= 1, `the window is respected: ${forth} sent ${beyond} bytes beyond it`)
  }

  /** Something left the queue of a link, or was dropped from it. */
  departed(link: LinkDirection): void {
    this.#touched.push(link)
  }

  /** After every queue event. */
  afterEvent(): void {
    for (const link of this.#touched) link.assertConserved()
    this.#touched.length = 0
  }

  #queued(node: Node, socket: SocketId, bytes: number): void {
    const offered = this.#offered
    const s = node.state.sockets[socket]
    if (offered === null || s?.kind !== 'connection' || bytes === 0) return
    const key = outgoing(s)
    const stream = this.#streams.get(key) ?? { chunks: [], head: 0, offset: 0 }
    this.#streams.set(key, stream)
    stream.chunks.push(offered.subarray(0, bytes))
  }

  /** Bytes go with a SYN, and may be read before the sender's connection stands. */
  #opens({ outcome, local, remote }: NodeEvent & { readonly kind: 'fast-open' }): void {
    if (outcome !== 'sent' || this.#offered === null) return
    const key = keyOf(local.address, local.port, remote.address, remote.port)
    const chunks = [this.#offered.subarray(0, this.#taken)]
    this.#streams.set(key, { chunks, head: 0, offset: 0 })
    this.#early.add(key)
  }

  /** One end is gone: nobody will read there, and nobody send to it. */
  #forget(node: Node, socket: SocketId): void {
    const s = node.state.sockets[socket]
    if (s?.kind !== 'connection') return
    this.#streams.delete(incoming(s))
    this.#early.delete(outgoing(s))
    this.#edges.delete(outgoing(s))
    this.#scales.delete(outgoing(s))
  }

  #received(node: Node, socket: SocketId, chunks: readonly Bytes[]): void {
    const s = node.state.sockets[socket]
    if (s?.kind !== 'connection') return
    const key = incoming(s)
    const stream = this.#streams.get(key)
    // A peer outside this world sends what nobody saw.
    if (stream === undefined) return
    for (const chunk of chunks) {
      assert(takePrefix(stream, chunk), `delivered bytes are a prefix of sent bytes: ${key}`)
    }
  }
}

interface Stream {
  chunks: Bytes[]
  head: number
  /** How much of `chunks[head]` has been delivered. */
  offset: number
}

function takePrefix(stream: Stream, delivered: Bytes): boolean {
  let at = 0
  while (at < delivered.length) {
    const chunk = stream.chunks[stream.head]
    if (chunk === undefined) return false
    const length = Math.min(chunk.length - stream.offset, delivered.length - at)
    const expected = chunk.subarray(stream.offset, stream.offset + length)
    if (!equalBytes(expected, delivered.subarray(at, at + length))) return false
    at += length
    stream.offset += length
    if (stream.offset < chunk.length) continue
    stream.offset = 0
    stream.head += 1
    if (stream.head < 64) continue
    stream.chunks.splice(0, stream.head)
    stream.head = 0
  }
  return true
}

const outgoing = (s: TcpState): string =>
  keyOf(s.localAddress, s.localPort, s.remoteAddress, s.remotePort)
const incoming = (s: TcpState): string =>
  keyOf(s.remoteAddress, s.remotePort, s.localAddress, s.localPort)

const keyOf = (
  from: TcpState['localAddress'],
  fromPort: number,
  to: TcpState['localAddress'],
  toPort: number,
): string => `${formatIp(from)}:${fromPort} > ${formatIp(to)}:${toPort}`
