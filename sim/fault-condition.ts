import type { TraceRecord } from '../trace/record.ts'
import { didYouMean } from './suggest.ts'
import { UserError } from './user-error.ts'
import type { World } from './world.ts'

/** Watches the trace and fires when what it waits for has happened so and so often. */
export interface Condition {
  see(record: TraceRecord): void
}

type Test = (record: TraceRecord) => boolean

/** What a pattern can wait for. */
const THINGS: { readonly [thing: string]: Test } = {
  frame: (r) => r.kind === 'sent',
  drop: (r) => (r.kind === 'sent' && r.dropped !== null) || says(r, 'dropped'),
  retransmit: (r) => says(r, 'retransmit'),
  connected: (r) => says(r, 'connected'),
  accepted: (r) => says(r, 'accepted'),
  closed: (r) => says(r, 'closed'),
  failed: (r) => says(r, 'failed'),
  datagram: (r) => says(r, 'datagram'),
  received: (r) => says(r, 'received'),
  fault: (r) => r.kind === 'fault',
}

const ORDINALS: { readonly [word: string]: number } = { first: 1, second: 2, third: 3 }

const PATTERN =
  /^(?:(first|second|third|(\d+)(?:st|nd|rd|th)) )?(?:state ([A-Z0-9-]+)|([a-z]+))(?: on (\S+))?$/

/**
 * `'first retransmit on a'`, `'3rd drop on a>b'`, `'state ESTABLISHED on b'`, or a predicate over
 * trace records. Fires `times` times at most: at the ordinal, then at every further match.
 *
 * @throws UserError for a pattern that means nothing.
 */
export function readCondition(
  written: string | ((record: TraceRecord) => boolean),
  times: number,
  where: string,
  world: World,
  fire: () => void,
): Condition {
  if (typeof written !== 'string') return counting(written, 1, times, fire)
  const match = PATTERN.exec(written)
  const at = `${where}: when`
  if (match === null) {
    throw new UserError(`'${written}' is no condition`, {
      where: at,
      word: written,
      hint: "write one such as 'first retransmit on a' or 'state ESTABLISHED on b'",
    })
  }
  const [, word, number, state, thing, place] = match
  const ordinal = number === undefined ? (ORDINALS[word ?? 'first'] ?? 1) : Number(number)
  const test = state === undefined ? thingTest(thing!, at) : stateTest(state)
  const here = place === undefined ? () => true : placeTest(place, at, world)
  return counting((record) => test(record) && here(record), ordinal, times, fire)
}

function counting(test: Test, from: number, times: number, fire: () => void): Condition {
  let seen = 0
  return {
    see(record) {
      if (!test(record)) return
      seen += 1
      if (seen >= from && seen < from + times) fire()
    },
  }
}

function thingTest(thing: string, where: string): Test {
  const test = Object.hasOwn(THINGS, thing) ? THINGS[thing] : undefined
  if (test !== undefined) return test
  const names = [...Object.keys(THINGS), 'state']
  throw new UserError(`'${thing}' is nothing to wait for`, {
    where,
    word: thing,
    hint: didYouMean(thing, names) ?? `expected one of ${names.join(', ')}`,
  })
}

const stateTest =
  (state: string): Test =>
  (record) =>
    record.kind === 'event' && record.said.kind === 'tcp-state' && record.said.to === state

function placeTest(place: string, where: string, world: World): Test {
  if (world.nodes.some((node) => node.name === place)) return (record) => record.node === place
  if (world.links.some((link) => link.name === place)) {
    return (record) => 'link' in record && record.link === place
  }
  const names = [...world.nodes, ...world.links].map(({ name }) => name)
  const hint = didYouMean(place, names)
  throw new UserError(`there is no node or link '${place}'`, {
    where,
    word: place,
    ...(hint === undefined ? {} : { hint }),
  })
}

function says(record: TraceRecord, kind: string): boolean {
  return record.kind === 'event' && record.said.kind === kind
}
