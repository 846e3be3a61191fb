import type { ClaimPolicy } from '../protocols/arp/claim.ts'
import { SWITCH_AGEING, SWITCH_TABLE_SIZE } from '../protocols/ethernet/switch.ts'
import type { Nanos } from '../protocols/time.ts'
import type { ClockSpec, HostSpec, NatSpec, NodeSpec, Quantity, SwitchSpec } from './scenario.ts'
import { didYouMean } from './suggest.ts'
import { readArp } from './topology-arp.ts'
import { type Ipv6Plan, readIpv6 } from './topology-ipv6.ts'
import { unknownKey } from './topology-links.ts'
import { readTcpOptions, type TcpPlan } from './topology-tcp.ts'
import { parseCount, parseDrift, parseDuration, parseSignedDuration } from './units.ts'
import { type Refusal, UserError, isRefusal, refused } from './user-error.ts'

export type NodeKind = 'host' | 'router' | 'switch' | 'hub'

/** What each kind of node may have beside its kind. */
export const NODE_KEYS: { readonly [Kind in NodeKind]: readonly string[] } = {
  host: ['kind', 'gateway', 'routes', 'tcp', 'arp', 'ipv6', 'clock', 'tun'],
  router: ['kind', 'gateway', 'routes', 'tcp', 'arp', 'ipv6', 'clock', 'tun', 'nat'],
  switch: ['kind', 'ageing', 'tableSize'],
  hub: ['kind'],
}
export const NODE_KINDS = Object.keys(NODE_KEYS) as readonly NodeKind[]

/** The names of links are made of these. */
export const NODE_NAME = /^[a-z][\w.-]*$/i

export interface Switching {
  readonly ageing: Nanos
  /** Addresses. */
  readonly tableSize: number
}

/** A clock of a host's own: how far off it starts, and what it gains in a second. */
export interface ClockPlan {
  readonly skew: Nanos
  /** Parts per billion. */
  readonly drift: number
}

export interface ReadNode {
  readonly name: string
  readonly kind: NodeKind
  /** It joins its links into one network, and has no addresses. */
  readonly bridging: boolean
  readonly forwarding: boolean
  readonly gateway: string | undefined
  readonly routes: readonly string[]
  readonly tcp: TcpPlan
  /** `null`: its addresses are simply its own. */
  readonly claim: ClaimPolicy | null
  readonly ipv6: Ipv6Plan
  /** `null`: its clock shows the world's time. */
  readonly clock: ClockPlan | null
  /** As written; the links say what it means. */
  readonly nat: string | NatSpec | null
  /** The addresses of its TUN, as written; `null`: it has none. */
  readonly tun: string | readonly string[] | null
  /** `null` unless it is a switch. */
  readonly switching: Switching | null
}

/**
 * Reads what is written about a node itself.
 *
 * @throws UserError for a name, a kind, a key or a value that cannot be right.
 */
export function readNode(name: string, written: NodeSpec): ReadNode {
  const where = `node ${name}`
  if (!NODE_NAME.test(name)) {
    throw new UserError(`'${name}' cannot be the name of a node`, {
      word: name,
      hint: 'expected a letter, then letters, digits, dots, hyphens and underscores',
    })
  }
  const spec = typeof written === 'string' ? { kind: written } : written
  const kind = readKind(spec.kind, where)
  for (const key of Object.keys(spec)) {
    if (!NODE_KEYS[kind].includes(key)) throw unknownKey(key, NODE_KEYS[kind], where)
  }
  const host: Partial<HostSpec> = kind === 'host' || kind === 'router' ? (spec as HostSpec) : {}
  return {
    name,
    kind,
    bridging: kind === 'switch' || kind === 'hub',
    forwarding: kind === 'router',
    gateway: host.gateway,
    routes: host.routes ?? [],
    tcp: readTcpOptions(host.tcp ?? {}, where),
    claim: readArp(host.arp, where),
    ipv6: readIpv6(host.ipv6, kind === 'router', where),
    clock: host.clock === undefined ? null : readClock(host.clock, where),
    nat: host.nat ?? null,
    tun: host.tun ?? null,
    switching: kind === 'switch' ? readSwitching(spec as SwitchSpec, where) : null,
  }
}

function readKind(kind: string, where: string): NodeKind {
  const known = NODE_KINDS.find((candidate) => candidate === kind)
  if (known !== undefined) return known
  const hint = didYouMean(kind, NODE_KINDS)
  throw new UserError(`'${kind}' is not a kind of node`, { where, word: kind, hint })
}

const CLOCK_KEYS = ['skew', 'drift']

function readClock(spec: ClockSpec, where: string): ClockPlan {
  for (const key of Object.keys(spec)) {
    if (!CLOCK_KEYS.includes(key)) throw unknownKey(key, CLOCK_KEYS, `${where}: clock`)
  }
  const { skew = 0, drift = 0 } = spec
  const parsed = [parseSignedDuration(skew), parseDrift(drift)] as const
  for (const [index, value] of parsed.entries()) {
    const written = String(index === 0 ? skew : drift)
    if (isRefusal(value)) throw refused(value, `${where}: clock.${CLOCK_KEYS[index]}`, written)
  }
  return { skew: parsed[0] as Nanos, drift: parsed[1] as number }
}

function readSwitching(spec: Partial<SwitchSpec>, where: string): Switching {
  const read = (key: keyof Switching, parse: (q: Quantity) => number | Refusal) => {
    const value = parse(spec[key]!)
    if (isRefusal(value)) throw refused(value, `${where}: ${key}`, String(spec[key]))
    if (value > 0) return value
    const hint = key === 'ageing' ? "write '300s', say" : 'expected 1 or more'
    throw new UserError('a switch that remembers nothing is a hub', {
      where: `${where}: ${key}`,
      word: String(spec[key]),
      hint,
    })
  }
  return {
    ageing: spec.ageing === undefined ? SWITCH_AGEING : read('ageing', parseDuration),
    tableSize: spec.tableSize === undefined ? SWITCH_TABLE_SIZE : read('tableSize', parseCount),
  }
}
