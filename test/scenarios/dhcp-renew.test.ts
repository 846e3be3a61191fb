import { expect, test } from 'vitest'
import dhcpRenew from '../../scenarios/dhcp-renew.ts'
import { runScenario } from '../../sim/run.ts'

test('a lease is renewed at half of it, and ends with the last one that was granted', async () => {
  const { marks, notes, expectations } = await runScenario(dhcpRenew, { seed: '1' })
  expect(expectations.filter(({ holds }) => !holds)).toEqual([])
  // Requested at 10 ms, renewed 120 s later, for 240 s from there.
  expect(marks['address lost']).toBe(360_010_000_000)
  expect(notes['without it']).toBe('ENETUNREACH')
})

test('a cut that is shorter than the lease costs nothing', async () => {
  const settings = { cutFor: '30s' }
  const { marks } = await runScenario(dhcpRenew, { seed: '1', settings })
  expect(marks['address lost']).toBeUndefined()
})
