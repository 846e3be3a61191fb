import type { LinkSpec, Scenario, ScheduleEntry } from '../sim/scenario.ts'
import { defineScenario } from '../sim/scenario.ts'
import { NODE_NAME } from '../sim/topology-nodes.ts'
import { UserError } from '../sim/user-error.ts'
import { type Binding, readBinding } from './bind-device.ts'
import { NetworkInterface } from './network-interface.ts'

/** A link that only delays may carry what a kernel leaves to its card to be cut, uncut. */
const LONGEST_MTU = 65_535
const USUAL_MTU = 1500

/** Two interfaces of this machine, and a simulated link in between. */
export interface Emulation {
  readonly scenario: Scenario
  readonly bindings: readonly Binding[]
  /** No part of the link looks behind the Ethernet header. */
  readonly opaque: boolean
}

/**
 * @param interfaces `eth1`, or a device such as `tap:tap0`.
 * @param link what it does in both directions; `to` what it does else towards one of the two.
 * @throws UserError for what cannot be read.
 */
export function emulation(
  interfaces: readonly [string, string],
  link: LinkSpec,
  to: { readonly [name: string]: LinkSpec } = {},
): Emulation {
  const bindings = interfaces.map((text, i) => {
    const device = text.includes(':') ? text : `packet:${text}`
    return readBinding(`${'ab'[i]!}=${device}`)
  })
  if (interfaces[0] === interfaces[1]) {
    throw new UserError('a link has two ends', { where: `emulate ${interfaces.join(' ')}` })
  }
  // They are called as the interfaces are, where nodes can be.
  const taken = bindings.map(({ name }) => name)
  const usable = taken.every((name) => NODE_NAME.test(name)) && taken[0] !== taken[1]
  const [a, b] = (usable ? taken : ['a', 'b']) as [string, string]
  for (const end of Object.keys(to)) {
    if (end === a || end === b) continue
    throw new UserError(`'${end}' is not an end of this link`, {
      where: '--to',
      hint: `expected ${a} or ${b}`,
    })
  }
  const all = [link, ...Object.values(to)]
  const everything = [...all, ...all.flatMap(({ schedule = [] }) => schedule)]
  const mtu = everything.every(onlyDelays) ? LONGEST_MTU : Math.max(...bindings.map(mtuOf))
  const scenario = defineScenario({
    name: 'emulate',
    topology: { [a]: 'host', [b]: 'host' },
    links: [{ mtu, ...link, ends: { [a]: null, [b]: null }, to }],
  })
  const named = bindings.map((binding, i) => ({ ...binding, place: i === 0 ? a : b }))
  return { scenario, bindings: named, opaque: !everything.some(looksInside) }
}

const onlyDelays = (spec: LinkSpec): boolean =>
  Object.keys(spec).every((key) => ['at', 'delay', 'schedule'].includes(key))

function mtuOf({ name }: Binding): number {
  const device = new NetworkInterface(name)
  return device.index === 0 ? USUAL_MTU : device.mtu
}

/** Queues that mark or tell flows apart, and rules that name kinds of segments. */
const looksInside = ({ queue, drop }: LinkSpec): boolean =>
  drop !== undefined ||
  (typeof queue === 'string' ? !/^\s*[\d.]/.test(queue) : typeof queue === 'object')

const KEYS = [
  'delay',
  'jitter',
  'distribution',
  'loss',
  'duplicate',
  'reorder',
  'corrupt',
  'rate',
  'queue',
  'slot',
  'drop',
] as const

/** `at=5s rate=1Mbit loss=10%`: a change of the link, as words. */
export function readScheduleEntry(text: string, where: string): ScheduleEntry {
  const { at, ...rest } = readLinkWords(text, where, ['at', ...KEYS])
  if (at === undefined) {
    throw new UserError('it has no time', { where, hint: "write 'at=5s rate=1Mbit'" })
  }
  return { at, ...rest }
}

/** `delay=5ms loss=1%`. A value with spaces stands in quotes or behind the last `=`. */
export function readLinkWords(
  text: string,
  where: string,
  keys: readonly string[] = KEYS,
): LinkSpec & { readonly at?: string } {
  const pattern = new RegExp(String.raw`(?:^|[\s,]+)(\w+)=`, 'g')
  const found = [...text.matchAll(pattern)]
  const spec: { [key: string]: string } = {}
  if (found[0]?.index !== 0) {
    throw new UserError(`'${text}' says nothing`, { where, hint: "write 'delay=5ms loss=1%'" })
  }
  for (const [i, match] of found.entries()) {
    const key = match[1]!
    if (!keys.includes(key)) {
      const hint = `expected ${keys.join(', ')}`
      throw new UserError(`unknown key '${key}'`, { where, word: key, hint })
    }
    spec[key] = text.slice(match.index + match[0].length, found[i + 1]?.index).trim()
  }
  return spec
}
