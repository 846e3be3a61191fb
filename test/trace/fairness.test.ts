import { expect, test } from 'vitest'
import { fairnessOf, jainIndex } from '../../trace/fairness.ts'
import type { DirectionSummary, FlowSummary } from '../../trace/summary.ts'

test("Jain's index: equal shares, one for all, and what lies between", () => {
  expect(jainIndex([5, 5, 5, 5])).toBe(1)
  expect(jainIndex([8, 0, 0, 0])).toBe(0.25)
  // (1 + 2 + 3)² / (3 · (1 + 4 + 9)) = 36 / 42.
  expect(jainIndex([1, 2, 3])).toBe(36 / 42)
  expect([jainIndex([]), jainIndex([1]), jainIndex([0, 0])]).toEqual([null, null, null])
})

test('over the fuller direction of each TCP connection', () => {
  const direction = (goodput: number) => ({ deliveredBytes: goodput, goodput }) as DirectionSummary
  const flow = (protocol: 'tcp' | 'udp', there: number, back: number) =>
    ({ protocol, forward: direction(there), backward: direction(back) }) as FlowSummary
  expect(
    fairnessOf([flow('tcp', 1, 0), flow('tcp', 0, 2), flow('udp', 99, 0), flow('tcp', 3, 1)]),
  ).toBe(36 / 42)
})
