import { formatIp, type IpAddress } from '../protocols/address.ts'
import type { FlowProtocol } from '../protocols/host/socket.ts'
import type { RetransmitCause } from '../protocols/tcp/state.ts'
import type { Nanos } from '../protocols/time.ts'
import { Counts } from './counts.ts'
import type { DirectionSummary, EndSummary, FlowSummary, RttSummary } from './summary.ts'

/** Round-trip times: enough of them for minimum, mean and maximum. */
export class RttFigures {
  samples = 0
  min: Nanos = Infinity
  max: Nanos = 0
  sum = 0

  add(rtt: Nanos): void {
    this.samples += 1
    this.sum += rtt
    if (rtt < this.min) this.min = rtt
    if (rtt > this.max) this.max = rtt
  }

  merge(other: RttFigures): void {
    this.samples += other.samples
    this.sum += other.sum
    if (other.min < this.min) this.min = other.min
    if (other.max > this.max) this.max = other.max
  }
}

/** One end of a flow: what it sent, and what its application received. */
export class FlowEnd {
  readonly address: IpAddress
  readonly port: number
  node: string | null = null
  segments = 0
  dataSegments = 0
  payloadBytes = 0
  receivedBytes = 0
  lastReceivedAt: Nanos = 0
  spurious = 0
  readonly again: { [cause in RetransmitCause]: number } = {
    rto: 0,
    fast: 0,
    rack: 0,
    tlp: 0,
    probe: 0,
    mtu: 0,
  }
  readonly rtt = new RttFigures()
  /** Of what this end sent. */
  readonly drops = new Counts()

  constructor(address: IpAddress, port: number) {
    this.address = address
    this.port = port
  }
}

/** Two ends that talk; `ends[0]` was heard first. */
export class Flow {
  readonly protocol: FlowProtocol
  readonly ends: readonly [FlowEnd, FlowEnd]
  readonly firstAt: Nanos
  lastAt: Nanos
  /** When each echo request left, by sequence number. */
  readonly echoes = new Map<number, Nanos>()

  constructor(protocol: FlowProtocol, from: FlowEnd, to: FlowEnd, at: Nanos) {
    this.protocol = protocol
    this.ends = [from, to]
    this.firstAt = at
    this.lastAt = at
  }

  summary(): FlowSummary {
    return {
      protocol: this.protocol,
      from: endSummary(this.ends[0]),
      to: endSummary(this.ends[1]),
      firstNanos: this.firstAt,
      lastNanos: this.lastAt,
      forward: directionSummary(this, this.ends[0], this.ends[1]),
      backward: directionSummary(this, this.ends[1], this.ends[0]),
    }
  }
}

/** A flow and which of its ends a packet comes from. */
export interface FlowSide {
  readonly flow: Flow
  readonly end: 0 | 1
}

/** All flows of a run, found by both ends' addresses and ports in either order. */
export class FlowTable {
  readonly #byHash = new Map<number, { forward: FlowSide; backward: FlowSide }[]>()
  readonly flows: Flow[] = []

  find(
    protocol: FlowProtocol,
    source: IpAddress,
    sourcePort: number,
    destination: IpAddress,
    destinationPort: number,
  ): FlowSide | null {
    const chain = this.#byHash.get(
      flowHash(protocol, source, sourcePort, destination, destinationPort),
    )
    if (chain === undefined) return null
    for (const sides of chain) {
      const { flow } = sides.forward
      if (flow.protocol !== protocol) continue
      const [a, b] = flow.ends
      const fromA = isEnd(a, source, sourcePort) && isEnd(b, destination, destinationPort)
      if (fromA) return sides.forward
      if (isEnd(b, source, sourcePort) && isEnd(a, destination, destinationPort)) {
        return sides.backward
      }
    }
    return null
  }

  findOrAdd(
    protocol: FlowProtocol,
    source: IpAddress,
    sourcePort: number,
    destination: IpAddress,
    destinationPort: number,
    at: Nanos,
  ): FlowSide {
    const found = this.find(protocol, source, sourcePort, destination, destinationPort)
    if (found !== null) return found
    const from = new FlowEnd(source, sourcePort)
    const to = new FlowEnd(destination, destinationPort)
    const flow = new Flow(protocol, from, to, at)
    const sides = { forward: { flow, end: 0 }, backward: { flow, end: 1 } } as const
    const hash = flowHash(protocol, source, sourcePort, destination, destinationPort)
    const chain = this.#byHash.get(hash)
    if (chain === undefined) this.#byHash.set(hash, [sides])
    else chain.push(sides)
    this.flows.push(flow)
    return sides.forward
  }
}

const isEnd = (end: FlowEnd, address: IpAddress, port: number): boolean =>
  end.port === port && end.address === address

/** The same for both directions: sums do not care for the order. */
function flowHash(
  protocol: FlowProtocol,
  source: IpAddress,
  sourcePort: number,
  destination: IpAddress,
  destinationPort: number,
): number {
  const addresses = (addressHash(source) + addressHash(destination)) | 0
  const ports = (sourcePort * sourcePort + destinationPort * destinationPort) | 0
  return Math.imul(addresses ^ Math.imul(ports, 0x85ebca6b), 0xc2b2ae35) ^ protocol.length
}

function addressHash(address: IpAddress): number {
  if (typeof address === 'number') return Math.imul(address, 0x9e3779b1)
  let hash = 0
  for (let i = 0; i < address.length; i++) hash = Math.imul(hash, 31) + address.charCodeAt(i)
  return hash | 0
}

const endSummary = (end: FlowEnd): EndSummary => ({
  node: end.node,
  address: formatIp(end.address),
  port: end.port,
})

function directionSummary(flow: Flow, from: FlowEnd, to: FlowEnd): DirectionSummary {
  const span = to.lastReceivedAt - flow.firstAt
  return {
    deliveredBytes: to.receivedBytes,
    goodput: span > 0 ? Math.round((to.receivedBytes * 8e9) / span) : 0,
    segments: from.segments,
    dataSegments: from.dataSegments,
    payloadBytes: from.payloadBytes,
    retransmissions: { ...from.again, spurious: from.spurious },
    rtt: rttSummary(from.rtt),
    drops: from.drops.sorted(),
  }
}

const rttSummary = (rtt: RttFigures): RttSummary | null =>
  rtt.samples === 0
    ? null
    : {
        samples: rtt.samples,
        minNanos: rtt.min,
        avgNanos: Math.round(rtt.sum / rtt.samples),
        maxNanos: rtt.max,
      }
