import { BROADCAST_MAC } from '../protocols/address.ts'
import { PERFECT_LINK } from './link-options.ts'
import type { InterfacePlan, LinkPlan, Network, NodePlan } from './topology.ts'
import type { RoutePlan } from './topology-routes.ts'
import { didYouMean } from './suggest.ts'
import { UserError } from './user-error.ts'

/** A node's ports towards its link and out of the world. */
export const LINK_PORT = 0
export const OUTSIDE_PORT = 1

/** A place in a network that something outside the world takes. */
export interface Outlet {
  /** As it was written: a node, a link end `a>b`, a switch port `sw.3`. */
  readonly place: string
  /** The node in the world that leads outside. */
  readonly node: string
  /** What stood there: its address, and how it would send. */
  readonly interface: InterfacePlan
  readonly routes: readonly RoutePlan[]
}

interface Draft {
  readonly nodes: NodePlan[]
  readonly links: LinkPlan[]
}

/**
 * The same network with some places left to the outside. What stood in a place is gone from the
 * network; the link in front of it stays, with all that it does to frames.
 *
 * @throws UserError for a place that is not there or cannot be taken.
 */
export function bindNetwork(
  network: Network,
  places: readonly string[],
): { readonly network: Network; readonly outlets: readonly Outlet[] } {
  const draft: Draft = { nodes: [...network.nodes], links: [...network.links] }
  const outlets: Outlet[] = []
  for (const place of places) outlets.push(bindPlace(draft, place))
  return { network: draft, outlets }
}

function bindPlace(draft: Draft, place: string): Outlet {
  const direction = draft.links.findIndex(({ nameAB, nameBA }) => [nameAB, nameBA].includes(place))
  if (direction >= 0) {
    return bindEnd(draft, place, direction, draft.links[direction]!.nameAB === place ? 'b' : 'a')
  }
  const index = draft.nodes.findIndex(({ name }) => name === place)
  if (index >= 0) return bindNode(draft, place, index)
  const port = /^(.+)\.(\d+)$/.exec(place)
  const owner = port === null ? -1 : draft.nodes.findIndex(({ name }) => name === port[1])
  if (owner >= 0) return bindPort(draft, place, owner, Number(port![2]))
  const links = draft.links.flatMap(({ nameAB, nameBA }) => [nameAB, nameBA])
  throw refusal(place, 'there is no such node, link end or switch port', {
    hint: didYouMean(place, [...draft.nodes.map(({ name }) => name), ...links]),
  })
}

function bindNode(draft: Draft, place: string, index: number): Outlet {
  const plan = draft.nodes[index]!
  if (plan.kind === 'device') throw refusal(place, 'is bound twice')
  const ends = linkEndsOf(draft, index)
  if (ends.length === 1) return replaceNode(draft, place, index)
  throw refusal(place, ends.length === 0 ? 'has no link' : `has ${ends.length} links`, {
    hint: ends.length === 0 ? undefined : `bind one end: ${ends.join(' or ')}`,
  })
}

function replaceNode(draft: Draft, place: string, index: number): Outlet {
  const plan = draft.nodes[index]!
  draft.nodes[index] = { ...plan, kind: 'device' }
  return { place, node: plan.name, interface: plan.interfaces[0]!, routes: plan.routes }
}

/** The names of the directions that lead to a node. */
const linkEndsOf = (draft: Draft, node: number): string[] =>
  draft.links.flatMap(({ a, b, nameAB, nameBA }) => [
    ...(a.node === node ? [nameBA] : []),
    ...(b.node === node ? [nameAB] : []),
  ])

/** What stands at the far end of a direction; a node with other links keeps those. */
function bindEnd(draft: Draft, place: string, index: number, side: 'a' | 'b'): Outlet {
  const link = draft.links[index]!
  const { node, port } = link[side]
  const plan = draft.nodes[node]!
  if (plan.kind === 'device') throw refusal(place, 'is bound twice')
  if (linkEndsOf(draft, node).length === 1) return replaceNode(draft, place, node)
  const own = plan.interfaces[port]!
  const routes = plan.routes.filter((route) => route.port === port)
  const name = addDevice(draft, `${plan.name}.${port}`, place, plan, { ...own, link: index })
  draft.links[index] = { ...link, [side]: { node: draft.nodes.length - 1, port: 0 } }
  return { place, node: name, interface: own, routes }
}

/** The far end of the cable in a port of a switch or hub; in the first free port, a new cable. */
function bindPort(draft: Draft, place: string, node: number, port: number): Outlet {
  const plan = draft.nodes[node]!
  const link = draft.links.findIndex(
    ({ a, b }) => (a.node === node && a.port === port) || (b.node === node && b.port === port),
  )
  if (link >= 0) return bindEnd(draft, place, link, draft.links[link]!.a.node === node ? 'b' : 'a')
  if (plan.kind !== 'switch' && plan.kind !== 'hub') {
    throw refusal(place, `${plan.name} is no switch: it has no port without a link`)
  }
  if (port !== plan.interfaces.length) {
    throw refusal(place, `${plan.name} has no port ${port}`, {
      hint: `its next free one is ${plan.name}.${plan.interfaces.length}`,
    })
  }
  return addCable(draft, place, node)
}

function addCable(draft: Draft, place: string, node: number): Outlet {
  const plan = draft.nodes[node]!
  const index = draft.links.length
  const port = plan.interfaces.length
  // A bridge uses no MAC address of its own.
  const own: InterfacePlan = {
    mac: BROADCAST_MAC,
    mtu: 1500,
    addresses: [],
    vlan: 0,
    carries: null,
    link: index,
    end: 'a',
  }
  draft.nodes[node] = { ...plan, interfaces: [...plan.interfaces, own] }
  const device: InterfacePlan = { ...own, end: 'b' }
  const name = addDevice(draft, `${plan.name}.${port}`, place, plan, device)
  draft.links.push({
    a: { node, port },
    b: { node: draft.nodes.length - 1, port: LINK_PORT },
    nameAB: `${plan.name}>${name}`,
    nameBA: `${name}>${plan.name}`,
    optionsAB: PERFECT_LINK,
    optionsBA: PERFECT_LINK,
  })
  return { place, node: name, interface: device, routes: [] }
}

/** A node that leads outside and has no part in addressing. */
function addDevice(
  draft: Draft,
  name: string,
  place: string,
  near: NodePlan,
  port: InterfacePlan,
): string {
  if (draft.nodes.some((node) => node.name === name)) {
    throw refusal(place, `a node is called ${name} already`)
  }
  const { tcp, claim, ipv6, clock } = near
  const switching = null
  const interfaces = [port]
  draft.nodes.push({
    name,
    kind: 'device',
    forwarding: false,
    interfaces,
    routes: [],
    tcp,
    claim,
    ipv6,
    clock,
    nat: null,
    switching,
  })
  return name
}

const refusal = (place: string, what: string, about: { readonly hint?: string | undefined } = {}) =>
  new UserError(what, { where: `--bind ${place}`, word: place, ...about })
