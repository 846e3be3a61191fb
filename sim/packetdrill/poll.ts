import { ALWAYS, POLLERR, readinessOf } from '../readiness.ts'
import { numberOf, POLLNVAL } from './constants.ts'
import type { Attempt } from './attempt.ts'
import type { Descriptors } from './descriptors.ts'
import { type Outcome, returned } from './errno-result.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'

interface Watched {
  readonly fd: number
  readonly events: number
  readonly revents: number
}

/** `poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, timeout)`: revents are what is expected. */
export function pollOutcome(call: SystemCall, line: number, files: Descriptors): Attempt {
  const watched = watchedOf(call.args[0], line)
  const timeout = numberOf(call.args[2], line)
  const deadline = timeout < 0 ? Infinity : files.stage.now + timeout * 1e6
  return {
    otherwise: null,
    wakeAt: deadline,
    try: () => {
      const ready = watched.map(
        ({ fd, events }) => readiness(files, fd) & (events | ALWAYS | POLLNVAL),
      )
      const count = ready.filter((bits) => bits !== 0).length
      if (count === 0 && files.stage.now < deadline) return null
      return judged(watched, ready, count)
    },
  }
}

function judged(watched: readonly Watched[], ready: readonly number[], count: number): Outcome {
  const wrong = watched.findIndex(({ revents }, i) => revents !== ready[i])
  if (wrong < 0) return returned(count)
  const hex = (bits: number): string => `revents 0x${bits.toString(16)}`
  const differs = { expected: hex(watched[wrong]!.revents), actual: hex(ready[wrong]!) }
  return { ...returned(count), differs }
}

export function watchedOf(e: Expression | undefined, line: number): Watched[] {
  if (e?.kind !== 'list') throw new Unsupported('poll without a list', line)
  return e.items.map((item) => {
    const fields = item.kind === 'fields' ? item.fields : []
    const field = (name: string): number =>
      numberOf(fields.find((each) => each.name === name)?.value, line)
    return { fd: field('fd'), events: field('events'), revents: field('revents') }
  })
}

/** The events that a descriptor is ready for. */
export function readiness(files: Descriptors, fd: number): number {
  const d = files.get(fd)
  if (d === undefined) return files.other(fd) === undefined ? POLLNVAL : 0
  const waiting = d.ready.length + d.datagrams.length
  const told = d.errors.records.length > 0 ? POLLERR : 0
  return told | readinessOf(files.socketOf(d), { error: d.error !== null, waiting })
}
