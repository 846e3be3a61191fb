import type { Ipv4Address } from '../protocols/address.ts'
import { NAT_DEFAULTS, type NatConfig, type NatFiltering } from '../protocols/nat/table.ts'
import type { NatSpec, Quantity } from './scenario.ts'
import type { InterfaceAddress } from './subnet.ts'
import { didYouMean } from './suggest.ts'
import type { LinkEnd } from './topology-domains.ts'
import { unknownKey } from './topology-links.ts'
import { parseCount, parseDuration } from './units.ts'
import { isRefusal, refused, type Refusal, UserError } from './user-error.ts'

const FILTERINGS: readonly NatFiltering[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
]
const KEYS: readonly (keyof NatSpec)[] = [
  'outside',
  'filtering',
  'udpTimeout',
  'tcpTimeout',
  'tcpTransitory',
  'icmpTimeout',
  'mappingsMax',
]

/** What a router's NAT needs to know of its links. */
export interface NatPlace {
  readonly name: string
  readonly ports: readonly {
    readonly addresses: readonly InterfaceAddress[]
    readonly peers: readonly LinkEnd[]
  }[]
}

/**
 * Reads the NAT of a router; `outside` names the node at the far end of the link that leads outside.
 *
 * @throws UserError for what cannot be right.
 */
export function readNat(
  written: string | NatSpec,
  place: NatPlace,
  names: readonly string[],
): NatConfig {
  const where = `node ${place.name}: nat`
  const spec: NatSpec = typeof written === 'string' ? { outside: written } : written
  for (const key of Object.keys(spec)) {
    if (!KEYS.includes(key as keyof NatSpec)) throw unknownKey(key, KEYS, where)
  }
  const outside = place.ports.findIndex(({ peers }) =>
    peers.some(({ node }) => names[node] === spec.outside),
  )
  if (outside < 0) {
    const near = place.ports.flatMap(({ peers }) => peers.map(({ node }) => names[node]!))
    const known = didYouMean(spec.outside, near)
    throw new UserError(`${place.name} has no link to '${spec.outside}'`, {
      where: `${where}.outside`,
      word: spec.outside,
      hint: known ?? `name the node on the outside: ${[...new Set(near)].join(', ')}`,
    })
  }
  const own = place.ports[outside]!.addresses.find(({ address }) => typeof address === 'number')
  if (own === undefined) {
    throw new UserError(`${place.name} has no IPv4 address towards ${spec.outside}`, {
      where: `${where}.outside`,
      hint: 'the address of that link end is the one that all share',
    })
  }
  const span = (key: 'udpTimeout' | 'tcpTimeout' | 'tcpTransitory' | 'icmpTimeout') =>
    read(spec[key], parseDuration, NAT_DEFAULTS[key], `${where}.${key}`)
  return {
    outside,
    address: own.address as Ipv4Address,
    filtering: filteringOf(spec.filtering, where),
    udpTimeout: span('udpTimeout'),
    tcpTimeout: span('tcpTimeout'),
    tcpTransitory: span('tcpTransitory'),
    icmpTimeout: span('icmpTimeout'),
    mappingsMax: read(
      spec.mappingsMax,
      parseCount,
      NAT_DEFAULTS.mappingsMax,
      `${where}.mappingsMax`,
    ),
  }
}

function filteringOf(written: string | undefined, where: string): NatFiltering {
  if (written === undefined) return NAT_DEFAULTS.filtering
  const found = FILTERINGS.find((word) => word === written)
  if (found !== undefined) return found
  throw new UserError(`'${written}' is not a way to filter`, {
    where: `${where}.filtering`,
    word: written,
    hint: didYouMean(written, FILTERINGS) ?? `expected ${FILTERINGS.join(', ')}`,
  })
}

function read(
  written: Quantity | undefined,
  parse: (written: Quantity) => number | Refusal,
  otherwise: number,
  where: string,
): number {
  if (written === undefined) return otherwise
  const value = parse(written)
  if (isRefusal(value)) throw refused(value, where, String(written))
  return value
}
