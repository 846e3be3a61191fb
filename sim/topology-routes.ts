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
  /** Nodes and ports that a frame sent from here can reach, in the order of their links. */
  readonly peers: readonly Peer[]
}

interface Peer {
  readonly node: number
  readonly port: number
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

/**
 * A host with one link leaves everything else to the router at its other end; behind a switch, to
 * the one whose link was declared first.
 */
export function automaticGateway(
  nodes: readonly RoutedNode[],
  of: number,
  family: IpAddress,
): RoutePlan | null {
  const node = nodes[of]!
  const port = node.ports[0]
  if (node.forwarding || node.ports.length !== 1 || port === undefined) return null
  for (const peer of port.peers) {
    const gateway = nodes[peer.node]!.forwarding ? neighbour(nodes, port, peer, family) : null
    if (gateway === null) continue
    return { destination: isIpv4(family) ? 0 : '::', prefixLength: 0, gateway, port: 0 }
  }
  return null
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
      for (const peer of port.peers) {
        const next = peer.node
        const gateway = seen.has(next) ? null : neighbour(nodes, port, peer, family)
        if (gateway === null) continue
        seen.add(next)
        hops.push(
          first === null
            ? { node: next, port: index, gateway }
            : { node: next, port: first.port, gateway: first.gateway },
        )
      }
    })
  }
  visit(from, null)
  for (let i = 0; i < hops.length; i++) {
    const hop = hops[i]!
    if (nodes[hop.node]!.forwarding) visit(hop.node, hop)
  }
  return hops
}

/** The address of a peer that this interface can speak to directly. */
function neighbour(
  nodes: readonly RoutedNode[],
  port: RoutedPort,
  peer: Peer,
  family: IpAddress,
): IpAddress | null {
  const subnets = port.addresses.map(subnetOf)
  for (const { address } of nodes[peer.node]!.ports[peer.port]!.addresses) {
    if (sameFamily(address, family) && subnets.some((subnet) => isInside(address, subnet))) {
      return address
    }
  }
  return null
}
