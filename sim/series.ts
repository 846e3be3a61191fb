import { isIp } from '../protocols/ipv6/packet.ts'
import { formatIp, type IpAddress } from '../protocols/address.ts'
import { findConnection, NO_SOCKET } from '../protocols/host/demux.ts'
import type { SocketId } from '../protocols/host/socket.ts'
import { seqDiff } from '../protocols/sequence.ts'
import { NO_THRESHOLD } from '../protocols/tcp/congestion/congestion.ts'
import { pacingRate } from '../protocols/tcp/pacing.ts'
import type { TcpState } from '../protocols/tcp/state.ts'
import type { Nanos } from '../protocols/time.ts'
import type { TraceRecord } from '../trace/record.ts'
import { SeriesChanges, type SeriesObserver, type SeriesValues } from '../trace/series.ts'
import { QueueSeries } from '../trace/series-queue.ts'
import { Monitor } from './monitor.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/**
 * Series of a whole world. It notes from the records which connections a step has touched, and looks
 * at those when the step is over: engines say nothing for it, and a run that wants no series has
 * none of this.
 */
export class WorldSeries extends Monitor {
  readonly #changes: SeriesChanges
  readonly #queues: QueueSeries
  #world: World | null = null
  readonly #nodes = new Map<string, Node>()
  readonly #owners = new Map<IpAddress, string>()
  readonly #names = new WeakMap<object, string>()
  /** Connections that the current step has touched. */
  #touched: { readonly node: Node; readonly socket: SocketId }[] = []
  #touchedAt: Nanos = 0

  constructor(observer: SeriesObserver) {
    super()
    this.#changes = new SeriesChanges(observer)
    this.#queues = new QueueSeries(this.#changes)
  }

  /** Names nodes and addresses. Before the first event. */
  watch(world: World): void {
    this.#world = world
    for (const node of world.nodes) {
      this.#nodes.set(node.name, node)
      if (!node.isHost) continue
      for (const each of node.state.interfaces) {
        for (const address of each.addresses) this.#owners.set(address, node.name)
      }
    }
  }

  readonly observer = (record: TraceRecord): void => {
    // What programs did between two events was done at the time of the first.
    if (record.at > this.#touchedAt) this.#look()
    this.#queues.observe(record)
    const node = this.#nodes.get(record.node)
    if (node === undefined || !node.isHost) return
    this.#touchedAt = record.at
    switch (record.kind) {
      case 'event':
        if ('socket' in record.said) this.#touch(node, record.said.socket)
        return
      case 'call':
        if ('socket' in record.call) this.#touch(node, record.call.socket)
        return
      case 'sent':
      case 'received': {
        const packet = record.frame.payload
        if (!isIp(packet) || packet.payload.kind !== 'tcp') return
        const { source, destination } = packet
        const { sourcePort, destinationPort } = packet.payload
        const { tcp } = node.state
        const socket =
          record.kind === 'sent'
            ? findConnection(tcp, sourcePort, destinationPort, destination, source)
            : findConnection(tcp, destinationPort, sourcePort, source, destination)
        if (socket !== NO_SOCKET) this.#touch(node, socket)
        return
      }
      default:
    }
  }

  override afterEvent(): void {
    super.afterEvent()
    this.#look()
  }

  /** Says what is left to say, up to the end of the run. */
  end(): void {
    this.#look()
    if (this.#world !== null) this.#queues.advance(this.#world.now)
  }

  #touch(node: Node, socket: SocketId): void {
    const last = this.#touched.at(-1)
    if (last?.node !== node || last.socket !== socket) this.#touched.push({ node, socket })
  }

  #look(): void {
    if (this.#touched.length === 0) return
    const touched = this.#touched
    this.#touched = []
    for (const { node, socket } of touched) {
      const s = node.isHost ? node.state.sockets[socket] : null
      // Before the handshake is over there is no window to speak of.
      if (s?.kind !== 'connection' || s.cc.cwnd === 0) continue
      this.#changes.sample(this.#touchedAt, this.#nameOf(node, s), valuesOf(s))
    }
  }

  #nameOf(node: Node, s: TcpState): string {
    // Where states are recorded each is a new object, and the name is made again.
    let name = this.#names.get(s)
    if (name === undefined) {
      const peer = this.#owners.get(s.remoteAddress) ?? formatIp(s.remoteAddress)
      name = `tcp ${node.name}:${s.localPort} > ${peer}:${s.remotePort}`
      this.#names.set(s, name)
    }
    return name
  }
}

function valuesOf(s: TcpState): SeriesValues {
  const { snd, cc, rto } = s
  const rate = cc.pacer === null ? 0 : pacingRate(s, cc.pacer)
  return {
    cwnd: cc.cwnd,
    ...(cc.ssthresh === NO_THRESHOLD ? {} : { ssthresh: cc.ssthresh }),
    ...(rate > 0 ? { pacingRate: Math.round(rate) } : {}),
    ...(rto.srtt < 0 ? {} : { srtt: Math.round(rto.srtt) }),
    rto: rto.rto,
    flight: seqDiff(snd.max, snd.una),
  }
}
