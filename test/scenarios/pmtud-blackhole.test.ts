import { expect, test } from 'vitest'
import { s } from '../../protocols/time.ts'
import pmtudBlackhole from '../../scenarios/pmtud-blackhole.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const run = async (settings: { [name: string]: string } = {}) => {
  const outcome = await runScenario(pmtudBlackhole, {
    seed: '1',
    settings,
    files: new MemoryFiles(),
  })
  expect(outcome.verdict).toBe('passed')
  return outcome
}

test('a sender that looks for black holes shrinks after two timeouts', async () => {
  const { marks, notes } = await run()
  // 536 less 12 bytes of timestamps.
  expect(notes['segment size']).toBe(524)
  // An RTO of 1 s and then of 2 s pass first, and less than 2 s of carrying.
  expect(marks['carried']! - marks['greeted']!).toBeGreaterThan(s(3))
  expect(marks['carried']! - marks['greeted']!).toBeLessThan(s(5))
})

test('without that the connection hangs, and only the greeting has passed', async () => {
  const { marks, notes, flows } = await run({ detect: 'false' })
  expect(marks['carried']).toBeUndefined()
  expect(notes['received']).toBeUndefined()
  // Timeouts at 1, 2, 4, 8, 16, 32 s and every 60 s: 6 of them within 120 s.
  expect(flows[0]!.forward.retransmissions).toMatchObject({ rto: 6, mtu: 0 })
})

test('where errors pass, the first one settles it without a timeout', async () => {
  const { marks, notes, flows } = await run({ icmp: 'allowed' })
  expect(notes['segment size']).toBe(1280 - 40 - 12)
  expect(flows[0]!.forward.retransmissions.rto).toBe(0)
  expect(flows[0]!.forward.retransmissions.mtu).toBeGreaterThan(0)
  expect(marks['carried']! - marks['greeted']!).toBeLessThan(s(1))
})

test('a path as wide as its ends has no hole', async () => {
  const { notes, flows } = await run({ mtu: '1500B', detect: 'false' })
  expect(notes).toMatchObject({ received: 200_000, 'segment size': 1448 })
  expect(flows[0]!.forward.retransmissions).toEqual({
    rto: 0,
    fast: 0,
    rack: 0,
    tlp: 0,
    probe: 0,
    mtu: 0,
    spurious: 0,
  })
})

test('it is the same in every way of running', async () => {
  for (const icmp of ['filtered', 'allowed']) {
    const options = { seed: '3', settings: { icmp }, files: new MemoryFiles() }
    expect((await verifyScenario(pmtudBlackhole, options)).difference).toBeNull()
  }
})
