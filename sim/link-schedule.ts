import type { Nanos } from '../protocols/time.ts'
import type { LinkDirection } from './link.ts'

/** What keeps the time, and tells the trace. */
export interface Timetable {
  at(time: Nanos, wake: () => void): unknown
  fault(what: string): void
}

/** Changes the link when its schedule says so. What is written for time 0 holds from the start. */
export function scheduleChanges(link: LinkDirection, timetable: Timetable): void {
  for (const { at, set, keys } of link.options.schedule) {
    if (at === 0) {
      link.setOptions(set)
      continue
    }
    timetable.at(at, () => {
      link.setOptions(set)
      timetable.fault(`link ${link.name} set ${keys.join(', ')}`)
    })
  }
}
