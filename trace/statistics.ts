import type { Endpoint, IpAddress } from '../protocols/address.ts'
import { type Bytes, u16 } from '../protocols/bytes.ts'
import type { IcmpMessage } from '../protocols/icmp/message.ts'
import { isEchoReply, isEchoRequest, type Icmpv6Message } from '../protocols/icmpv6/message.ts'
import { PROTOCOL_UDP, type TransportPayload } from '../protocols/ipv4/packet.ts'
import { type IpPacket, isIp } from '../protocols/ipv6/packet.ts'
import type { Nanos } from '../protocols/time.ts'
import { UDP_HEADER } from '../protocols/udp/datagram.ts'
import { Counts } from './counts.ts'
import { type FlowSide, FlowTable } from './flows.ts'
import { HostTable } from './hosts.ts'
import { LinkTable } from './links.ts'
import type {
  FrameDeparted,
  FrameDiscarded,
  FrameReceived,
  FrameSent,
  HostSaid,
  NodeEvent,
  TraceObserver,
  TraceRecord,
} from './record.ts'
import { SocketTable } from './sockets.ts'
import type { FlowSummary, HostSummary, LinkSummary } from './summary.ts'

export interface StatisticsOptions {
  /** Bits per second by link direction; one without, or with 0, gets no utilisation. */
  readonly rates?: ReadonlyMap<string, number>
}

type Dropped = Extract<NodeEvent, { readonly kind: 'dropped' }>

/**
 * Builds the figures of a run from its records. A segment counts once, where it originates: the
 * first node that is seen to send from an address owns it, and everybody else forwards.
 */
export class TraceStatistics {
  readonly #rates: ReadonlyMap<string, number>
  readonly #links = new LinkTable()
  readonly #flows = new FlowTable()
  readonly #sockets = new SocketTable()
  readonly #dropsByHost = new Map<string, Counts>()
  readonly #owners = new Map<IpAddress, string>()
  readonly #hostDrops = new Counts()
  #arrived: FrameReceived | null = null
  /** When a frame last left or arrived. */
  lastFrameAt: Nanos = 0

  constructor(options: StatisticsOptions = {}) {
    this.#rates = options.rates ?? new Map<string, number>()
  }

  readonly observer: TraceObserver = (record: TraceRecord): void => {
    switch (record.kind) {
      case 'sent':
        this.lastFrameAt = record.at
        this.#links.sent(record)
        this.#sent(record)
        return
      case 'departed':
        this.#links.departed(record)
        if (record.dropped !== null) this.#lost(record, record.dropped)
        return
      case 'discarded':
        this.#links.discarded(record)
        this.#lost(record, record.why)
        return
      case 'marked':
        this.#links.marked(record.link)
        return
      case 'received':
        this.lastFrameAt = record.at
        this.#links.received(record)
        this.#arrived = record
        this.#received(record)
        return
      case 'event':
        this.#said(record)
        return
      case 'call':
      case 'fault':
        return
    }
  }

  /** TCP connections, UDP pairs and echo exchanges, in the order in which they began. */
  flows(): FlowSummary[] {
    return this.#flows.flows.map((flow) => flow.summary())
  }

  /** Link directions. `elapsed`: over which they were used, by default up to the last frame. */
  links(elapsed: Nanos = this.lastFrameAt): LinkSummary[] {
    return this.#links.summaries(this.#rates, elapsed)
  }

  /** Hosts, routers and switches that did anything, by name. */
  hosts(): HostSummary[] {
    const hosts = new HostTable()
    this.#links.countInto(hosts)
    for (const [name, drops] of this.#dropsByHost) hosts.dropped(name, drops)
    return hosts.summaries()
  }

  /** Everything that hosts let go, by node and reason, whether it belongs to a flow or not. */
  hostDrops(): { [name: string]: number } {
    return this.#hostDrops.sorted()
  }

  #sent(record: FrameSent): void {
    const packet = record.frame.payload
    if (!isIp(packet)) return
    let owner = this.#owners.get(packet.source)
    if (owner === undefined) {
      owner = record.node
      this.#owners.set(packet.source, owner)
    }
    const originates = owner === record.node
    if (!originates && record.dropped === null) return
    const side = this.#sideOf(packet, originates ? record.at : null)
    if (side === null) return
    if (originates) this.#originates(record, packet, side)
    if (record.dropped !== null) {
      side.flow.ends[side.end].drops.add(`${record.dropped} on ${record.link}`)
    }
  }

  /** Later than it was sent. */
  #lost(record: FrameDeparted | FrameDiscarded, why: string): void {
    const packet = record.frame.payload
    const side = isIp(packet) ? this.#sideOf(packet, null) : null
    if (side !== null) side.flow.ends[side.end].drops.add(`${why} on ${record.link}`)
  }

  #originates(record: FrameSent, packet: IpPacket, side: FlowSide): void {
    const { flow } = side
    const end = flow.ends[side.end]
    const payload = packet.payload
    const bytes = dataBytes(payload)
    flow.lastAt = record.at
    end.node ??= record.node
    end.segments += 1
    end.payloadBytes += bytes
    if (bytes > 0) end.dataSegments += 1
    if (payload.kind === 'tcp') this.#sockets.sent(record, payload.seq, end)
    if (payload.kind === 'icmp' || payload.kind === 'icmpv6')
      this.#echoSent(record.at, payload, side)
  }

  #echoSent(at: Nanos, message: IcmpMessage | Icmpv6Message, side: FlowSide): void {
    if (isEchoRequest(message)) side.flow.echoes.set(message.sequence, at)
    else {
      // A reply proves that the request's data arrived.
      const end = side.flow.ends[side.end]
      end.receivedBytes += message.data.length
      end.lastReceivedAt = at
    }
  }

  #received(record: FrameReceived): void {
    const packet = record.frame.payload
    if (!isIp(packet)) return
    const payload = packet.payload
    if (payload.kind !== 'icmp' && payload.kind !== 'icmpv6') return
    if (!isEchoReply(payload)) return
    if (this.#owners.get(packet.destination) !== record.node) return
    const side = this.#sideOf(packet, null)
    if (side === null) return
    const { flow } = side
    flow.lastAt = record.at
    // A second copy of a reply tells nothing new.
    const left = flow.echoes.get(payload.sequence)
    if (left === undefined) return
    const requester = flow.ends[side.end === 0 ? 1 : 0]
    requester.receivedBytes += payload.data.length
    requester.lastReceivedAt = record.at
    requester.rtt.add(record.at - left)
    flow.echoes.delete(payload.sequence)
  }

  #said(record: HostSaid): void {
    const said = record.said
    switch (said.kind) {
      case 'connected':
      case 'accepted':
        this.#attach(record, said.socket, said.local, said.remote)
        return
      case 'datagram': {
        const { remote, local } = said
        const side = this.#flows.find('udp', remote.address, remote.port, local.address, local.port)
        if (side === null) return
        const receiver = side.flow.ends[side.end === 0 ? 1 : 0]
        receiver.node ??= record.node
        receiver.receivedBytes += said.payload.length
        receiver.lastReceivedAt = record.at
        return
      }
      case 'dropped':
        this.#dropped(record, said)
        return
      default:
        this.#sockets.said(record, said)
    }
  }

  #attach(record: HostSaid, socket: number, local: Endpoint, remote: Endpoint): void {
    const side = this.#flows.findOrAdd(
      'tcp',
      local.address,
      local.port,
      remote.address,
      remote.port,
      record.at,
    )
    const end = side.flow.ends[side.end]
    end.node ??= record.node
    this.#sockets.attach(record.node, socket, end)
  }

  #dropped(record: HostSaid, said: Dropped): void {
    this.#hostDrops.add(`${said.why} at ${record.node}`)
    const drops = this.#dropsByHost.get(record.node) ?? new Counts()
    this.#dropsByHost.set(record.node, drops)
    drops.add(said.why)
    // What a switch floods reaches others too, which is no loss of the flow.
    if (said.why === 'ethernet not for us') return
    const packet = isIp(said.packet) ? said.packet : this.#arrivedIp(record)
    if (packet === null) return
    const side = this.#sideOf(packet, null)
    if (side !== null) side.flow.ends[side.end].drops.add(`${said.why} at ${record.node}`)
  }

  /** Above IP a packet no longer knows its addresses: the frame that brought it does. */
  #arrivedIp(record: HostSaid): IpPacket | null {
    const arrived = this.#arrived
    if (arrived === null || arrived.event !== record.event || arrived.node !== record.node) {
      return null
    }
    return isIp(arrived.frame.payload) ? arrived.frame.payload : null
  }

  /** `begin`: when a flow that is not known begins; `null` for not at all. */
  #sideOf(packet: IpPacket, begin: Nanos | null): FlowSide | null {
    const { source, destination, payload } = packet
    const flows = this.#flows
    switch (payload.kind) {
      case 'tcp':
      case 'udp': {
        const { kind, sourcePort, destinationPort } = payload
        return begin === null
          ? flows.find(kind, source, sourcePort, destination, destinationPort)
          : flows.findOrAdd(kind, source, sourcePort, destination, destinationPort, begin)
      }
      case 'icmp':
      case 'icmpv6': {
        if (!isEchoRequest(payload) && !isEchoReply(payload)) return null
        const id = payload.identifier
        return begin === null
          ? flows.find('icmp', source, id, destination, id)
          : flows.findOrAdd('icmp', source, id, destination, id, begin)
      }
      case 'malformed': {
        // Damage elsewhere leaves the ports readable; damage to them finds no flow.
        const { protocol, bytes } = payload
        if ((protocol !== 'tcp' && protocol !== 'udp') || bytes.length < 4) return null
        return flows.find(protocol, source, u16(bytes, 0), destination, u16(bytes, 2))
      }
      case 'opaque':
        return this.#firstPieceSide(packet, payload.bytes, begin)
    }
  }

  /** Of a datagram in pieces the first one shows its ports: it stands for all of them. */
  #firstPieceSide(packet: IpPacket, bytes: Bytes, begin: Nanos | null): FlowSide | null {
    if (!isFirstPiece(packet) || packet.protocol !== PROTOCOL_UDP) return null
    const { source, destination } = packet
    const [from, to] = [u16(bytes, 0), u16(bytes, 2)]
    return begin === null
      ? this.#flows.find('udp', source, from, destination, to)
      : this.#flows.findOrAdd('udp', source, from, destination, to, begin)
  }
}

const isFirstPiece = ({ details, payload }: IpPacket): boolean =>
  details.moreFragments && details.fragmentOffset === 0 && payload.size >= UDP_HEADER

/** What the application gave; of a datagram in pieces as much as its header says. */
function dataBytes(payload: TransportPayload): number {
  switch (payload.kind) {
    case 'icmp':
    case 'icmpv6':
      return payload.data.length
    case 'tcp':
    case 'udp':
      return payload.payload.length
    case 'opaque':
      return Math.max(u16(payload.bytes, UDP_LENGTH) - UDP_HEADER, 0)
    case 'malformed':
      return 0
  }
}

const UDP_LENGTH = 4
