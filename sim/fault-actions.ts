import type { LinkDirection } from './link.ts'
import type { LinkOptions } from './link.ts'
import type { Node } from './node.ts'
import type { Programs } from './programs.ts'
import type { LinkSpec } from './scenario.ts'
import { didYouMean } from './suggest.ts'
import { readLinkChange, unknownKey } from './topology-links.ts'
import { UserError } from './user-error.ts'
import type { World } from './world.ts'

/** One thing that can be done to a network, and undone. */
export interface FaultAction {
  /** For the trace: `link a>b down`. */
  readonly what: string
  /** Does it; returns what mends it, `null` where nothing does. */
  apply(): (() => void) | null
}

const LINK_KEYS = 'link set down up hold release partition oneWay heal'
const ACTION_KEYS = `${LINK_KEYS} crash restart pause resume`.split(' ')

/** What a fault does, as written; keys that say when are gone. */
export type Written = { readonly [key: string]: unknown }

/** @throws UserError for what it does not understand. */
export function readAction(
  what: Written,
  world: World,
  programs: Programs,
  where: string,
): FaultAction {
  for (const key of Object.keys(what)) {
    if (!ACTION_KEYS.includes(key)) throw unknownKey(key, ACTION_KEYS, where)
  }
  if ('link' in what) return linkAction(what, world, where)
  if ('partition' in what) return partition(what, world, where)
  if (what['heal'] === true) return heal(world)
  const nodeOf = (key: string): Node => findNode(what[key], world, `${where}: ${key}`)
  if ('crash' in what) return crash(nodeOf('crash'), programs)
  if ('restart' in what) return restart(nodeOf('restart'), programs)
  if ('pause' in what) return pause(nodeOf('pause'))
  if ('resume' in what) return resume(nodeOf('resume'))
  throw new UserError('it does nothing', {
    where,
    hint: "say what: 'link', 'partition', 'heal', 'crash', 'restart', 'pause' or 'resume'",
  })
}

function findNode(name: unknown, world: World, where: string): Node {
  const found = world.nodes.find((node) => node.name === name)
  if (found !== undefined) return found
  const hint = didYouMean(
    String(name),
    world.nodes.map((node) => node.name),
  )
  throw new UserError(`there is no node '${String(name)}'`, {
    where,
    word: String(name),
    ...(hint === undefined ? {} : { hint }),
  })
}

/** `a>b` is one direction, `a-b` both. */
function findLinks(name: unknown, world: World, where: string): LinkDirection[] {
  const links = world.links.filter(
    (link) => link.name === name || link.name.replace('>', '-') === name,
  )
  const reversed = world.links.filter((link) => {
    const [from, to] = ends(link)
    return `${to}-${from}` === name
  })
  // `a-b` names the two directions of one link, written from either end.
  const found = String(name).includes('-') ? [...links, ...reversed] : links
  if (found.length > 0) return found
  const names = world.links.map((link) => link.name)
  const hint = didYouMean(String(name), names) ?? `expected one of ${names.join(', ')}`
  throw new UserError(`there is no link '${String(name)}'`, { where, word: String(name), hint })
}

/** The nodes that a direction leads from and to. */
function ends(link: LinkDirection): [string, string] {
  const [from, to] = link.name.split('#')[0]!.split('>')
  return [from!, to!]
}

function linkAction(what: Written, world: World, where: string): FaultAction {
  const links = findLinks(what['link'], world, `${where}: link`)
  const name = String(what['link'])
  const each = (act: (link: LinkDirection) => void) => () => {
    for (const link of links) act(link)
  }
  if (what['set'] !== undefined) {
    const spec = what['set'] as LinkSpec
    return setOptions(links, name, Object.keys(spec), readLinkChange(spec, `${where}: set`))
  }
  const [down, up] = [each((link) => link.down()), each((link) => link.up())]
  const [hold, release] = [each((link) => link.hold()), each((link) => link.release(world.now))]
  if (what['down'] === true) return reversible(`link ${name} down`, down, up)
  if (what['up'] === true) return reversible(`link ${name} up`, up, down)
  if (what['hold'] === true) return reversible(`link ${name} held`, hold, release)
  if (what['release'] === true) return reversible(`link ${name} released`, release, hold)
  throw new UserError(`it does nothing to link ${name}`, {
    where,
    hint: "say 'set', 'down: true', 'up: true', 'hold: true' or 'release: true'",
  })
}

function reversible(what: string, act: () => void, mend: () => void): FaultAction {
  return {
    what,
    apply: () => {
      act()
      return mend
    },
  }
}

function setOptions(
  links: readonly LinkDirection[],
  name: string,
  written: readonly string[],
  changes: Partial<LinkOptions>,
): FaultAction {
  return {
    what: `link ${name} set ${written.join(', ')}`,
    apply: () => {
      const before = links.map((link) => link.options)
      for (const link of links) link.setOptions(changes)
      return () => {
        links.forEach((link, index) => link.setOptions(valuesOf(before[index]!, changes)))
      }
    },
  }
}

/** What the options were that a change has changed. */
function valuesOf(before: LinkOptions, changes: Partial<LinkOptions>): Partial<LinkOptions> {
  const keys = Object.keys(changes) as (keyof LinkOptions)[]
  return Object.fromEntries(keys.map((key) => [key, before[key]]))
}

/** Every link between two groups is cut; nodes that are in none form one more. */
function partition(what: Written, world: World, where: string): FaultAction {
  const groups = what['partition']
  if (!Array.isArray(groups) || groups.length === 0 || !groups.every(Array.isArray)) {
    throw new UserError('a partition is a list of groups of nodes', {
      where,
      hint: "write partition: [['a'], ['b', 'c']]",
    })
  }
  const side = new Map<string, number>()
  for (const [index, group] of (groups as unknown[][]).entries()) {
    for (const name of group) {
      side.set(findNode(name, world, `${where}: partition`).name, index)
    }
  }
  const sideOf = (name: string): number => side.get(name) ?? groups.length
  const cut = world.links.filter((link) => {
    const [from, to] = ends(link).map(sideOf)
    // One way: what the first group sends still arrives.
    return from !== to && !(what['oneWay'] === true && from === 0)
  })
  const shown = (groups as string[][]).map((group) => group.join('+')).join(' | ')
  return reversible(
    `partition ${shown}`,
    () => {
      for (const link of cut) link.down()
    },
    () => {
      for (const link of cut) link.up()
    },
  )
}

function heal(world: World): FaultAction {
  return {
    what: 'all links up',
    apply: () => {
      for (const link of world.links) {
        while (link.isDown) link.up()
        while (link.isHeld) link.release(world.now)
      }
      return null
    },
  }
}

function crash(node: Node, programs: Programs): FaultAction {
  return reversible(
    `host ${node.name} crashed`,
    () => node.crash(),
    () => start(node, programs),
  )
}

function restart(node: Node, programs: Programs): FaultAction {
  return {
    what: `host ${node.name} restarted`,
    apply: () => {
      node.crash()
      start(node, programs)
      return null
    },
  }
}

function start(node: Node, programs: Programs): void {
  if (node.up) return
  node.restart()
  programs.restart(node)
}

const pause = (node: Node): FaultAction =>
  reversible(
    `host ${node.name} paused`,
    () => node.pause(),
    () => node.resume(),
  )

function resume(node: Node): FaultAction {
  return {
    what: `host ${node.name} resumed`,
    apply: () => {
      node.resume()
      return null
    },
  }
}
