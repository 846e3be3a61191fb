import { AddressPool, type PoolNetwork } from './addressing.ts'
import type { LinkBetween, NodeSpec, Topology } from './scenario.ts'
import { type Domain, broadcastDomains } from './topology-domains.ts'
import { readNode } from './topology-nodes.ts'
import { UserError } from './user-error.ts'

/** A topology with its links: what a scenario's `topology` and `links` are made of. Plain data. */
export interface Shape {
  readonly topology: Topology
  readonly links: readonly LinkBetween[]
}

/** Everything about a link but its ends. */
export type LinkTraits = Omit<LinkBetween, 'ends'>

/** The same for all links of a kind, or by the ends' names and the link's number from 0. */
export type LinkChoice = LinkTraits | ((a: string, b: string, index: number) => LinkTraits)

/** A link that needs addresses. */
export interface Cable extends LinkTraits {
  readonly between: readonly [a: string, b: string]
}

/**
 * Gives every host and router on the cables an address: a network for each cable, one for all that
 * switches and hubs join, in the order of the cables.
 *
 * @throws UserError for a cable between nodes that are not there, a loop of switches, a full pool.
 */
export function withAddresses(
  topology: Topology,
  cables: readonly Cable[],
  pool: AddressPool | string = new AddressPool(),
): Shape {
  const from = typeof pool === 'string' ? new AddressPool(pool) : pool
  const names = Object.keys(topology)
  const nodes = names.map((name) => readNode(name, topology[name]!))
  const indices = new Map(names.map((name, index) => [name, index]))
  const ends = cables.map(({ between }) => {
    // Ports are of no interest here: an end is known by its cable.
    const [a, b] = between.map((name) => ({ node: indexOf(name, indices, between), port: 0 }))
    return { a: a!, b: b! }
  })
  const domains = broadcastDomains(ends, nodes)
  const networks = new Map<Domain, { readonly network: PoolNetwork; given: number }>()
  const links = cables.map(({ between, ...traits }, index): LinkBetween => {
    const domain = domains[index]!
    const lan = networks.get(domain) ?? { network: from.network(domain.members.length), given: 0 }
    networks.set(domain, lan)
    const address = (name: string) =>
      nodes[indices.get(name)!]!.bridging ? null : lan.network.address(++lan.given)
    const [a, b] = between
    return { ...traits, ends: { [a]: address(a), [b]: address(b) } }
  })
  return { topology, links }
}

function indexOf(
  name: string,
  indices: ReadonlyMap<string, number>,
  between: readonly string[],
): number {
  const index = indices.get(name)
  if (index !== undefined) return index
  const where = `link ${between.join('-')}`
  throw new UserError(`there is no node '${name}'`, { where, word: name })
}

/**
 * The first address of a node, without its prefix length.
 *
 * @throws UserError where it has none.
 */
export function addressOf({ links }: Pick<Shape, 'links'>, node: string): string {
  for (const { ends } of links) {
    const written = Object.hasOwn(ends, node) ? ends[node]! : null
    const first = typeof written === 'string' ? written : Array.isArray(written) ? written[0] : null
    if (typeof first === 'string') return first.split('/')[0]!
  }
  throw new UserError(`${node} has no address`, { word: node })
}

/** Nodes and cables, collected in the order in which they are to be. */
export class ShapeDraft {
  readonly #topology: { [name: string]: NodeSpec } = {}
  readonly #cables: Cable[] = []

  node(name: string, spec: NodeSpec): string {
    this.#topology[name] = spec
    return name
  }

  cable(a: string, b: string, choice: LinkChoice | undefined): void {
    const index = this.#cables.length
    const traits = typeof choice === 'function' ? choice(a, b, index) : (choice ?? {})
    this.#cables.push({ ...traits, between: [a, b] })
  }

  addressed(pool: AddressPool | string | undefined): Shape {
    return withAddresses(this.#topology, this.#cables, pool)
  }
}
