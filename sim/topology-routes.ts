import { type IpAddress, isIpv4 } from '../protocols/address.ts'
import { type InterfaceAddress, type Subnet, isInside, sameFamily, subnetOf } from './subnet.ts'

/** A route as it goes into a host's table. `gateway` is `null` where the network is on the link. */
export interface RoutePlan {
  readonly destination: IpAddress
  readonly prefixLength: number
  readonly gateway: IpAddress | null
  /** The index of the interface to leave by. */
  readonly port: number
}

/** What routing needs to know of a node. */
export interface RoutedNode {
  readonly forwarding: boolean
  readonly ports: readonly RoutedPort[]
}
export interface RoutedPort {
  readonly addresses: readonly InterfaceAddress[]
  /** The node and the port at the other end of the link. */
  readonly peer: { readonly node: number; readonly port: number }
}

export const connectedRoutes = (node: RoutedNode): RoutePlan[] => {
  const routes: RoutePlan[] = []
  node.ports.forEach((port, index) => {
    for (const address of port.addresses) {
      const { network, prefixLength } = subnetOf(address)
      routes.push({ destination: network, prefixLength, gateway: null, port: index })
    }
  })
  return routes
}

/** The port whose link an address is on, or -1. */
export const portTowards = (node: RoutedNode, address: IpAddress): number =>
  node.ports.findIndex((port) => port.addresses.some((own) => isInside(address, subnetOf(own))))

/** A host with one link, to a router, leaves everything else to that router. */
export function automaticGateway(
  nodes: readonly RoutedNode[],
  of: number,
  family: IpAddress,
): RoutePlan | null {
  const node = nodes[of]!
  const port = node.ports[0]
  if (node.forwarding || node.ports.length !== 1 || port === undefined) return null
  if (!nodes[port.peer.node]!.forwarding) return null
  const gateway = neighbour(nodes, port, family)
  if (gateway === null) return null
  return { destination: isIpv4(family) ? 0 : '::', prefixLength: 0, gateway, port: 0 }
}

/**
 * Routes of one router to every network that it has no link to, over the fewest routers; among
 * equals the link that was declared first. A network that `reserved` says has a route is left out.
 */
export function automaticRoutes(
  nodes: readonly RoutedNode[],
  from: number,
  family: IpAddress,
  reserved: (subnet: Subnet) => boolean,
): RoutePlan[] {
  const routes: RoutePlan[] = []
  const done = new Set<string>()
  const reached = nearestFirst(nodes, from, family)
  // A router that has the network before any host: a host would not pass packets on.
  const ordered = [
    ...reached.filter((hop) => nodes[hop.node]!.forwarding),
    ...reached.filter((hop) => !nodes[hop.node]!.forwarding),
  ]
  for (const hop of ordered) {
    for (const port of nodes[hop.node]!.ports) {
      for (const address of port.addresses) {
        if (!sameFamily(address.address, family)) continue
        const subnet = subnetOf(address)
        const key = `${subnet.network}/${subnet.prefixLength}`
        if (done.has(key)) continue
        done.add(key)
        if (reserved(subnet)) continue
        const { network: destination, prefixLength } = subnet
        routes.push({ destination, prefixLength, gateway: hop.gateway, port: hop.port })
      }
    }
  }
  return routes
}

interface Hop {
  readonly node: number
  /** How `from` starts on the way to it. */
  readonly port: number
  readonly gateway: IpAddress
}

/** Breadth first through routers, without the start. */
function nearestFirst(nodes: readonly RoutedNode[], from: number, family: IpAddress): Hop[] {
  const seen = new Set([from])
  const hops: Hop[] = []
  const visit = (node: number, first: Hop | null) => {
    nodes[node]!.ports.forEach((port, index) => {
      const next = port.peer.node
      const gateway = neighbour(nodes, port, family)
      if (gateway === null || seen.has(next)) return
      seen.add(next)
      hops.push(
        first === null
          ? { node: next, port: index, gateway }
          : { node: next, port: first.port, gateway: first.gateway },
      )
    })
  }
  visit(from, null)
  for (let i = 0; i < hops.length; i++) {
    const hop = hops[i]!
    if (nodes[hop.node]!.forwarding) visit(hop.node, hop)
  }
  return hops
}

/** The address at the other end of a link that this end can speak to directly. */
function neighbour(
  nodes: readonly RoutedNode[],
  port: RoutedPort,
  family: IpAddress,
): IpAddress | null {
  const subnets = port.addresses.map(subnetOf)
  for (const { address } of nodes[port.peer.node]!.ports[port.peer.port]!.addresses) {
    if (sameFamily(address, family) && subnets.some((subnet) => isInside(address, subnet))) {
      return address
    }
  }
  return null
}
