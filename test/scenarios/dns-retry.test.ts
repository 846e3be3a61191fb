import { expect, test } from 'vitest'
import dnsRetry from '../../scenarios/dns-retry.ts'
import { runScenario } from '../../sim/run.ts'

test('five seconds for a dead server, nothing for what is remembered', async () => {
  const { samples, notes, expectations } = await runScenario(dnsRetry, { seed: '1' })
  expect(expectations.filter(({ holds }) => !holds)).toEqual([])
  // 5 s, then ARP and the question there and back over two links of 10 ms.
  expect(samples['first lookup']!.max).toBe(5_060_000_000)
  expect(samples['again']!.max).toBe(0)
  expect(notes['addresses']).toBe(60)
})
