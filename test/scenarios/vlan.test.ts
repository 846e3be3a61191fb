import { expect, test } from 'vitest'
import vlan from '../../scenarios/vlan.ts'
import { runScenario } from '../../sim/run.ts'

test('within a VLAN, between two, and not into one', async () => {
  const tags = new Map<string, Set<number>>()
  const outcome = await runScenario(vlan, {
    seed: '1',
    observers: [
      (record) => {
        if (record.kind !== 'sent') return
        const seen = tags.get(record.link) ?? new Set()
        tags.set(record.link, seen.add(record.frame.tag))
      },
    ],
  })
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  // No tag reaches an end, and none is missing between the switches.
  expect([...tags.get('s1>a')!, ...tags.get('s2>d')!]).toEqual([-1, -1])
  expect([...tags.get('s1>s2')!].sort((x, y) => x - y)).toEqual([10, 20])
  expect([...tags.get('s1>r')!].sort((x, y) => x - y)).toEqual([10, 20])
})

test('a tagged frame at an access port is dropped by the switch, and says why', async () => {
  const drops: string[] = []
  await runScenario(vlan, {
    seed: '1',
    observers: [
      (record) => {
        if (record.kind !== 'event' || record.said.kind !== 'dropped') return
        if (record.node === 's2') drops.push(record.said.why)
      },
    ],
  })
  expect(drops).toEqual(Array.from({ length: 3 }, () => 'switch vlan not carried'))
})

test('a host that is paused takes its tagged frames when it goes on', async () => {
  const outcome = await runScenario(
    { spec: { ...vlan.spec, faults: [{ at: '1ms', pause: 'r', for: '500ms' }] } },
    { seed: '1' },
  )
  expect(outcome.notes['a to d, through the router']).toBe('63')
})
