import type { Nanos } from '../protocols/time.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import type { TraceRecord } from '../trace/record.ts'
import type { StoredFile } from './files.ts'
import type { Param, ParamValues } from './params.ts'
import type { Host } from './programs.ts'
import type { Outcome } from './outcome.ts'
import type { QueueSpec } from './queue/parse-queue.ts'

/** A quantity as people write it (`'10ms'`, `'1.5Mbit'`, `'64KiB'`, `'1%'`), or as a plain number
 * in the base unit: nanoseconds, bits per second, bytes, a ratio from 0 to 1. */
export type Quantity = string | number

/** One direction of a link. Names as in netem. */
export interface LinkSpec {
  delay?: Quantity
  /** How far the delay spreads, and a correlation: `'2ms'`, `'2ms 25%'`. Order is kept. */
  jitter?: Quantity
  /** How it spreads: uniform, ± the jitter, unless said otherwise. */
  distribution?: DistributionSpec
  /** `false`: frames may overtake each other by their jitter. */
  keepOrder?: boolean
  /** `'1%'`, `'1% 25%'` with a correlation, `'gemodel p r 1-h 1-k'`, `'state p13 p31 p32 p23 p14'`. */
  loss?: Quantity
  duplicate?: Quantity
  /** This share skips the delay and may overtake: `'25%'`, `'25% 50% gap 5'`, `'gap 5'`. */
  reorder?: Quantity
  corrupt?: Quantity
  /** Bits per second; unset means that serialisation takes no time. */
  rate?: Quantity
  /** When frames may leave, in the place of `rate`: a packet-delivery trace as Mahimahi has them. */
  trace?: TraceSpec
  /** Frames come out together: `'10ms 20ms packets 5 bytes 3000B'`; `'none'` without slots. */
  slot?: Quantity
  /** What may wait for the rate, `'100 frames'` or `'64KiB'`, or who decides: `'codel ecn'`. */
  queue?: QueueSpec
  /** The largest Ethernet payload, bytes. */
  mtu?: Quantity
  /** Forced drops: `'3rd data segment'`, a list of frame numbers counted from 1, or a predicate. */
  drop?: DropSpec | readonly DropSpec[]
  /** What changes for frames sent from a time on: `[{ at: '5s', rate: '1Mbit', loss: '10%' }]`. */
  schedule?: readonly ScheduleEntry[]
}
export interface ScheduleEntry extends Omit<LinkSpec, 'schedule'> {
  at: Quantity
}
/** A name, entries in 1/8192 of the jitter, or a file of such entries as tc(8) reads them. */
export type DistributionSpec =
  | 'uniform'
  | 'normal'
  | 'pareto'
  | 'paretonormal'
  | readonly number[]
  | StoredFile
/** One millisecond a line or entry, at which 1500 bytes may leave. */
export type TraceSpec = string | readonly number[] | StoredFile
export type DropSpec =
  | string
  | readonly number[]
  | ((frame: EthernetFrame, index: number) => boolean)

/** One end of a link: an address, several, none, or what it has to do with VLANs. */
export type EndSpec = string | readonly string[] | null | HostEndSpec | SwitchEndSpec

/** A host or router on a trunk: an interface for each VLAN. */
export interface HostEndSpec {
  /** `{ 10: '10.0.10.1/24' }`: by VLAN, as an end without VLANs would have it. */
  readonly vlans?: { readonly [id: string]: string | readonly string[] | null }
  /** What has no tag. */
  readonly untagged?: string | readonly string[] | null
}

/** A port of a switch. Others of the same switch that say nothing are in VLAN 1. */
export interface SwitchEndSpec {
  /** In one VLAN, without tags. */
  readonly access?: number
  /** Carries these with their tags. */
  readonly trunk?: readonly number[] | 'all'
  /** Of a trunk: this one without a tag. Default: none. */
  readonly native?: number
}

/** A link between two nodes: each end with its address, `null` where it has none. */
export interface LinkBetween extends LinkSpec {
  ends: { readonly [node: string]: EndSpec }
  /** What differs towards one of the ends: `{ to: { b: { loss: '1%' } } }`. */
  to?: { readonly [node: string]: LinkSpec }
}

export type NodeSpec =
  | 'host'
  | 'router'
  | 'switch'
  | 'hub'
  | HostSpec
  | SwitchSpec
  | { readonly kind: 'hub' }

export interface HostSpec {
  readonly kind: 'host' | 'router'
  /** The default gateway. A host with one link to a router needs none written down. */
  readonly gateway?: string
  /** `'10.2.0.0/16 via 10.255.0.2'`. */
  readonly routes?: readonly string[]
  /** TCP policy changed from the default. */
  readonly tcp?: { readonly [option: string]: Quantity | boolean }
  /** How it comes by its addresses (RFC 5227). Default `'off'`: they are simply its own. */
  readonly arp?: ArpSpec
  /** How it comes by its IPv6 addresses, and what a router tells of itself. Default `'static'`. */
  readonly ipv6?: Ipv6Spec
  /** A clock that is not the world's. */
  readonly clock?: ClockSpec
  /**
   * A TUN: an interface with this address whose other end is a program on the host, which may hand on
   * what is routed there (`twinwire tunnel carry` does). `routes` lead to it by an address of its network.
   */
  readonly tun?: string | readonly string[]
  /** Routers: those behind it share one address (RFC 4787); names the node on the outside. */
  readonly nat?: string | NatSpec
}

/** Network address translation of a router. */
export interface NatSpec {
  /** The node at the far end of the link that leads outside. */
  readonly outside: string
  /** Who may send in. Default `'address-and-port-dependent'`. */
  readonly filtering?: 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'
  /** Default 5 minutes after what went out last. */
  readonly udpTimeout?: Quantity
  /** Default 2 hours 4 minutes. */
  readonly tcpTimeout?: Quantity
  /** Before and after a connection stands. Default 4 minutes. */
  readonly tcpTransitory?: Quantity
  /** Default 1 minute. */
  readonly icmpTimeout?: Quantity
  /** Default 16,384. */
  readonly mappingsMax?: Quantity
}

/** How far a host's clock is off at the start, and what it gains: `'-5ms'`, `'50ppm'`. */
export interface ClockSpec {
  readonly skew?: Quantity
  readonly drift?: Quantity
}

/** A learning switch. Its ports have no addresses. */
export interface SwitchSpec {
  readonly kind: 'switch'
  /** How long an address counts that is not heard of again; `'300s'` unless given. */
  readonly ageing?: Quantity
  /** How many addresses it can remember; 1024 unless given. */
  readonly tableSize?: Quantity
}

export type Topology = { readonly [node: string]: NodeSpec }

export type ArpSpec = 'off' | 'probe' | 'announce' | ClaimSpec
export interface ClaimSpec {
  /** `'probe'`: make sure that nobody has the address, then announce it; or announce it alone. */
  readonly method?: 'probe' | 'announce'
  /** How long it is kept when another station claims it. Default `'once'`: one defence in 10 s. */
  readonly defend?: 'never' | 'once' | 'always'
  /** When the node's interfaces come up. Default: at once. */
  readonly from?: Quantity
}

/**
 * `'static'`: addresses that are written down are its own. `'dad'`: it makes sure first that nobody
 * has them (RFC 4862). `'auto'`: it also takes addresses and routers from advertisements.
 */
export type Ipv6Spec = 'static' | 'dad' | 'auto' | Ipv6Choices
export interface Ipv6Choices {
  readonly addresses?: 'static' | 'dad' | 'auto'
  /** Routers: hosts are told of it and of the networks of its links (RFC 4861 §6.2). */
  readonly advertise?: boolean | AdvertiseSpec
}
export interface AdvertiseSpec {
  /** At most so long between two advertisements; `'600s'` unless given. */
  readonly interval?: Quantity
  /** How long it is a default router; three intervals unless given. */
  readonly lifetime?: Quantity
  /** How long addresses made of its prefixes are preferred (7 days), and valid at all (30 days). */
  readonly preferred?: Quantity
  readonly valid?: Quantity
}

/** What runs on a host, against the socket API. It ends when its promise settles. */
export type Program = (host: Host) => Promise<void> | void

/** What is done to the network: one of these. */
export interface FaultActionSpec {
  /** One direction, `a>b`, or both, `a-b`; with one of `set`, `down`, `up`, `hold`, `release`. */
  readonly link?: string
  /** What changes for frames sent from then on. */
  readonly set?: LinkSpec
  /** Frames sent from then on are lost; those on their way arrive. */
  readonly down?: true
  readonly up?: true
  /** Frames wait at the far end, and arrive together on release. */
  readonly hold?: true
  readonly release?: true
  /** Groups of nodes: every link between two groups goes down. */
  readonly partition?: readonly (readonly string[])[]
  /** Only towards the first group. */
  readonly oneWay?: true
  /** Every link up, nothing held. */
  readonly heal?: true
  /** Hosts, by name. `restart` crashes first where the host is up. */
  readonly crash?: string
  readonly restart?: string
  readonly pause?: string
  readonly resume?: string
}

/** A fault: what is done, and when. */
export interface Fault extends FaultActionSpec {
  readonly at?: Quantity
  /** Again and again: first at `from` (by default after one interval), `until` at the latest. */
  readonly every?: Quantity
  readonly from?: Quantity
  readonly until?: Quantity
  /** `'first retransmit on a'`, `'state ESTABLISHED on b'`, or a predicate over the trace. */
  readonly when?: string | ((record: TraceRecord) => boolean)
  /** How long after `when`. */
  readonly after?: Quantity
  /** How often `when` may strike; once by default. */
  readonly times?: number
  /** Mended after this span. */
  readonly for?: Quantity
  readonly random?: RandomFaults
}

/** Faults at random times, drawn from a stream of their own. */
export interface RandomFaults {
  /** The mean pause between two of them: uniform from 0 to twice this. */
  readonly every: Quantity
  /** The shortest and the longest. */
  readonly for: readonly [Quantity, Quantity]
  readonly of: readonly FaultActionSpec[]
  readonly from?: Quantity
  /** All are mended by then. */
  readonly until: Quantity
  /** Names the stream; `'faults'` by default. */
  readonly name?: string
}

/** A condition on how a run ended, with the sentence that is printed when it does not hold. */
export interface Expectation {
  readonly that: string
  readonly holds: boolean
  /** What was the case instead. */
  readonly actual?: string
}

/** Bounds of a figure, in its own unit. */
export interface Limits {
  readonly equals?: string | number
  readonly below?: Quantity
  readonly above?: Quantity
  readonly atMost?: Quantity
  readonly atLeast?: Quantity
}

/** A condition as data: one figure, and what it has to be. */
export interface ExpectationSpec extends Limits {
  /** What a program noted. */
  readonly note?: string
  /** What a program sampled: `percentile` of it, by default the maximum. */
  readonly sample?: string
  readonly percentile?: number
  /** What a program marked: that it happened, `within` a span of the start, or of `after`. */
  readonly mark?: string
  readonly within?: Quantity
  /** `'faults'` for the end of the last fault, or another mark. */
  readonly after?: string
  /** Delivered bits per second of all flows from one node to another, `a>b`. */
  readonly goodput?: string
  /** Segments sent again by all flows from one node to another, `a>b`, or `all`. */
  readonly retransmissions?: string
  /** A share of a link direction's rate, `a>b`. */
  readonly utilisation?: string
  /** Frames that a link direction let go. */
  readonly drops?: string
}

export type Given<P, T> = T | ((params: P) => T)

export interface ScenarioSpec<P extends { readonly [name: string]: Param }> {
  readonly name: string
  /** A paragraph: what it shows and what to try. The first sentence stands in lists. */
  readonly about?: string
  readonly params?: P
  readonly topology: Given<ParamValues<P>, Topology>
  readonly links: Given<ParamValues<P>, readonly LinkBetween[]>
  readonly programs?: Given<
    ParamValues<P>,
    { readonly [node: string]: Program | readonly Program[] }
  >
  readonly faults?: Given<ParamValues<P>, readonly Fault[]>
  /** When to stop at the latest. Without it the run ends when nothing is left to do. */
  readonly until?: Given<ParamValues<P>, Quantity>
  /** What must hold at the end: conditions as data, or worked out from the outcome. */
  readonly expect?:
    | readonly ExpectationSpec[]
    | ((outcome: Outcome, params: ParamValues<P>) => readonly (Expectation | ExpectationSpec)[])
}

export interface Scenario {
  readonly spec: ScenarioSpec<{ readonly [name: string]: Param }>
}

/** Declares a scenario. The parameters' types follow from `params`. */
export function defineScenario<const P extends { readonly [name: string]: Param }>(
  spec: ScenarioSpec<P>,
): Scenario {
  return { spec: spec as unknown as Scenario['spec'] }
}

export type { Nanos }
