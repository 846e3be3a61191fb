import type { SeriesFile, SeriesVariable } from '../trace/series.ts'

/** What can be plotted, by its option. */
export const PLOTS = {
  cwnd: { variable: 'cwnd', title: 'congestion window', unit: 'kB', scale: 1e-3 },
  ssthresh: { variable: 'ssthresh', title: 'slow-start threshold', unit: 'kB', scale: 1e-3 },
  pacing: { variable: 'pacingRate', title: 'pacing rate', unit: 'MB/s', scale: 1e-6 },
  flight: { variable: 'flight', title: 'in flight', unit: 'kB', scale: 1e-3 },
  rtt: { variable: 'srtt', title: 'smoothed round-trip time', unit: 'ms', scale: 1e-6 },
  rto: { variable: 'rto', title: 'retransmission timeout', unit: 'ms', scale: 1e-6 },
  queue: { variable: 'queueFrames', title: 'queue', unit: 'frames', scale: 1 },
  queueBytes: { variable: 'queueBytes', title: 'queue', unit: 'kB', scale: 1e-3 },
} as const satisfies { readonly [name: string]: PlotKind }

interface PlotKind {
  readonly variable: SeriesVariable
  readonly title: string
  readonly unit: string
  readonly scale: number
}
export type PlotName = keyof typeof PLOTS

/** Where nobody says what to plot. */
export const DEFAULT_PLOTS: readonly PlotName[] = ['cwnd', 'rtt', 'queue']

/** A plot: one variable of several subjects over the same time. */
export interface Panel {
  readonly title: string
  readonly unit: string
  /** Seconds: of the whole file. */
  readonly from: number
  readonly to: number
  /** Those that changed most, by name. */
  readonly curves: readonly Curve[]
  /** Subjects that are left out, since they changed least. */
  readonly hidden: number
}

/** A value holds from its time up to the next one. */
export interface Curve {
  readonly name: string
  /** Seconds. */
  readonly times: readonly number[]
  readonly values: readonly number[]
}

/** Takes the panels out of a file; a variable that nobody has gives none. */
export function panelsOf(
  file: SeriesFile,
  names: readonly PlotName[],
  isWanted: (of: string) => boolean,
  curvesMax: number,
): Panel[] {
  const { points } = file
  const from = 0
  const to = (points.at(-1)?.at ?? 0) / 1e9
  return names.flatMap((name) => {
    const { variable, title, unit, scale } = PLOTS[name]
    const curves = new Map<string, { name: string; times: number[]; values: number[] }>()
    for (const { at, of, values } of points) {
      const value = values[variable]
      if (value === undefined || !isWanted(of)) continue
      let curve = curves.get(of)
      if (curve === undefined) {
        curve = { name: of.slice(of.indexOf(' ') + 1), times: [], values: [] }
        curves.set(of, curve)
      }
      curve.times.push(at / 1e9)
      curve.values.push(value * scale)
    }
    // A value that never changes says little: the receiver's window, a link that is never full.
    const all = [...curves.values()].toSorted((a, b) => b.times.length - a.times.length)
    const lively = all.filter(({ times }) => times.length > 1)
    // In the order of their names, so that a subject has its colour in every panel.
    const shown = (lively.length > 0 ? lively : all)
      .slice(0, curvesMax)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    if (shown.length === 0) return []
    return [{ title, unit, from, to, curves: shown, hidden: all.length - shown.length }]
  })
}

/** At most four points for each of so many columns: the first, the least, the greatest, the last. */
export function reduced(curve: Curve, from: number, to: number, columns: number): Curve {
  const { name, times, values } = curve
  if (times.length <= 4 * columns) return curve
  const width = (to - from) / columns
  const keep: number[] = []
  for (let start = 0; start < times.length;) {
    const column = Math.floor((times[start]! - from) / width)
    let [end, least, greatest] = [start, start, start]
    for (; end < times.length && Math.floor((times[end]! - from) / width) === column; end++) {
      if (values[end]! < values[least]!) least = end
      if (values[end]! > values[greatest]!) greatest = end
    }
    for (const index of [start, least, greatest, end - 1].toSorted((a, b) => a - b)) {
      if (keep.at(-1) !== index) keep.push(index)
    }
    start = end
  }
  return { name, times: keep.map((i) => times[i]!), values: keep.map((i) => values[i]!) }
}
