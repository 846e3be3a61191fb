import { expect, test } from 'vitest'
import { ms } from '../../protocols/time.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { percentile } from '../../sim/samples.ts'
import { defineScenario, type ExpectationSpec } from '../../sim/scenario.ts'

const PORT = 5000

/** 100 kB from a to b at 8 Mbit/s with one forced loss, and some figures of its own. */
const judged = async (specs: readonly ExpectationSpec[]) => {
  const scenario = defineScenario({
    name: 'judged',
    topology: { a: 'host', b: 'host' },
    links: [
      {
        ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' },
        rate: '8Mbit',
        delay: '5ms',
        to: { b: { drop: '5th data segment' } },
      },
    ],
    programs: {
      a: async (host) => {
        for (let i = 1; i <= 100; i++) host.sample('echo rtt', ms(i))
        const socket = await host.connect('10.0.0.2', PORT)
        await socket.send(new Uint8Array(100_000))
        socket.shutdown()
        await socket.receive()
        host.mark('sent')
        socket.close()
      },
      b: async (host) => {
        const socket = await host.listen(PORT).accept()
        host.note('bytes', (await socket.receiveAll()).length)
        host.note('word', 'done')
        socket.close()
      },
    },
    faults: [{ at: '50ms', link: 'b>a', set: { delay: '6ms' }, for: '10ms' }],
    expect: specs,
  })
  return runScenario(scenario, { seed: '1', files: new MemoryFiles() })
}

test('what holds passes', async () => {
  const outcome = await judged([
    { note: 'bytes', equals: 100_000 },
    { note: 'word', equals: 'done' },
    { note: 'bytes', above: 99_999, below: 100_001 },
    { sample: 'echo rtt', percentile: 99, atMost: '99ms' },
    { sample: 'echo rtt', percentile: 50, atMost: '50ms', atLeast: '50ms' },
    { sample: 'echo rtt', below: '100.1ms' },
    { mark: 'sent' },
    { mark: 'sent', within: '2s' },
    { mark: 'sent', within: '2s', after: 'faults' },
    { goodput: 'a>b', atLeast: '500kbit', below: '8Mbit' },
    { retransmissions: 'a>b', equals: 1 },
    { retransmissions: 'b>a', atMost: 0 },
    { drops: 'a>b', equals: 1 },
    { utilisation: 'a>b', above: '0%' },
  ])
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  expect(outcome.verdict).toBe('passed')
  expect(outcome.faultsEnded).toBe(ms(60))
})

test.each<[ExpectationSpec, string, string]>([
  [{ note: 'bytes', equals: 7 }, 'bytes is 7', '100000'],
  [{ note: 'nothing', equals: 7 }, 'nothing is 7', 'never noted'],
  [{ note: 'nothing', above: 7 }, 'nothing is above 7', 'nothing was measured'],
  [{ sample: 'echo rtt', percentile: 99, below: '80ms' }, 'p99 of echo rtt is below 80ms', '99ms'],
  [{ sample: 'echo rtt', below: '100ms' }, 'maximum of echo rtt is below 100ms', '100ms'],
  [{ sample: 'gone', below: '1s' }, 'maximum of gone is below 1s', 'nothing was measured'],
  [{ mark: 'gone' }, 'gone happens', 'it never did'],
  [{ mark: 'gone', within: '1s' }, 'gone happens within 1s', 'it never did'],
  [
    { mark: 'sent', within: '1s', after: 'gone' },
    'sent happens within 1s after gone',
    'it never did, nor did gone',
  ],
  [{ retransmissions: 'a>b', equals: 0 }, 'retransmissions of a>b is 0', '1'],
  [{ goodput: 'a>c', above: '1bit' }, 'goodput of a>c is above 1bit', 'nothing was measured'],
  [{ drops: 'a>b', atMost: 0 }, 'drops on a>b is at most 0', '1'],
])('what does not hold says what was the case: %j', async (spec, that, actual) => {
  const outcome = await judged([spec])
  expect(outcome.expectations).toEqual([{ that, holds: false, actual }])
  expect(outcome.verdict).toBe('failed')
})

test.each<[ExpectationSpec, RegExp]>([
  [{}, /it expects nothing/],
  [{ drops: 'a>c', atMost: 0 }, /nothing was sent on a link 'a>c'/],
  [{ sample: 'echo rtt', percentile: 140, below: '1s' }, /there is no percentile 140/],
  [{ sample: 'echo rtt', below: '80' }, /'80' has no unit/],
])('an expectation that means nothing is a user error: %j', async (spec, line) => {
  await expect(judged([spec])).rejects.toThrow(line)
})

test('percentile: the nearest rank', () => {
  const values = [10, 20, 30, 40]
  expect([1, 25, 26, 50, 75, 76, 100].map((rank) => percentile(values, rank))).toEqual([
    10, 10, 20, 20, 30, 40, 40,
  ])
})
