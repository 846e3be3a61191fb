import { expect, test } from 'vitest'
import fastOpen from '../../scenarios/fast-open.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { SYN } from '../../protocols/tcp/segment.ts'

/** Text on SYNs of the client, and how the run came out. */
async function ask(settings: { readonly [name: string]: string }, seed = '1') {
  const onSyn: number[] = []
  const outcome = await runScenario(fastOpen, {
    seed,
    settings,
    files: new MemoryFiles(),
    observers: [
      (record) => {
        if (record.kind !== 'sent' || record.node !== 'client') return
        const { payload } = record.frame
        if (payload.kind !== 'ipv4' || payload.payload.kind !== 'tcp') return
        const segment = payload.payload
        if (segment.flags & SYN) onSyn.push(segment.payload.length)
      },
    ],
  })
  return { outcome, onSyn }
}

test('every request but the first goes with its SYN, and is answered a round trip early', async () => {
  const { outcome, onSyn } = await ask({})
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  expect(onSyn).toEqual([0, ...Array.from({ length: 9 }, () => 18)])
})

test('without it none does', async () => {
  const { outcome, onSyn } = await ask({ fastOpen: 'false' })
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  expect(onSyn).toEqual(Array.from({ length: 10 }, () => 0))
})
