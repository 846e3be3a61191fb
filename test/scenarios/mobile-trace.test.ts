import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import mobileTrace from '../../scenarios/mobile-trace.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { formatDeliveryTrace } from '../../sim/mahimahi.ts'
import { runScenario } from '../../sim/run.ts'
import { mobileTraces } from './mobile-rates.ts'

const shipped = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../scenarios/data', name))
const NAMES = ['mobile-down.trace', 'mobile-up.trace'] as const
const FILES: { [path: string]: Uint8Array } = Object.fromEntries(
  NAMES.map((name) => [`shipped:${name}`, shipped(name)]),
)

const run = async (
  settings: { [name: string]: string },
  files: { [path: string]: Uint8Array } = FILES,
) => {
  const options = { seed: '1', settings, files: new MemoryFiles(files) }
  const outcome = await runScenario(mobileTrace, options)
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  return outcome
}

test.each(NAMES)('%s is what its description makes', (name) => {
  expect(shipped(name).toString('latin1')).toBe(formatDeliveryTrace(mobileTraces[name]()))
})

test('a longer queue is paid for in round trips', async () => {
  const [short, long] = [await run({ queue: '20 frames' }), await run({ queue: '300 frames' })]
  const rtt = (outcome: typeof short) => outcome.samples['round trip']!
  // 5 and 20 ms each way, and the opportunities to wait for.
  expect(rtt(short).min).toBeGreaterThanOrEqual(50e6)
  expect(rtt(long).p50).toBeGreaterThan(2 * rtt(short).p50)
})

test('a trace of one opportunity a millisecond is a link of 12 Mbit/s', async () => {
  const steady = Uint8Array.from('1\n', (c) => c.charCodeAt(0))
  const settings = { time: '5s', queue: '5000 frames' }
  const files = Object.fromEntries(NAMES.map((name) => [`shipped:${name}`, steady]))
  const { flows } = await run(settings, files)
  // 1448 bytes of a segment's 1500 are data; nothing is lost, so the rest is the start.
  const share = flows[0]!.forward.goodput / (12e6 * (1448 / 1500))
  expect(share).toBeGreaterThan(0.9)
  expect(share).toBeLessThanOrEqual(1)
})
