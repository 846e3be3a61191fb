import { type IpAddress, type Mac, formatIp, isIpv4, parseIpText } from '../protocols/address.ts'
import { IPV6_MTU_MIN } from '../protocols/ipv6/packet.ts'
import type { ClaimPolicy } from '../protocols/arp/claim.ts'
import type { NatConfig } from '../protocols/nat/table.ts'
import { PERFECT_LINK, type LinkOptions } from './link.ts'
import type { LinkBetween, Topology, EndSpec } from './scenario.ts'
import {
  type InterfaceAddress,
  type Subnet,
  formatSubnet,
  isInside,
  isSameSubnet,
  parseInterfaceAddress,
  parseRoute,
  sameFamily,
  subnetOf,
} from './subnet.ts'
import { didYouMean } from './suggest.ts'
import { checkAddresses } from './topology-addresses.ts'
import type { Domain, LinkEnd } from './topology-domains.ts'
import { readEnd, vlanDomains } from './topology-vlans.ts'
import type { VlanPort } from '../protocols/ethernet/vlan.ts'
import type { Ipv6Plan } from './topology-ipv6.ts'
import { readLinkSpec } from './topology-links.ts'
import { type ClockPlan, type NodeKind, type ReadNode } from './topology-nodes.ts'
import { type Switching, readNode } from './topology-nodes.ts'
import {
  type RoutePlan,
  type RoutedNode,
  automaticGateway,
  automaticRoutes,
  connectedRoutes,
  portTowards,
} from './topology-routes.ts'
import { readNat } from './topology-nat.ts'
import type { TcpPlan } from './topology-tcp.ts'
import { UserError, isRefusal, refused } from './user-error.ts'

/** A topology with everything decided: what a world is built from. Plain data. */
export interface Network {
  readonly nodes: readonly NodePlan[]
  readonly links: readonly LinkPlan[]
}

export interface NodePlan {
  readonly name: string
  /** `device`: it leads out of the world; what a scenario writes is never one. */
  readonly kind: NodeKind | 'device'
  readonly forwarding: boolean
  /** The index is the port. In the order in which the links are declared. */
  readonly interfaces: readonly InterfacePlan[]
  readonly routes: readonly RoutePlan[]
  readonly tcp: TcpPlan
  /** How its addresses are claimed (RFC 5227); `null`: they are simply its own. */
  readonly claim: ClaimPolicy | null
  readonly ipv6: Ipv6Plan
  readonly clock: ClockPlan | null
  /** `null`: it translates no addresses. */
  readonly nat: NatConfig | null
  /** `null` unless it is a switch. */
  readonly switching: Switching | null
}

export interface InterfacePlan {
  readonly mac: Mac
  /** Bytes. */
  readonly mtu: number
  readonly addresses: readonly InterfaceAddress[]
  /** The tag of its frames; 0: none. */
  readonly vlan: number
  /** Of a switch that knows VLANs. */
  readonly carries: VlanPort | null
  /** The index of the link, and the end of it that this is; -1: a TUN, which has none. */
  readonly link: number
  readonly end: 'a' | 'b'
}

export interface LinkPlan {
  readonly a: LinkEnd
  readonly b: LinkEnd
  /** The directions' names: `a>b` and `b>a`, with `#2` behind for a second link of the same two. */
  readonly nameAB: string
  readonly nameBA: string
  readonly optionsAB: LinkOptions
  readonly optionsBA: LinkOptions
}

const DEFAULT_MTU = 1500

interface NodeDraft extends ReadNode, RoutedNode {
  readonly ports: PortDraft[]
}
interface PortDraft {
  readonly addresses: readonly InterfaceAddress[]
  /** Everybody else in the broadcast domain. */
  peers: readonly LinkEnd[]
  readonly mtu: number
  readonly link: number
  readonly end: 'a' | 'b'
  readonly vlan: number
  readonly carries: VlanPort | null
}

/**
 * Checks a topology and its links, and fills in names, MAC addresses and routes.
 *
 * @throws UserError for the first thing that cannot be right.
 */
export function planNetwork(topology: Topology, links: readonly LinkBetween[]): Network {
  const nodes = Object.entries(topology).map(([name, spec]): NodeDraft => ({
    ...readNode(name, spec),
    ports: [],
  }))
  const plans = links.map((link, index) => readLink(link, index, links, nodes))
  const domains = vlanDomains(plans, nodes)
  checkAddresses(nodes, plans, domains)
  introduce(nodes, domains.all)
  addTuns(nodes)
  const routes = nodes.map((_, index) => routesOf(nodes, index))
  const names = nodes.map(({ name }) => name)
  let ports = 0
  return {
    nodes: nodes.map((node, index) => ({
      name: node.name,
      kind: node.kind,
      forwarding: node.forwarding,
      interfaces: node.ports.map(({ mtu, addresses, link, end, vlan, carries }) => {
        return { mac: macOf(++ports), mtu, addresses, link, end, vlan, carries }
      }),
      routes: routes[index]!,
      tcp: node.tcp,
      claim: node.claim,
      ipv6: node.ipv6,
      clock: node.clock,
      nat: node.nat === null ? null : readNat(node.nat, node, names),
      switching: node.switching,
    })),
    links: plans,
  }
}

/** Behind all others: they have no part in links. */
function addTuns(nodes: readonly NodeDraft[]): void {
  const taken = new Map(
    nodes.flatMap(({ name, ports }) =>
      ports.flatMap((port) => port.addresses.map(({ address }) => [address, name] as const)),
    ),
  )
  for (const node of nodes) {
    if (node.tun === null) continue
    const where = `node ${node.name}: tun`
    const addresses = readAddresses(node.tun, where)
    for (const { address } of addresses) {
      const owner = taken.get(address)
      if (owner !== undefined) {
        const word = formatIp(address)
        throw new UserError(`${word} is already an address of ${owner}`, { where, word })
      }
      taken.set(address, node.name)
    }
    const alone = {
      peers: [],
      mtu: DEFAULT_MTU,
      link: -1,
      end: 'a',
      vlan: 0,
      carries: null,
    } as const
    node.ports.push({ addresses, ...alone })
  }
}

/** Tells every interface who else is in its broadcast domain. */
function introduce(nodes: readonly NodeDraft[], domains: readonly Domain[]): void {
  for (const { members } of domains) {
    for (const member of members) {
      nodes[member.node]!.ports[member.port]!.peers = members.filter((other) => other !== member)
    }
  }
}

function readLink(
  link: LinkBetween,
  index: number,
  all: readonly LinkBetween[],
  nodes: readonly NodeDraft[],
): LinkPlan {
  const names = Object.keys(link.ends ?? {})
  const [a, b] = names
  if (names.length !== 2 || a === undefined || b === undefined) {
    throw new UserError(`a link has two ends, not ${names.length}`, {
      where: `link ${index + 1}`,
      hint: "write { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }",
    })
  }
  const where = `link ${a}-${b}`
  const [nodeA, nodeB] = [nodeIndex(a, nodes, where), nodeIndex(b, nodes, where)]
  const both = readLinkSpec(link, where, ['ends', 'to'])
  const towards = (end: string): LinkOptions => {
    const to = link.to !== undefined && Object.hasOwn(link.to, end) ? link.to[end] : undefined
    return { ...PERFECT_LINK, ...both, ...readLinkSpec(to ?? {}, `${where}: to ${end}`) }
  }
  for (const end of Object.keys(link.to ?? {})) {
    if (!names.includes(end)) {
      throw new UserError(`'${end}' is not an end of this link`, {
        where: `${where}: to`,
        word: end,
        hint: `expected ${a} or ${b}`,
      })
    }
  }
  const endA: LinkEnd = { node: nodeA, port: nodes[nodeA]!.ports.length }
  const endB: LinkEnd = { node: nodeB, port: nodes[nodeB]!.ports.length }
  // Both ends know the link's MTU; one set for a direction alone is a limit they learn about.
  const mtu = both.mtu ?? DEFAULT_MTU
  addInterfaces(nodes[nodeA]!, 'a', link.ends[a]!, mtu, index, `${where}: ${a}`)
  addInterfaces(nodes[nodeB]!, 'b', link.ends[b]!, mtu, index, `${where}: ${b}`)
  const earlier = all.slice(0, index).filter(({ ends }) => Object.hasOwn(ends, a) && b in ends)
  const number = earlier.length === 0 ? '' : `#${earlier.length + 1}`
  return {
    a: endA,
    b: endB,
    nameAB: `${a}>${b}${number}`,
    nameBA: `${b}>${a}${number}`,
    optionsAB: towards(b),
    optionsBA: towards(a),
  }
}

function addInterfaces(
  node: NodeDraft,
  end: 'a' | 'b',
  written: EndSpec,
  mtu: number,
  link: number,
  where: string,
): void {
  const { interfaces, carries } = readEnd(written, node.kind, where)
  for (const { vlan, written: texts } of interfaces) {
    const addresses = readAddresses(texts, vlan === 0 ? where : `${where}: VLAN ${vlan}`)
    if (mtu < IPV6_MTU_MIN) refuseIpv6(addresses, mtu, where)
    node.ports.push({ addresses, peers: [], mtu, link, end, vlan, carries })
  }
}

/** RFC 8200 §5. */
function refuseIpv6(addresses: readonly InterfaceAddress[], mtu: number, where: string): void {
  const own = addresses.find(({ address }) => !isIpv4(address))
  if (own === undefined) return
  throw new UserError(`IPv6 needs an MTU of ${IPV6_MTU_MIN}, and this link has ${mtu}`, {
    where,
    word: formatIp(own.address),
    hint: 'give the link a larger one, or IPv4 addresses alone',
  })
}

function nodeIndex(name: string, nodes: readonly NodeDraft[], where: string): number {
  const index = nodes.findIndex((node) => node.name === name)
  if (index >= 0) return index
  const hint = didYouMean(
    name,
    nodes.map((node) => node.name),
  )
  throw new UserError(`there is no node '${name}'`, {
    where,
    word: name,
    hint,
  })
}

function readAddresses(
  written: string | readonly string[] | null,
  where: string,
): InterfaceAddress[] {
  const texts: readonly unknown[] =
    written === null ? [] : typeof written === 'string' ? [written] : written
  return texts.map((text) => {
    const address = parseInterfaceAddress(String(text))
    if (isRefusal(address)) throw refused(address, where, String(text))
    return address
  })
}

function routesOf(nodes: readonly NodeDraft[], index: number): RoutePlan[] {
  const node = nodes[index]!
  const connected = connectedRoutes(node)
  const explicit: RoutePlan[] = []
  const where = `node ${node.name}`
  const add = (to: Subnet, gateway: IpAddress, key: string) => {
    const port = checkGateway(node, gateway, `${where}: ${key}`)
    const route = { destination: to.network, prefixLength: to.prefixLength, gateway, port }
    if (explicit.some((r) => isSameSubnet(networkTo(r), to))) {
      const message = `there are two routes to ${formatSubnet(to)}`
      throw new UserError(message, { where: `${where}: ${key}` })
    }
    explicit.push(route)
  }
  for (const text of node.routes) {
    const route = parseRoute(text)
    if (isRefusal(route)) throw refused(route, `${where}: routes`, text)
    add(route.to, route.gateway, 'routes')
  }
  const { gateway } = node
  if (gateway !== undefined) {
    const address = parseIpText(gateway)
    if (address === null) {
      throw new UserError(`'${gateway}' is not an IP address`, {
        where: `${where}: gateway`,
        word: gateway,
        hint: "write one such as '10.0.0.254', without a prefix length",
      })
    }
    const network = typeof address === 'number' ? 0 : '::'
    add({ network, prefixLength: 0 }, address, 'gateway')
  }
  return [...connected, ...explicit, ...automatic(nodes, index, [...connected, ...explicit])]
}

/** What nobody wrote down, for each address family. */
function automatic(
  nodes: readonly NodeDraft[],
  index: number,
  given: readonly RoutePlan[],
): RoutePlan[] {
  return [0, '::'].flatMap((family) => {
    if (!nodes[index]!.forwarding) {
      const isDefault = (r: RoutePlan) => r.prefixLength === 0 && sameFamily(r.destination, family)
      const route = given.some(isDefault) ? null : automaticGateway(nodes, index, family)
      return route === null ? [] : [route]
    }
    // A written route rules over all that lies inside it; only a default route leaves room.
    return automaticRoutes(nodes, index, family, (subnet) =>
      given.some((r) =>
        r.gateway === null
          ? isSameSubnet(networkTo(r), subnet)
          : r.prefixLength > 0 &&
            r.prefixLength <= subnet.prefixLength &&
            isInside(subnet.network, networkTo(r)),
      ),
    )
  })
}

function checkGateway(node: NodeDraft, gateway: IpAddress, where: string): number {
  const text = formatIp(gateway)
  const port = portTowards(node, gateway)
  const own = node.ports.flatMap((p) => p.addresses)
  if (port < 0) {
    const networks = own.map((address) => formatSubnet(subnetOf(address)))
    throw new UserError(`${text} is on none of the networks of ${node.name}`, {
      where,
      word: text,
      hint:
        networks.length === 0
          ? `${node.name} has no address`
          : `expected one of ${networks.join(', ')}`,
    })
  }
  if (own.some(({ address }) => address === gateway)) {
    throw new UserError(`${text} is an address of ${node.name} itself`, { where, word: text })
  }
  return port
}

const networkTo = (r: RoutePlan): Subnet => ({
  network: r.destination,
  prefixLength: r.prefixLength,
})

/** Locally administered, counted up from `02:00:00:00:00:01`. */
function macOf(number: number): Mac {
  const digits = number.toString(16).padStart(10, '0')
  return `02:${digits.match(/../g)!.join(':')}`
}
