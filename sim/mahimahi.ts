import type { Nanos } from '../protocols/time.ts'
import type { LinkOptions, ScheduledChange } from './link-options.ts'
import { type Refusal, isRefusal } from './user-error.ts'

/*
 * Packet-delivery traces as Mahimahi has them: a text with one whole number a line, the millisecond
 * at which 1500 bytes may leave. Several lines with one number are several opportunities. When the
 * last has come the trace starts anew, that much later.
 */

/** When bytes may leave, again and again. */
export interface DeliveryTrace {
  /** Milliseconds, never falling; the last, which is above 0, is also the length of the trace. */
  readonly times: Float64Array
}

/** What leaves at one opportunity: bytes of Ethernet payload, so that a full IP packet takes one. */
export const OPPORTUNITY_BYTES = 1500
const NANOS_PER_MS = 1e6
/** Three years. */
const LONGEST_MS = 1e11

/** @returns what is wrong, with the line, where it is no trace. */
export function parseDeliveryTrace(text: string): DeliveryTrace | Refusal {
  const lines = text.split('\n')
  if (lines.at(-1)?.trim() === '') lines.pop()
  const times: number[] = []
  for (const [index, line] of lines.entries()) {
    const word = line.trim()
    if (!/^\d+$/.test(word)) {
      const error = `line ${index + 1} of the trace is not a time: '${word.slice(0, 20)}'`
      return { error, suggestion: 'expected one whole number of milliseconds a line' }
    }
    times.push(Number(word))
  }
  const trace = deliveryTrace(times)
  return isRefusal(trace) ? { ...trace, error: trace.error.replace('entry', 'line') } : trace
}

/** Of milliseconds, one for each opportunity. */
export function deliveryTrace(times: readonly number[]): DeliveryTrace | Refusal {
  if (times.length === 0) {
    return { error: 'the trace is empty', suggestion: 'expected one millisecond a line' }
  }
  for (const [index, time] of times.entries()) {
    if (!Number.isInteger(time) || time < 0 || time > LONGEST_MS) {
      const error = `entry ${index + 1} of the trace is not a time: ${String(time)}`
      return { error, suggestion: 'expected whole milliseconds' }
    }
    if (index > 0 && time < times[index - 1]!) {
      const error = `entry ${index + 1} of the trace goes back, from ${times[index - 1]} to ${time}`
      return { error, suggestion: 'times count up from the start of the trace' }
    }
  }
  if (times.at(-1) === 0) {
    const error = 'the trace ends at 0 ms: it cannot be repeated'
    return { error, suggestion: 'the last line is also the length of the trace' }
  }
  return { times: Float64Array.from(times) }
}

export const formatDeliveryTrace = ({ times }: DeliveryTrace): string => `${times.join('\n')}\n`

/** Bits per second of Ethernet payload, over the whole trace. */
export const meanRate = ({ times }: DeliveryTrace): number =>
  (times.length * OPPORTUNITY_BYTES * 8 * 1000) / times.at(-1)!

/** When the opportunity with this number comes, counted from 0, on and on. */
export function opportunityTime({ times }: DeliveryTrace, number: number): Nanos {
  const round = Math.floor(number / times.length)
  return (round * times.at(-1)! + times[number - round * times.length]!) * NANOS_PER_MS
}

/** The number of the first opportunity after this instant. */
export function firstOpportunityAfter({ times }: DeliveryTrace, now: Nanos): number {
  const length = times.at(-1)! * NANOS_PER_MS
  const round = Math.floor(now / length)
  const within = now - round * length
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! * NANOS_PER_MS > within) high = middle
    else low = middle + 1
  }
  return round * times.length + low
}

/**
 * The trace that a link's rate and its schedule amount to over a span: an opportunity in the
 * millisecond within which its 1500 bytes have become due. The last line is the whole span, so that
 * the trace repeats in time.
 */
export function traceOfRate(options: LinkOptions, span: Nanos): DeliveryTrace | Refusal {
  const end = Math.floor(span / NANOS_PER_MS)
  const times: number[] = []
  let at = 0
  let { rate, trace } = options
  // Bits due, times 1e9: exact below 2^53 for spans and rates of every day.
  let credit = 0
  const steps: ScheduledChange[] = [
    ...options.schedule,
    { at: end * NANOS_PER_MS, set: {}, keys: [] },
  ]
  for (const { at: written, set } of steps) {
    const until = Math.min(written, end * NANOS_PER_MS)
    if (rate === 0 || trace !== null) {
      const error = trace === null ? 'the link has no rate' : 'the link follows a trace already'
      return { error, suggestion: 'a delivery trace is made from a rate' }
    }
    // Milliseconds begun: what becomes due within one leaves at its end.
    while (at < until) {
      const next = Math.min((Math.floor(at / NANOS_PER_MS) + 1) * NANOS_PER_MS, until)
      credit += (next - at) * rate
      for (; credit >= OPPORTUNITY_WORK; credit -= OPPORTUNITY_WORK) {
        times.push(Math.ceil(next / NANOS_PER_MS))
      }
      at = next
    }
    rate = set.rate ?? rate
    trace = set.trace === undefined ? trace : set.trace
  }
  if (times.length === 0) {
    const error = `nothing is due within ${end} ms`
    return { error, suggestion: 'name a longer span' }
  }
  // One opportunity too many at most, and a length that is the span's.
  if (times.at(-1) !== end) times.push(end)
  return deliveryTrace(times)
}

const OPPORTUNITY_WORK = OPPORTUNITY_BYTES * 8 * 1e9
