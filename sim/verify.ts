import { Encoding } from '../trace/encoding.ts'
import { describeDifference } from '../trace/difference.ts'
import { murmur3 } from '../protocols/murmur3.ts'
import { encodeRecord } from '../trace/record-encoding.ts'
import type { TraceObserver, TraceRecord } from '../trace/record.ts'
import { runScenario, type RunOptions } from './run.ts'
import type { Scenario } from './scenario.ts'

export type VerifyOptions = Omit<RunOptions, 'recorded' | 'wireExact' | 'observers'>

export type Verification =
  | { readonly digest: string; readonly difference: null }
  | { readonly digest: null; readonly difference: Difference }

/** The first record in which a way of running departs from the plain one. */
export interface Difference {
  readonly ground: string
  /** Counted from 1. */
  readonly record: number
  readonly expected: TraceRecord | null
  readonly actual: TraceRecord | null
  /** `frame.payload.ttl: 64, 63`, or that one run has more records. */
  readonly what: string
}

const GROUNDS = [
  { name: 'repeated', recorded: false, wireExact: false },
  { name: 'recorded', recorded: true, wireExact: false },
  { name: 'wire-exact', recorded: false, wireExact: true },
]

/** Runs a scenario in place, again, recorded and wire-exact, and compares every record. */
export async function verifyScenario(
  scenario: Scenario,
  options: VerifyOptions,
): Promise<Verification> {
  const prints: number[] = []
  const print = fingerprint()
  const first = await runScenario(scenario, {
    ...options,
    observers: [(record) => prints.push(print(record))],
  })
  for (const ground of GROUNDS) {
    const { recorded, wireExact } = ground
    const watch = new Watch(prints)
    const outcome = await runScenario(scenario, {
      ...options,
      recorded,
      wireExact,
      observers: [watch.observer],
    })
    const at = watch.differsAt ?? (watch.count === prints.length ? null : watch.count)
    if (at === null && outcome.digest === first.digest) continue
    const record = at ?? prints.length
    const [expected, actual] = [
      await recordNumber(scenario, options, record, false, false),
      await recordNumber(scenario, options, record, recorded, wireExact),
    ]
    return {
      digest: null,
      difference: {
        ground: ground.name,
        record: record + 1,
        expected,
        actual,
        what: tell(expected, actual),
      },
    }
  }
  return { digest: first.digest, difference: null }
}

function tell(expected: TraceRecord | null, actual: TraceRecord | null): string {
  if (expected === null) return 'it goes on where the plain run has ended'
  if (actual === null) return 'it has ended where the plain run goes on'
  return describeDifference(expected, actual) ?? 'the digests differ, the records do not'
}

/** Compares a run with the fingerprints of another as it goes. */
class Watch {
  count = 0
  differsAt: number | null = null
  readonly #expected: readonly number[]
  readonly #print = fingerprint()

  constructor(expected: readonly number[]) {
    this.#expected = expected
  }

  readonly observer: TraceObserver = (record) => {
    if (this.differsAt === null && this.#print(record) !== this.#expected[this.count]) {
      this.differsAt = this.count
    }
    this.count += 1
  }
}

function fingerprint(): (record: TraceRecord) => number {
  const encoding = new Encoding()
  return (record) => {
    encoding.clear()
    encodeRecord(encoding, record)
    return murmur3(encoding.bytes, 0)
  }
}

/** Runs once more, for one record: nothing was kept. */
async function recordNumber(
  scenario: Scenario,
  options: VerifyOptions,
  wanted: number,
  recorded: boolean,
  wireExact: boolean,
): Promise<TraceRecord | null> {
  let found: TraceRecord | null = null
  let count = 0
  const observers: TraceObserver[] = [
    (record) => {
      if (count++ === wanted) found = record
    },
  ]
  await runScenario(scenario, { ...options, recorded, wireExact, observers })
  return found
}
