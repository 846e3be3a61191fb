import type { Nanos } from '../protocols/time.ts'

/*
 * Time series of a run: what changed, when. As NDJSON the first line says what the file is, and
 * every other line is one subject at one instant with those of its variables that have changed:
 *
 *   {"schema":1,"kind":"series","scenario":"dumbbell","seed":"1"}
 *   {"at":21000000,"of":"tcp s0:50321 > d0:5000","cwnd":14480,"flight":0}
 *
 * As CSV there is one line for each variable that has changed: `at,of,variable,value`.
 */

export const SERIES_SCHEMA = 1

/** What series have. Times are nanoseconds, everything else bytes or frames. */
export const SERIES_VARIABLES = {
  cwnd: 'congestion window, bytes',
  ssthresh: 'slow-start threshold, bytes',
  pacingRate: 'bytes a second at which segments leave, where they are paced',
  srtt: 'smoothed round-trip time, nanoseconds',
  rto: 'retransmission timeout, nanoseconds',
  flight: 'bytes sent and not yet acknowledged',
  queueFrames: 'frames that wait for transmission',
  queueBytes: 'bytes that wait for transmission',
} as const

export type SeriesVariable = keyof typeof SERIES_VARIABLES

/** Variables that have a value. What is left out has not changed. */
export type SeriesValues = { readonly [variable in SeriesVariable]?: number }

export interface SeriesPoint {
  readonly at: Nanos
  /** `tcp a:49152 > b:80` for a connection's sender, `link a>b` for a queue. */
  readonly of: string
  readonly values: SeriesValues
}

/** Somebody who listens to series. */
export type SeriesObserver = (point: SeriesPoint) => void

/** Lets through what differs from the last value of the same subject and variable. */
export class SeriesChanges {
  readonly #last = new Map<string, { [variable: string]: number }>()
  readonly #observer: SeriesObserver

  constructor(observer: SeriesObserver) {
    this.#observer = observer
  }

  sample(at: Nanos, of: string, values: SeriesValues): void {
    let last = this.#last.get(of)
    if (last === undefined) {
      last = {}
      this.#last.set(of, last)
    }
    const changed: { [variable: string]: number } = {}
    let any = false
    for (const [variable, value] of Object.entries(values)) {
      if (last[variable] === value) continue
      last[variable] = value
      changed[variable] = value
      any = true
    }
    if (any) this.#observer({ at, of, values: changed })
  }
}

export type SeriesFormat = 'ndjson' | 'csv'

/** The first line of a file, without its newline. */
export function seriesHeader(
  format: SeriesFormat,
  run: { scenario: string; seed: string },
): string {
  if (format === 'csv') return 'at,of,variable,value'
  const { scenario, seed } = run
  return JSON.stringify({ schema: SERIES_SCHEMA, kind: 'series', scenario, seed })
}

/** A point's line, or its lines, without the last newline. */
export function seriesText(format: SeriesFormat, { at, of, values }: SeriesPoint): string {
  if (format === 'ndjson') return JSON.stringify({ at, of, ...values })
  // Names of nodes hold neither commas nor quotes.
  const rows = Object.entries(values).map(([name, value]) => `${at},${of},${name},${value}`)
  return rows.join('\n')
}

/** A file of series as read back. */
export interface SeriesFile {
  readonly scenario: string
  readonly seed: string
  readonly points: readonly SeriesPoint[]
}

/** What is wrong with a file of series, and in which line, counted from 1. */
export interface SeriesRefusal {
  readonly error: string
  readonly line: number
}

/** Reads NDJSON as `seriesText` writes it. Variables that it does not know are left out. */
export function parseSeries(text: string): SeriesFile | SeriesRefusal {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const head = objectOf(lines[0] ?? '')
  if (head === null || head['kind'] !== 'series') {
    return { error: 'this is no file of series', line: 1 }
  }
  if (head['schema'] !== SERIES_SCHEMA) {
    return { error: `series of schema ${String(head['schema'])} are unknown`, line: 1 }
  }
  const points: SeriesPoint[] = []
  for (let i = 1; i < lines.length; i++) {
    const point = objectOf(lines[i]!)
    if (point === null || typeof point['at'] !== 'number' || typeof point['of'] !== 'string') {
      return { error: 'this line is no point of a series', line: i + 1 }
    }
    const values: { [variable in SeriesVariable]?: number } = {}
    for (const variable of Object.keys(SERIES_VARIABLES) as SeriesVariable[]) {
      const value = point[variable]
      if (typeof value === 'number') values[variable] = value
    }
    points.push({ at: point['at'], of: point['of'], values })
  }
  return { scenario: String(head['scenario']), seed: String(head['seed']), points }
}

function objectOf(line: string): { readonly [key: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null
      ? (value as { readonly [key: string]: unknown })
      : null
  } catch {
    return null
  }
}
