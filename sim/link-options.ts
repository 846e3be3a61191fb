import { assert } from '../protocols/assert.ts'
import type { Nanos } from '../protocols/time.ts'
import type { Distribution } from './distribution.ts'
import type { DropRule } from './drop-rule.ts'
import type { LossModel } from './loss-model.ts'
import type { DeliveryTrace } from './mahimahi.ts'
import type { DisciplineOptions } from './queue/discipline.ts'

/** What one direction of a link does to frames. `docs/links.md` has the order and the ties. */
export interface LinkOptions {
  readonly delay: Nanos
  /** How far the delay spreads: ± this much where uniform, else what 1 means in the table. */
  readonly jitter: Nanos
  /** How much of a frame's luck is that of the frame before: from 0 to 1, for each impairment. */
  readonly jitterCorrelation: number
  /** How the jitter is distributed; `null`: uniform. */
  readonly distribution: Distribution | null
  /** A frame never arrives before an earlier one, unless `reorder` has chosen it. */
  readonly keepOrder: boolean
  /** Shares of the frames, from 0 to 1. */
  readonly loss: number
  readonly lossCorrelation: number
  /** Rules in the place of `loss` where there is one. */
  readonly lossModel: LossModel | null
  readonly duplicate: number
  readonly duplicateCorrelation: number
  readonly reorder: number
  readonly reorderCorrelation: number
  /** A chosen frame comes after at least `reorderGap` - 1 that were not. From 1. */
  readonly reorderGap: number
  readonly corrupt: number
  readonly corruptCorrelation: number
  /** Bits per second; 0: transmission takes no time. */
  readonly rate: number
  /** When frames may leave; rules in the place of `rate` where there is one. */
  readonly trace: DeliveryTrace | null
  /** Frames come out only when a slot opens. */
  readonly slot: Slot | null
  /** What may wait for the rate, drop-tail; `Infinity` for no limit. */
  readonly queueFrames: number
  readonly queueBytes: number
  /** Keeps the queue in the place of drop-tail where there is one. */
  readonly discipline: DisciplineOptions | null
  /** The largest Ethernet payload, bytes. */
  readonly mtu: number
  readonly drops: readonly DropRule[]
  /** Changes at times since the start of the run. Read when the world is built. */
  readonly schedule: readonly ScheduledChange[]
  /** Every frame is encoded and read again on its way. */
  readonly exact: boolean
}

/** How long until the next slot opens, and what one slot lets out at most. */
export interface Slot {
  /** Uniform from `min` to `max`; with a distribution the mean and its spread. */
  readonly span:
    | { readonly min: Nanos; readonly max: Nanos }
    | {
        readonly distribution: Distribution | null
        readonly delay: Nanos
        readonly jitter: Nanos
      }
  /** `Infinity` for no limit. */
  readonly frames: number
  readonly bytes: number
}

export interface ScheduledChange {
  readonly at: Nanos
  readonly set: Partial<LinkOptions>
  /** The keys as they were written, for the trace. */
  readonly keys: readonly string[]
}

/** No delay, no limits, no impairments. */
export const PERFECT_LINK: LinkOptions = {
  delay: 0,
  jitter: 0,
  jitterCorrelation: 0,
  distribution: null,
  keepOrder: true,
  loss: 0,
  lossCorrelation: 0,
  lossModel: null,
  duplicate: 0,
  duplicateCorrelation: 0,
  reorder: 0,
  reorderCorrelation: 0,
  reorderGap: 1,
  corrupt: 0,
  corruptCorrelation: 0,
  rate: 0,
  trace: null,
  slot: null,
  queueFrames: Infinity,
  queueBytes: Infinity,
  discipline: null,
  mtu: 1500,
  drops: [],
  schedule: [],
  exact: false,
}

/** Whether nothing but rate, queue and delay happens to a frame. */
export function isPlain(options: LinkOptions): boolean {
  const { jitter, loss, duplicate, reorder, corrupt } = options
  const chances = jitter + loss + duplicate + reorder + corrupt
  const { lossModel, drops, exact, keepOrder } = options
  return chances === 0 && lossModel === null && drops.length === 0 && !exact && keepOrder
}

/** @throws InvariantError: whoever reads what users write has to refuse it before. */
export function assertValid(options: LinkOptions): void {
  for (const span of [options.delay, options.jitter, options.rate, options.mtu]) {
    assert(Number.isSafeInteger(span) && span >= 0, `a link option is a whole number, not ${span}`)
  }
  const { loss, lossCorrelation, duplicate, duplicateCorrelation, jitterCorrelation } = options
  const { reorder, reorderCorrelation, corrupt, corruptCorrelation } = options
  const shares = [loss, duplicate, reorder, corrupt]
  shares.push(lossCorrelation, duplicateCorrelation, reorderCorrelation, corruptCorrelation)
  for (const ratio of [...shares, jitterCorrelation]) {
    assert(ratio >= 0 && ratio <= 1, `a ratio is from 0 to 1, not ${ratio}`)
  }
  for (const limit of [options.queueFrames, options.queueBytes]) {
    assert(limit >= 0, `a queue limit is at least 0, not ${limit}`)
  }
  const gap = options.reorderGap
  assert(Number.isSafeInteger(gap) && gap >= 1, `a gap is a whole number from 1, not ${gap}`)
  // Keeps the transmitter's arithmetic exact.
  assert(options.mtu <= MTU_MAX, `an MTU is at most ${MTU_MAX}, not ${options.mtu}`)
}

/** The longest IPv4 packet. */
const MTU_MAX = 65_535
