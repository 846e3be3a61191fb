import { formatIp } from '../../protocols/address.ts'
import { type Nanos, s } from '../../protocols/time.ts'
import { type Sink, startBulk, startSink } from '../../sim/bulk.ts'
import type { LinkSpec, NodeSpec } from '../../sim/scenario.ts'
import { planNetwork } from '../../sim/topology.ts'
import { World } from '../../sim/world.ts'
import type { TraceObserver } from '../../trace/record.ts'

/** One bulk flow from `a` to `b` over one link, without a clock to wait for. */
export interface FlowPlan {
  readonly tcp: { readonly [option: string]: string | number | boolean }
  readonly link: LinkSpec
  /** What the way to `b` does beyond that. */
  readonly forth?: LinkSpec
  /** Seconds: what is measured begins after `warmUp`, and lasts so long. */
  readonly warmUp: number
  readonly seconds: number
  readonly seed?: string
  /** Timeouts are counted, which takes a trace. */
  readonly count?: boolean
}

export interface FlowFigures {
  /** Bytes a second that the receiving application got. */
  readonly goodput: number
  /** In segments, the average of what was sampled at equal distances. */
  readonly window: number
  /** Microseconds. */
  readonly rtt: number
  readonly retransmissions: number
  /** 0 unless they are counted. */
  readonly timeouts: number
  /** Of all, those that turned out to be needless. */
  readonly spurious: number
  readonly mss: number
}

/** Counts what a connection does by timeout, and what was needless. */
const countInto =
  (counts: { timeouts: number; spurious: number }): TraceObserver =>
  (record) => {
    if (record.kind !== 'event') return
    const { said } = record
    if (said.kind === 'retransmit' && said.cause === 'rto') counts.timeouts += 1
    else if (said.kind === 'spurious') counts.spurious += 1
  }

const PORT = 5000
const SAMPLES = 2000

export function measureFlow(plan: FlowPlan): FlowFigures {
  const { tcp, link, forth = {}, warmUp, seconds, seed = '1' } = plan
  const host: NodeSpec = { kind: 'host', tcp }
  const network = planNetwork({ a: host, b: host }, [
    { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, ...link, to: { b: forth } },
  ])
  const counts = { timeouts: 0, spurious: 0 }
  const world = new World(network, { seed, ...(plan.count ? { observer: countInto(counts) } : {}) })
  const [a, b] = [world.node('a'), world.node('b')]
  const sink: Sink = startSink(b, PORT)
  startBulk(a, { address: b.state.interfaces[0]!.addresses[0]!, port: PORT }, Infinity)
  const from: Nanos = s(warmUp)
  world.runUntil(from)
  const connection = a.state.sockets.find((each) => each?.kind === 'connection')
  if (connection?.kind !== 'connection') throw new Error(`no connection to ${formatIp(0)}`)
  counts.timeouts = counts.spurious = 0
  const before = { bytes: sink.bytes, total: connection.rto.total }
  let windows = 0
  for (let i = 1; i <= SAMPLES; i++) {
    world.runUntil(from + Math.round((i * s(seconds)) / SAMPLES))
    windows += connection.cc.cwnd
  }
  return {
    goodput: (sink.bytes - before.bytes) / seconds,
    window: windows / SAMPLES / connection.mss,
    rtt: connection.rto.srtt / 1000,
    retransmissions: connection.rto.total - before.total,
    ...counts,
    mss: connection.mss,
  }
}
