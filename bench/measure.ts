import process from 'node:process'

/** The figures of one run, by name. */
export type Row = Readonly<Record<string, number | string>>

/** One benchmark. It runs once, in a process of its own. */
export interface Benchmark {
  readonly name: string
  run(): Row | Promise<Row>
}

/** CPU seconds of this process, every thread of it, since `before`. */
export function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Live bytes of the heap and outside it, after a full collection (`--expose-gc`). */
export function liveBytes(): number {
  // Twice: what the first one finalises, the second one frees.
  globalThis.gc!()
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Of an odd number of figures, the one in the middle. */
export const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[figures.length >> 1]!
