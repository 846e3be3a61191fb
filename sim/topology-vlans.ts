import { VLAN_MAX, VLAN_MIN, type VlanPort } from '../protocols/ethernet/vlan.ts'
import type { EndSpec, HostEndSpec, SwitchEndSpec } from './scenario.ts'
import { type Domain, Groups, type LinkEnd, loopError } from './topology-domains.ts'
import { unknownKey } from './topology-links.ts'
import { UserError } from './user-error.ts'

// Virtual LANs in a topology: what is written at the ends of links, and who then hears whom.

/** What is written at one end of a link. */
export interface ReadEnd {
  /** Interfaces with their VLAN on the wire, 0 for none, and their addresses as written. */
  readonly interfaces: readonly {
    readonly vlan: number
    readonly written: string | readonly string[] | null
  }[]
  /** What the port of a switch carries, where that is written. */
  readonly carries: VlanPort | null
}

const SWITCH_KEYS = ['access', 'trunk', 'native']
const HOST_KEYS = ['vlans', 'untagged']

/** @throws UserError for what is neither an address nor about VLANs, or about them in the wrong place. */
export function readEnd(written: EndSpec, kind: string, where: string): ReadEnd {
  if (written === null || typeof written === 'string' || Array.isArray(written)) {
    const addresses = written as string | readonly string[] | null
    return { interfaces: [{ vlan: 0, written: addresses }], carries: null }
  }
  const isBridge = kind === 'switch' || kind === 'hub'
  const keys = isBridge ? SWITCH_KEYS : HOST_KEYS
  for (const key of Object.keys(written)) {
    if (!keys.includes(key)) throw unknownKey(key, keys, where)
  }
  if (kind === 'hub') {
    throw new UserError('a hub knows no VLANs', { where, hint: 'make it a switch' })
  }
  if (isBridge) {
    const carries = readSwitchPort(written as SwitchEndSpec, where)
    return { interfaces: [{ vlan: 0, written: null }], carries }
  }
  const { vlans = {}, untagged } = written as HostEndSpec
  const tagged = Object.entries(vlans).map(([id, addresses]) => {
    return { vlan: readId(Number(id), where, id), written: addresses }
  })
  const plain = untagged === undefined ? [] : [{ vlan: 0, written: untagged }]
  if (tagged.length + plain.length === 0) {
    throw new UserError('there is no VLAN at this end', {
      where,
      hint: "write { vlans: { 10: '10.0.10.1/24' } }",
    })
  }
  return { interfaces: [...plain, ...tagged], carries: null }
}

function readSwitchPort({ access, trunk, native }: SwitchEndSpec, where: string): VlanPort {
  if ((access === undefined) === (trunk === undefined)) {
    throw new UserError('a port is an access port or a trunk', {
      where,
      hint: 'write { access: 10 } or { trunk: [10, 20] }',
    })
  }
  if (access !== undefined) {
    if (native !== undefined) {
      throw new UserError('an access port has no native VLAN', { where, word: 'native' })
    }
    return { untagged: readId(access, where), tagged: [] }
  }
  const untagged = native === undefined ? 0 : readId(native, where)
  if (trunk === 'all') return { untagged, tagged: null }
  const tagged = (trunk as readonly number[]).map((id) => readId(id, where))
  return { untagged, tagged: tagged.filter((id) => id !== untagged) }
}

function readId(id: number, where: string, word = String(id)): number {
  if (Number.isInteger(id) && id >= VLAN_MIN && id <= VLAN_MAX) return id
  throw new UserError(`${word} is not a VLAN`, {
    where,
    word,
    hint: `expected ${VLAN_MIN} to ${VLAN_MAX}`,
  })
}

/** IEEE 802.1Q-2018 table 9-2: what a port of a switch with VLANs is in where nothing is written. */
export const DEFAULT_PORT: VlanPort = { untagged: 1, tagged: [] }

/** What the broadcast domains need to know of a node. */
export interface VlanNode {
  readonly name: string
  readonly bridging: boolean
  readonly ports: readonly {
    readonly link: number
    readonly end: 'a' | 'b'
    readonly vlan: number
    readonly carries: VlanPort | null
  }[]
}

/** Whoever hears one another's broadcasts, and in which of these an interface is. */
export interface Domains {
  readonly all: readonly Domain[]
  of(end: LinkEnd): Domain
}

/**
 * The broadcast domains of a network in which switches may know VLANs: each VLAN of each switch is a
 * place of its own, joined to others by the links that carry it.
 *
 * @throws UserError for a loop, and for an interface in a VLAN that the switch's port does not carry.
 */
export function vlanDomains(
  links: readonly { readonly a: LinkEnd; readonly b: LinkEnd }[],
  nodes: readonly VlanNode[],
): Domains {
  const places = new Places(nodes)
  links.forEach(({ a, b }, index) => places.join(a.node, b.node, index))
  return places.domains(links)
}

class Places {
  readonly #nodes: readonly VlanNode[]
  readonly #aware: readonly boolean[]
  readonly #numbers = new Map<string, number>()
  readonly #groups = new Groups(0)
  /** All that stand on a wire somewhere; 0: no tag. */
  readonly #ids: readonly number[]

  constructor(nodes: readonly VlanNode[]) {
    this.#nodes = nodes
    this.#aware = nodes.map(({ ports }) => ports.some(({ carries }) => carries !== null))
    const ids = nodes.flatMap(({ ports }) =>
      ports.flatMap(({ vlan, carries }) => [
        vlan,
        carries?.untagged ?? 0,
        ...(carries?.tagged ?? []),
      ]),
    )
    this.#ids = [...new Set([0, ...ids])].sort((x, y) => x - y)
  }

  #number(place: string): number {
    const known = this.#numbers.get(place)
    if (known !== undefined) return known
    const number = this.#groups.add()
    this.#numbers.set(place, number)
    return number
  }

  /** Where a frame with this tag is, once it has come in at this end of a link; `null`: nowhere. */
  #placeAt(node: number, link: number, id: number, side: 'a' | 'b'): string | null {
    const { bridging, ports } = this.#nodes[node]!
    const at = (port: { link: number; end: string }) => port.link === link && port.end === side
    if (!bridging) {
      const port = ports.findIndex((each) => at(each) && each.vlan === id)
      return port < 0 ? null : `interface ${node} ${port}`
    }
    if (!this.#aware[node]!) return `bridge ${node} ${id}`
    const { untagged, tagged } = ports.find(at)!.carries ?? DEFAULT_PORT
    const vlan = id === 0 ? untagged : tagged === null || tagged.includes(id) ? id : 0
    return vlan === 0 ? null : `bridge ${node} ${vlan}`
  }

  join(a: number, b: number, link: number): void {
    for (const id of this.#ids) {
      const [from, to] = [this.#placeAt(a, link, id, 'a'), this.#placeAt(b, link, id, 'b')]
      if (from === null || to === null) continue
      if (this.#groups.join(this.#number(from), this.#number(to))) continue
      throw loopError(this.#nodes[a]!.name, this.#nodes[b]!.name)
    }
  }

  domains(links: readonly { readonly a: LinkEnd; readonly b: LinkEnd }[]): Domains {
    const byGroup = new Map<number, { members: LinkEnd[]; firstLink: number }>()
    const byEnd = new Map<string, Domain>()
    links.forEach((link, index) => {
      for (const [side, { node }] of [['a', link.a] as const, ['b', link.b] as const]) {
        const { bridging, ports } = this.#nodes[node]!
        if (bridging) continue
        ports.forEach((each, port) => {
          if (each.link !== index || each.end !== side) return
          const group = this.#groups.groupOf(this.#number(`interface ${node} ${port}`))
          const domain = byGroup.get(group) ?? { members: [], firstLink: index }
          byGroup.set(group, domain)
          domain.members.push({ node, port })
          byEnd.set(`${node} ${port}`, domain)
        })
      }
    })
    return {
      all: [...byGroup.values()],
      of: ({ node, port }) => byEnd.get(`${node} ${port}`) ?? NOBODY,
    }
  }
}

/** The port of a switch is in many. */
const NOBODY: Domain = { members: [], firstLink: -1 }
