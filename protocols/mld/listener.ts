import type { Ipv6Address } from '../address.ts'
import { ALL_NODES, SCOPE_LINK, scopeOf, UNSPECIFIED } from '../ipv6/address.ts'
import { drawSpan, type RandomWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import {
  CHANGE_TO_EXCLUDE,
  CHANGE_TO_INCLUDE,
  type MldQuery,
  type MldRecord,
  MODE_IS_EXCLUDE,
} from './codec.ts'

/**
 * Tells routers which groups are listened to on one interface: MLDv2, RFC 3810 §6, without source
 * filters, so that a group is wanted or not. Left out: speaking MLDv1 to a router that knows nothing
 * else (§8).
 */

/** RFC 3810 §9.1 and §9.11. */
export const ROBUSTNESS = 2
export const UNSOLICITED_REPORT_INTERVAL: Nanos = s(1)

export interface Mld extends RandomWord {
  /** §9.1, as the querier has it. */
  robustness: number
  /** What is wanted, in the order in which it became so. */
  groups: readonly Ipv6Address[]
  /** Changes that have to be told, each so many times more. */
  changes: { readonly group: Ipv6Address; readonly joined: boolean; left: number }[]
  changesAt: Nanos
  /** When a general query is answered. */
  answerAt: Nanos
  /** When a query about one group is. */
  answers: { readonly group: Ipv6Address; at: Nanos }[]
}

export interface MldOut {
  report(records: readonly MldRecord[]): void
}

export const createMld = (seed: number): Mld => ({
  random: seed | 0,
  robustness: ROBUSTNESS,
  groups: [],
  changes: [],
  changesAt: NEVER,
  answerAt: NEVER,
  answers: [],
})

/** §6: all nodes listen to some groups, and of what does not leave a host nobody else need know. */
const isTold = (group: Ipv6Address): boolean => group !== ALL_NODES && scopeOf(group) >= SCOPE_LINK

/** A group is wanted from `at` on, or no longer. `quiet`: nobody is told, unless they ask. */
export function wantGroup(
  state: Mld,
  at: Nanos,
  group: Ipv6Address,
  joined: boolean,
  quiet: boolean,
): void {
  if (!isTold(group)) return
  const others = state.groups.filter((each) => each !== group)
  state.groups = joined ? [...others, group] : others
  if (quiet) return
  state.changes = state.changes.filter((change) => change.group !== group)
  state.changes.push({ group, joined, left: state.robustness })
  state.changesAt = Math.min(state.changesAt, at)
}

/** §6.2: a query is answered after a random time, unless a general answer comes first anyway. */
export function queryHeard(state: Mld, now: Nanos, query: MldQuery): void {
  if (query.robustness > 0) state.robustness = query.robustness
  const at = now + drawSpan(state, 0, query.within)
  if (state.answerAt <= at) return
  if (query.group === UNSPECIFIED) {
    state.answerAt = at
    return
  }
  if (!state.groups.includes(query.group)) return
  const pending = state.answers.find(({ group }) => group === query.group)
  if (pending === undefined) state.answers.push({ group: query.group, at })
  else pending.at = Math.min(pending.at, at)
}

/** The earliest deadline. */
export function mldNextDue({ changesAt, answerAt, answers }: Mld): Nanos {
  let earliest = Math.min(changesAt, answerAt)
  for (const { at } of answers) earliest = Math.min(earliest, at)
  return earliest
}

/** Does what is due. Early calls do nothing. */
export function mldTimer(state: Mld, now: Nanos, out: MldOut): void {
  if (state.changesAt <= now) tellChanges(state, now, out)
  if (state.answerAt <= now) {
    state.answerAt = NEVER
    state.answers = []
    const records = state.groups.map((group) => ({ type: MODE_IS_EXCLUDE, group }))
    if (records.length > 0) out.report(records)
  }
  const due = state.answers.filter(({ at }) => at <= now)
  if (due.length === 0) return
  state.answers = state.answers.filter(({ at }) => at > now)
  const wanted = due.filter(({ group }) => state.groups.includes(group))
  if (wanted.length > 0) {
    out.report(wanted.map(({ group }) => ({ type: MODE_IS_EXCLUDE, group })))
  }
}

/** §6.1: at once, and again within a second, in case the first was lost. */
function tellChanges(state: Mld, now: Nanos, out: MldOut): void {
  const records = state.changes.map(({ group, joined }) => {
    return { type: joined ? CHANGE_TO_EXCLUDE : CHANGE_TO_INCLUDE, group }
  })
  for (const change of state.changes) change.left -= 1
  state.changes = state.changes.filter(({ left }) => left > 0)
  const again = state.changes.length > 0
  state.changesAt = again ? now + drawSpan(state, 0, UNSOLICITED_REPORT_INTERVAL) : NEVER
  out.report(records)
}
