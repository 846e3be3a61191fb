import { expect, test } from 'vitest'
import synFlood from '../../scenarios/syn-flood.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'

/** How many connections the server had in SYN-RECEIVED at most. */
async function flood(settings: { readonly [name: string]: string }) {
  let open = 0
  let most = 0
  const outcome = await runScenario(synFlood, {
    seed: '1',
    settings,
    files: new MemoryFiles(),
    observers: [
      (record) => {
        if (record.kind !== 'event' || record.node !== 'server') return
        if (record.said.kind !== 'tcp-state') return
        if (record.said.to === 'SYN-RECEIVED') open += 1
        if (record.said.from === 'SYN-RECEIVED') open -= 1
        most = Math.max(most, open)
      },
    ],
  })
  return { outcome, most }
}

test('with cookies every request is answered, and no more is remembered than the backlog', async () => {
  const { outcome, most } = await flood({})
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  expect(most).toBeLessThanOrEqual(65) // one more while a cookie comes back
})

test('without them the flood shuts the client out', async () => {
  const { outcome, most } = await flood({ cookies: 'false' })
  expect(outcome.expectations.every(({ holds }) => holds)).toBe(false)
  expect(most).toBe(64)
})
