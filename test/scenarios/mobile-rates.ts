import { type DeliveryTrace, deliveryTrace } from '../../sim/mahimahi.ts'
import { stream } from '../../sim/random.ts'
import { isRefusal } from '../../sim/user-error.ts'

/*
 * How the traces in scenarios/data were made. The rate takes a step every half second, down to a
 * half or up to twice what it was, within bounds; now and then nothing comes for one to two seconds.
 * Nothing was recorded anywhere: a walk that looks like a phone on the move, and no more.
 */

const STEP_MS = 500
const STEPS = 60
const OUTAGE = 0.06
const OPPORTUNITY_BITS = 12_000

/** Half a minute. `mean` and `most` in bits per second. */
export function mobileTrace(name: string, mean: number, most: number): DeliveryTrace {
  const draw = stream('mobile-trace', name)
  const times: number[] = []
  let rate = mean
  let credit = 0
  let outage = 0
  for (let step = 0; step < STEPS; step++) {
    // One draw a step for each purpose, whatever comes of it.
    const [walk, fade, length] = [draw(), draw(), draw()]
    rate = Math.min(Math.max(rate * (walk < 0.5 ? 0.5 + walk : 2 * walk), mean / 8), most)
    if (outage > 0) outage -= 1
    else if (fade < OUTAGE) outage = length < 0.5 ? 2 : 4
    for (let at = step * STEP_MS; at < (step + 1) * STEP_MS; at++) {
      credit += outage > 0 ? 0 : rate / 1000
      for (; credit >= OPPORTUNITY_BITS; credit -= OPPORTUNITY_BITS) times.push(at + 1)
    }
  }
  if (times.at(-1) !== STEPS * STEP_MS) times.push(STEPS * STEP_MS)
  const trace = deliveryTrace(times)
  if (isRefusal(trace)) throw new Error(trace.error)
  return trace
}

export const mobileTraces = {
  'mobile-down.trace': () => mobileTrace('down', 6_000_000, 16_000_000),
  'mobile-up.trace': () => mobileTrace('up', 2_000_000, 4_000_000),
}
