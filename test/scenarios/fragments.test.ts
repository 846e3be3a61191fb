import { expect, test } from 'vitest'
import fragments from '../../scenarios/fragments.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const run = (settings: { [name: string]: string } = {}, seed = '1') =>
  runScenario(fragments, { seed, settings, files: new MemoryFiles() })

test('pieces that overtake each other and come twice become whole datagrams', async () => {
  const outcome = await run()
  expect(outcome.verdict).toBe('passed')
  expect(outcome.notes).toMatchObject({ whole: 200, damaged: 0 })
  const [, , across, , last] = outcome.links
  // 8008 bytes: 1480 five times and 608, over 576 each 552, 552, 376 and then 552, 56.
  expect(across!.name).toBe('r1>r2')
  expect(across!.offeredFrames).toBe(200 * (5 * 3 + 2) + 2) // ARP, and the ping before
  expect(last!.name).toBe('r2>b')
  // A datagram counts once, by its first piece; a copy of all its pieces would be delivered twice.
  const flow = outcome.flows.find(({ protocol }) => protocol === 'udp')!
  expect(flow.forward).toMatchObject({ segments: 200, payloadBytes: 1_600_000 })
  expect(flow.forward.deliveredBytes).toBe(1_600_000)
})

test('a lost piece costs the datagram, never a byte of it', async () => {
  const outcome = await run({ loss: '2%', duplicate: '0%', count: '400' })
  expect(outcome.notes['damaged']).toBe(0)
  // 17 pieces: 0.98^17 = 0.7093 of 400 are 283.7, ± 5 σ of sqrt(400 · 0.7093 · 0.2907) = 9.08.
  expect(outcome.notes['whole']).toBeGreaterThan(283.7 - 45.4)
  expect(outcome.notes['whole']).toBeLessThan(283.7 + 45.4)
  // Told of: those whose first piece came. 0.98 (1 - 0.98^16) = 0.2707 of 400 are 108.3 ± 5 · 8.89.
  expect(outcome.notes['told that pieces are missing']).toBeGreaterThan(108.3 - 44.5)
  expect(outcome.notes['told that pieces are missing']).toBeLessThan(108.3 + 44.5)
})

test('it is the same in every way of running', async () => {
  const settings = { count: '20', loss: '5%' }
  const verified = await verifyScenario(fragments, {
    seed: '7',
    settings,
    files: new MemoryFiles(),
  })
  expect(verified.difference).toBeNull()
})
