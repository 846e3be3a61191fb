import type { IpAddress } from '../address.ts'
import { drawSpan, type RandomWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'

/**
 * Tells routers which groups are listened to on one interface: MLDv2, RFC 3810 §6, and IGMPv3, RFC
 * 3376 §5, which is the same for IPv4. Without source filters, so that a group is wanted or not. Left
 * out: speaking MLDv1 to a router that knows nothing else (RFC 3810 §8).
 */

export const MODE_IS_EXCLUDE = 2
export const CHANGE_TO_INCLUDE = 3
export const CHANGE_TO_EXCLUDE = 4

/** What a router asks. */
export interface GroupQuery<Group> {
  /** `null`: about every group. */
  readonly group: Group | null
  /** How long answers may take. */
  readonly within: Nanos
  /** 0: not said. */
  readonly robustness: number
}

/** A group and what is said about it; sources are never named here. */
export interface GroupRecord<Group> {
  readonly type: number
  readonly group: Group
}

/** RFC 3810 §9.1 and §9.11. */
export const ROBUSTNESS = 2
export const UNSOLICITED_REPORT_INTERVAL: Nanos = s(1)

export interface Groups<Group extends IpAddress> extends RandomWord {
  /** §9.1, as the querier has it. */
  robustness: number
  /** What is wanted, in the order in which it became so. */
  groups: readonly Group[]
  /** Changes that have to be told, each so many times more. */
  changes: { readonly group: Group; readonly joined: boolean; left: number }[]
  changesAt: Nanos
  /** When a general query is answered. */
  answerAt: Nanos
  /** When a query about one group is. */
  answers: { readonly group: Group; at: Nanos }[]
}

export interface GroupOut<Group> {
  report(records: readonly GroupRecord<Group>[]): void
}

export const createGroups = <Group extends IpAddress>(seed: number): Groups<Group> => ({
  random: seed | 0,
  robustness: ROBUSTNESS,
  groups: [],
  changes: [],
  changesAt: NEVER,
  answerAt: NEVER,
  answers: [],
})

/** A group is wanted from `at` on, or no longer. `quiet`: nobody is told, unless they ask. */
export function wantGroup<Group extends IpAddress>(
  state: Groups<Group>,
  at: Nanos,
  group: Group,
  joined: boolean,
  quiet: boolean,
): void {
  const others = state.groups.filter((each) => each !== group)
  state.groups = joined ? [...others, group] : others
  if (quiet) return
  state.changes = state.changes.filter((change) => change.group !== group)
  state.changes.push({ group, joined, left: state.robustness })
  state.changesAt = Math.min(state.changesAt, at)
}

/** §6.2: a query is answered after a random time, unless a general answer comes first anyway. */
export function queryHeard<Group extends IpAddress>(
  state: Groups<Group>,
  now: Nanos,
  query: GroupQuery<Group>,
): void {
  if (query.robustness > 0) state.robustness = query.robustness
  const at = now + drawSpan(state, 0, query.within)
  if (state.answerAt <= at) return
  const { group: asked } = query
  if (asked === null) {
    state.answerAt = at
    return
  }
  if (!state.groups.includes(asked)) return
  const pending = state.answers.find(({ group }) => group === asked)
  if (pending === undefined) state.answers.push({ group: asked, at })
  else pending.at = Math.min(pending.at, at)
}

/** The earliest deadline. */
export function groupsNextDue({ changesAt, answerAt, answers }: Groups<IpAddress>): Nanos {
  let earliest = Math.min(changesAt, answerAt)
  for (const { at } of answers) earliest = Math.min(earliest, at)
  return earliest
}

/** Does what is due. Early calls do nothing. */
export function groupsTimer<Group extends IpAddress>(
  state: Groups<Group>,
  now: Nanos,
  out: GroupOut<Group>,
): void {
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
function tellChanges<Group extends IpAddress>(
  state: Groups<Group>,
  now: Nanos,
  out: GroupOut<Group>,
): void {
  const records = state.changes.map(({ group, joined }) => {
    return { type: joined ? CHANGE_TO_EXCLUDE : CHANGE_TO_INCLUDE, group }
  })
  for (const change of state.changes) change.left -= 1
  state.changes = state.changes.filter(({ left }) => left > 0)
  const again = state.changes.length > 0
  state.changesAt = again ? now + drawSpan(state, 0, UNSOLICITED_REPORT_INTERVAL) : NEVER
  out.report(records)
}
