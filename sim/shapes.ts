import type { AddressPool } from './addressing.ts'
import { type RandomStream, stream } from './random.ts'
import type { HostSpec, NodeSpec } from './scenario.ts'
import { type LinkChoice, type Shape, ShapeDraft } from './shape-draft.ts'
import { UserError } from './user-error.ts'

// Common topologies as data: nodes with names that follow from their place, addresses from a pool.
// Routes are those that `planNetwork` finds for everybody: over the fewest routers.

/** What every shape takes. */
export interface ShapeOptions {
  /** Where addresses come from; `10.0.0.0/8` unless given. */
  readonly pool?: AddressPool | string
  /** What all hosts have: `{ tcp: { … } }`. */
  readonly host?: Omit<HostSpec, 'kind'>
  /** What all routers have. */
  readonly router?: Omit<HostSpec, 'kind'>
}

export interface ChainOptions extends ShapeOptions {
  /** How many; 0 for a cable between the two hosts. */
  readonly routers: number
  /** Every link, and those of the two hosts where they differ. */
  readonly link?: LinkChoice
  readonly access?: LinkChoice
}

/** Host `a`, routers `r1`, `r2` …, host `b`, one behind the other. */
export function chain(options: ChainOptions): Shape {
  const routers = whole('routers', options.routers, 0)
  const draft = new ShapeDraft()
  const names = Array.from({ length: routers }, (_, i) => `r${i + 1}`)
  draft.node('a', hostOf(options))
  for (const name of names) draft.node(name, routerOf(options))
  draft.node('b', hostOf(options))
  const stations = ['a', ...names, 'b']
  for (let i = 0; i + 1 < stations.length; i++) {
    const outer = i === 0 || i + 2 === stations.length
    const choice = outer ? (options.access ?? options.link) : options.link
    draft.cable(stations[i]!, stations[i + 1]!, choice)
  }
  return draft.addressed(options.pool)
}

export interface StarOptions extends ShapeOptions {
  readonly hosts: number
  /** What they meet at; a switch unless given. */
  readonly centre?: 'switch' | 'hub' | 'router'
  readonly link?: LinkChoice
}

/** Hosts `h1`, `h2` … around `s` (a switch or a hub: one network) or `r` (a router: one each). */
export function star(options: StarOptions): Shape {
  const hosts = whole('hosts', options.hosts, 1)
  const draft = new ShapeDraft()
  const { centre: kind = 'switch' } = options
  const centre = kind === 'router' ? draft.node('r', routerOf(options)) : draft.node('s', kind)
  for (let i = 1; i <= hosts; i++) {
    draft.cable(draft.node(`h${i}`, hostOf(options)), centre, options.link)
  }
  return draft.addressed(options.pool)
}

export interface DumbbellOptions extends ShapeOptions {
  /** Senders, each with its receiver. */
  readonly pairs: number
  /** The link between the two routers, `r1-r2`. */
  readonly bottleneck?: LinkChoice
  readonly access?: LinkChoice
}

/** Senders `s1` … on router `r1`, receivers `d1` … on router `r2`, one link between the routers. */
export function dumbbell(options: DumbbellOptions): Shape {
  const pairs = whole('pairs', options.pairs, 1)
  const draft = new ShapeDraft()
  const left = draft.node('r1', routerOf(options))
  const right = draft.node('r2', routerOf(options))
  draft.cable(left, right, options.bottleneck)
  for (let i = 1; i <= pairs; i++) {
    draft.cable(draft.node(`s${i}`, hostOf(options)), left, options.access)
    draft.cable(right, draft.node(`d${i}`, hostOf(options)), options.access)
  }
  return draft.addressed(options.pool)
}

export interface TreeOptions extends ShapeOptions {
  /** Levels of inner nodes. The hosts hang below the last one. */
  readonly depth: number
  /** Children of each inner node. */
  readonly fanout: number
  /** What inner nodes are; routers unless given. */
  readonly of?: 'router' | 'switch' | 'hub'
  readonly link?: LinkChoice
  readonly access?: LinkChoice
}

/**
 * A root `r` with children `r1`, `r2` …, theirs `r1.1`, `r1.2` …, and hosts `h1` … below the last
 * level, from left to right. Inner nodes that are switches or hubs begin with `s`.
 */
export function tree(options: TreeOptions): Shape {
  const depth = whole('depth', options.depth, 1)
  const fanout = whole('fanout', options.fanout, 1)
  // All levels, with the hosts below the last one.
  let nodes = 0
  for (let level = 0; level <= depth && nodes <= NODES_MAX; level++) nodes += fanout ** level
  if (nodes > NODES_MAX) {
    const message = `a tree of depth ${depth} and fanout ${fanout} has more than ${NODES_MAX} nodes`
    throw new UserError(message, { where: 'fanout', word: String(fanout) })
  }
  const draft = new ShapeDraft()
  const { of: kind = 'router', link, access = link } = options
  const inner: NodeSpec = kind === 'router' ? routerOf(options) : kind
  let level = [draft.node(kind === 'router' ? 'r' : 's', inner)]
  for (let i = 1; i < depth; i++) {
    level = level.flatMap((parent) =>
      Array.from({ length: fanout }, (_, child) => {
        const name = `${parent}${i === 1 ? '' : '.'}${child + 1}`
        draft.cable(parent, draft.node(name, inner), link)
        return name
      }),
    )
  }
  let host = 0
  for (const parent of level) {
    for (let i = 0; i < fanout; i++) {
      draft.cable(parent, draft.node(`h${++host}`, hostOf(options)), access)
    }
  }
  return draft.addressed(options.pool)
}

export interface FullMeshOptions extends ShapeOptions {
  readonly routers: number
  /** Between routers. */
  readonly link?: LinkChoice
  /** Between a router and its host. */
  readonly access?: LinkChoice
}

/** Routers `r1` … each with a link to every other one, and each with a host `h1` … . */
export function fullMesh(options: FullMeshOptions): Shape {
  const routers = whole('routers', options.routers, 1, MESH_MAX)
  const draft = new ShapeDraft()
  const names = Array.from({ length: routers }, (_, i) =>
    draft.node(`r${i + 1}`, routerOf(options)),
  )
  for (const [i, a] of names.entries()) {
    for (const b of names.slice(i + 1)) draft.cable(a, b, options.link)
  }
  for (const [i, router] of names.entries()) {
    draft.cable(router, draft.node(`h${i + 1}`, hostOf(options)), options.access)
  }
  return draft.addressed(options.pool)
}

export interface RandomOptions extends ShapeOptions {
  /** The same seed gives the same network. */
  readonly seed: string | number
  readonly routers: number
  /** Links beyond those that a tree needs; half as many as routers unless given. */
  readonly extra?: number
  /** Each on a router that is drawn; as many as routers unless given. */
  readonly hosts?: number
  readonly link?: LinkChoice
  readonly access?: LinkChoice
}

/**
 * A connected network of routers `r1` … with hosts `h1` … . Each router is linked to one that is
 * drawn from those before it; extra links join pairs that have none yet, each equally likely.
 */
export function random(options: RandomOptions): Shape {
  const routers = whole('routers', options.routers, 1, MESH_MAX)
  const most = (routers * (routers - 1)) / 2 - (routers - 1)
  const extra = whole('extra', options.extra ?? Math.min(routers >> 1, most), 0)
  if (extra > most) {
    throw new UserError(`${routers} routers have no room for ${extra} extra links`, {
      where: 'extra',
      hint: `expected at most ${most}`,
    })
  }
  const hosts = whole('hosts', options.hosts ?? routers, 0)
  const seed = String(options.seed)
  const draft = new ShapeDraft()
  const names = Array.from({ length: routers }, (_, i) =>
    draft.node(`r${i + 1}`, routerOf(options)),
  )
  for (const [a, b] of randomPairs(routers, extra, seed)) {
    draft.cable(names[a]!, names[b]!, options.link)
  }
  // A stream for each purpose: more links leave the hosts where they were.
  const draw = stream(seed, 'shape/hosts')
  for (let i = 1; i <= hosts; i++) {
    const host = draft.node(`h${i}`, hostOf(options))
    draft.cable(names[below(routers, draw)]!, host, options.access)
  }
  return draft.addressed(options.pool)
}

/** A spanning tree first, then the extra ones: pairs of indices, the lower one first. */
function randomPairs(routers: number, extra: number, seed: string): [number, number][] {
  const draw = stream(seed, 'shape/tree')
  const pairs: [number, number][] = []
  const linked = new Set<number>()
  for (let b = 1; b < routers; b++) {
    const a = below(b, draw)
    pairs.push([a, b])
    linked.add(a * routers + b)
  }
  const free: [number, number][] = []
  for (let a = 0; a < routers; a++) {
    for (let b = a + 1; b < routers; b++) if (!linked.has(a * routers + b)) free.push([a, b])
  }
  const drawExtra = stream(seed, 'shape/extra')
  for (let i = 0; i < extra; i++) {
    const at = below(free.length, drawExtra)
    pairs.push(free[at]!)
    free[at] = free[free.length - 1]!
    free.pop()
  }
  return pairs
}

const below = (limit: number, draw: RandomStream): number => Math.floor(draw() * limit)

const hostOf = ({ host }: ShapeOptions): NodeSpec => ({ ...host, kind: 'host' })
const routerOf = ({ router }: ShapeOptions): NodeSpec => ({ ...router, kind: 'router' })

/** A slip of the pen asks for more than any machine holds. */
const NODES_MAX = 100_000
/** Where every pair counts. */
const MESH_MAX = 1000

function whole(name: string, n: number, least: number, most = NODES_MAX): number {
  if (Number.isSafeInteger(n) && n >= least && n <= most) return n
  throw new UserError(`${n} is not a whole number from ${least} to ${most}`, {
    where: name,
    word: String(n),
  })
}
