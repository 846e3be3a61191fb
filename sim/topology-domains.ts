import { UserError } from './user-error.ts'

/** One end of a link: the indices of a node and of its interface. */
export interface LinkEnd {
  readonly node: number
  readonly port: number
}

/** What one broadcast frame reaches: links that switches and hubs join. */
export interface Domain {
  /** The ends that are hosts and routers, in the order in which the links were declared. */
  readonly members: readonly LinkEnd[]
  /** The index of the link that was declared first. */
  readonly firstLink: number
}

/**
 * The broadcast domain of every link, by the link's index. A link that no switch touches is a
 * domain of its own.
 *
 * @throws UserError when switches form a loop, in which a broadcast would go round for ever.
 */
export function broadcastDomains(
  links: readonly { readonly a: LinkEnd; readonly b: LinkEnd }[],
  nodes: readonly { readonly name: string; readonly bridging: boolean }[],
): readonly Domain[] {
  const bridges = new Groups(nodes.length)
  for (const { a, b } of links) {
    if (!nodes[a.node]!.bridging || !nodes[b.node]!.bridging) continue
    if (bridges.join(a.node, b.node)) continue
    throw loopError(nodes[a.node]!.name, nodes[b.node]!.name)
  }
  const ofBridges = new Map<number, { members: LinkEnd[]; firstLink: number }>()
  return links.map(({ a, b }, firstLink) => {
    const bridge = [a, b].find((end) => nodes[end.node]!.bridging)
    if (bridge === undefined) return { members: [a, b], firstLink }
    const group = bridges.groupOf(bridge.node)
    const domain = ofBridges.get(group) ?? { members: [], firstLink }
    ofBridges.set(group, domain)
    for (const end of [a, b]) if (!nodes[end.node]!.bridging) domain.members.push(end)
    return domain
  })
}

export const loopError = (nameA: string, nameB: string): UserError =>
  new UserError(`${nameA} and ${nameB} are joined already: this link closes a loop`, {
    where: `link ${nameA}-${nameB}`,
    hint: 'take it out, broadcasts would go round for ever (there is no spanning tree)',
  })

/** Disjoint sets of numbers: each names its parent, the root stands for the set. */
export class Groups {
  readonly #parents: number[]

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, i) => i)
  }

  /** One more, alone in its set. */
  add(): number {
    this.#parents.push(this.#parents.length)
    return this.#parents.length - 1
  }

  groupOf(member: number): number {
    let root = member
    while (this.#parents[root] !== root) {
      this.#parents[root] = this.#parents[this.#parents[root]!]!
      root = this.#parents[root]!
    }
    return root
  }

  /** `false` where they are in one group already. */
  join(a: number, b: number): boolean {
    const [rootA, rootB] = [this.groupOf(a), this.groupOf(b)]
    this.#parents[rootB] = rootA
    return rootA !== rootB
  }
}
