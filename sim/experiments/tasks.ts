import { fixedTimeout } from '../../protocols/arq/policy.ts'
import type { TransferProfile } from '../../protocols/arq/profile.ts'
import { P2MP_CANONICAL } from '../../protocols/p2mp-ftp/profiles.ts'
import { goBackN } from '../../protocols/simple-ftp/profiles.ts'
import { ms } from '../../protocols/time.ts'
import { stopAndWaitDelay } from './closed-form.ts'
import { CVELLAI, type Published, SWEEKAR52, VCHAWLA3 } from './published.ts'
import { type TransferRun, transferSpan } from './transfer-run.ts'

/* The three tasks of the course, each a curve: the delay over receivers or N, MSS and p. */

/** Size, timeout and round trip of one series of measurements. */
export interface Setting {
  readonly name: string
  readonly bytes: number
  readonly timeoutMs: number
  readonly roundTripMs: number
  readonly published: Published | null
}

export type Project = 'p2mp-ftp' | 'simple-ftp'

const settingOf = (name: string, published: Published): Setting => ({
  name,
  published,
  ...pick(published),
})
const pick = ({ bytes, timeoutMs, roundTripMs }: Published) => ({ bytes, timeoutMs, roundTripMs })

/** The first is the course's own. */
export const SETTINGS: { readonly [project in Project]: readonly Setting[] } = {
  'p2mp-ftp': [
    { name: 'course', bytes: 10_000_000, timeoutMs: 100, roundTripMs: 20, published: null },
    settingOf('cvellai', CVELLAI),
  ],
  'simple-ftp': [
    { name: 'course', bytes: 1_000_000, timeoutMs: 100, roundTripMs: 20, published: null },
    settingOf('sweekar52', SWEEKAR52),
    settingOf('vchawla3', VCHAWLA3),
  ],
}

/** What a task changes, from point to point. */
export interface Point {
  readonly x: number
  readonly receivers: number
  readonly window: number
  readonly unitBytes: number
  readonly p: number
}

export const AXES: { readonly [project in Project]: readonly [string, string, string] } = {
  'p2mp-ftp': ['n', 'MSS', 'p'],
  'simple-ftp': ['N', 'MSS', 'p'],
}

const HUNDREDS = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]
const PERCENTS = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1]
const WINDOWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** `task`: 1, 2 or 3. */
export function pointsOf(project: Project, task: 1 | 2 | 3): readonly Point[] {
  const isP2mp = project === 'p2mp-ftp'
  const base = { receivers: isP2mp ? 3 : 1, window: isP2mp ? 1 : 64, unitBytes: 500, p: 0.05 }
  if (task === 2) return HUNDREDS.map((x) => ({ ...base, x, unitBytes: x }))
  if (task === 3) return PERCENTS.map((x) => ({ ...base, x, p: x }))
  if (isP2mp) return [1, 2, 3, 4, 5].map((x) => ({ ...base, x, receivers: x }))
  return WINDOWS.map((x) => ({ ...base, x, window: x }))
}

export interface Measured {
  readonly point: Point
  /** Of each run, seconds. */
  readonly runs: readonly number[]
  readonly mean: number
  /** Of one run; 0 where there was one. */
  readonly deviation: number
  /** Of the closed form, where it is one's: N = 1. */
  readonly expected: { readonly mean: number; readonly deviation: number } | null
  readonly published: number | null
}

/** Measures one point of a curve. The same seed gives the same runs. */
export function measure(
  project: Project,
  setting: Setting,
  task: 1 | 2 | 3,
  index: number,
  runs: number,
  seed: string,
): Measured {
  const point = pointsOf(project, task)[index]!
  const spans: number[] = []
  for (let run = 1; run <= runs; run++) {
    const name = `${seed}/${project}/${setting.name}/${task}/${point.x}/${run}`
    spans.push(transferSpan(runOf(setting, point, name)) / 1e9)
  }
  const { bytes, timeoutMs, roundTripMs, published } = setting
  const { unitBytes, receivers, p, window } = point
  const closed = {
    bytes,
    unitBytes,
    receivers,
    p,
    roundTrip: ms(roundTripMs),
    timeout: ms(timeoutMs),
  }
  const delay = stopAndWaitDelay(closed)
  return {
    point,
    runs: spans,
    ...momentsOf(spans),
    expected: window > 1 ? null : { mean: delay.mean / 1e9, deviation: delay.deviation / 1e9 },
    published: published?.tasks[task - 1]?.[index] ?? null,
  }
}

function runOf(setting: Setting, point: Point, seed: string): TransferRun {
  const { receivers, unitBytes, p, window } = point
  const base: TransferProfile = window === 1 && receivers > 1 ? P2MP_CANONICAL : goBackN(window)
  const timeout = fixedTimeout(ms(setting.timeoutMs))
  return {
    // No patience is too much: the course's programs never gave up.
    profile: { ...base, policy: { ...base.policy, timeout, retries: Infinity } },
    bytes: setting.bytes,
    receivers,
    unitBytes,
    p,
    roundTrip: ms(setting.roundTripMs),
    rate: null,
    seed,
  }
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return { mean, deviation: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 }
}
