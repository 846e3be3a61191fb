import { describe, expect, test } from 'vitest'
import { parseQueueSpec } from '../../../sim/queue/parse-queue.ts'
import { isRefusal } from '../../../sim/user-error.ts'

const none = { queueFrames: Infinity, queueBytes: Infinity, discipline: null }
const managed = (discipline: object) => ({ ...none, discipline })

const codel = {
  kind: 'codel',
  limitFrames: 1000,
  limitBytes: Infinity,
  target: 5_000_000,
  interval: 100_000_000,
  ecn: false,
}
const fqCodel = {
  ...codel,
  kind: 'fq-codel',
  limitFrames: 10_240,
  limitBytes: 33_554_432,
  quantum: 1514,
  flows: 1024,
  dropBatch: 64,
  ecn: true,
}
const red = {
  kind: 'red',
  unit: 'frames',
  limit: 100,
  min: 5,
  max: 15,
  probability: 0.1,
  weight: 0.002,
  gentle: true,
  meanSize: 1000,
  ecn: false,
}
const pie = {
  kind: 'pie',
  limitFrames: 1000,
  limitBytes: Infinity,
  target: 15_000_000,
  update: 15_000_000,
  alpha: 0.125,
  beta: 1.25,
  burst: 150_000_000,
  meanSize: 1000,
  ecn: false,
}

describe('what is read', () => {
  const cases: readonly (readonly [unknown, object])[] = [
    ['100 frames', { ...none, queueFrames: 100 }],
    ['64KiB', { ...none, queueBytes: 65_536 }],
    [9000, { ...none, queueBytes: 9000 }],
    ['drop-tail limit 20', { ...none, queueFrames: 20 }],
    [
      { kind: 'drop-tail', limit: '3kB' },
      { ...none, queueBytes: 3000 },
    ],
    ['codel', managed(codel)],
    ['codel limit 64KiB', managed({ ...codel, limitFrames: Infinity, limitBytes: 65_536 })],
    [
      'codel limit 50 frames target 13ms interval 1s ecn',
      managed({ ...codel, limitFrames: 50, target: 13_000_000, interval: 1e9, ecn: true }),
    ],
    ['fq_codel', managed(fqCodel)],
    ['fq-codel noecn', managed({ ...fqCodel, ecn: false })],
    [
      'fq_codel limit 1000 memory 1MiB flows 16 quantum 300B batch 1',
      managed({
        ...fqCodel,
        limitFrames: 1000,
        limitBytes: 1_048_576,
        flows: 16,
        quantum: 300,
        dropBatch: 1,
      }),
    ],
    [
      { kind: 'fq_codel', limit: 7, ecn: false },
      managed({ ...fqCodel, limitFrames: 7, ecn: false }),
    ],
    ['red', managed(red)],
    ['red min 10 frames', managed({ ...red, min: 10, max: 30 })],
    [
      'red limit 400kB min 30kB max 90kB probability 2% weight 0.01 mean 500B nogentle ecn',
      managed({
        ...red,
        unit: 'bytes',
        limit: 400_000,
        min: 30_000,
        max: 90_000,
        probability: 0.02,
        weight: 0.01,
        meanSize: 500,
        gentle: false,
        ecn: true,
      }),
    ],
    ['pie', managed(pie)],
    [
      { kind: 'pie', target: '20ms', tupdate: '30ms', alpha: 0.5, beta: '2.5', burst: '0ms' },
      managed({ ...pie, target: 2e7, update: 3e7, alpha: 0.5, beta: 2.5, burst: 0 }),
    ],
  ]
  test.each(cases)('%j', (written, expected) => {
    expect(parseQueueSpec(written)).toEqual(expected)
  })
})

describe('what is refused', () => {
  const cases: readonly (readonly [unknown, string, string | undefined])[] = [
    ['100', "'100' has no unit", "write '100 frames' or '100kB'"],
    ['coddle', "'coddle' is not a queue discipline", "did you mean 'codel'?"],
    [{}, "'' is not a queue discipline", undefined],
    [true, 'true is not a queue', undefined],
    ['codel limt 3', "codel has no option 'limt'", "did you mean 'limit'?"],
    ['codel target', "'target' has no value", undefined],
    ['codel target 1ms target 2ms', "'target' stands twice", undefined],
    ['codel target 5', "codel target: '5' has no unit", "write '5ms' or '5s'"],
    ['codel interval 0ms', 'codel interval: it cannot be 0', undefined],
    ['codel limit 0', 'codel limit: nothing could ever wait', 'expected 1 or more'],
    ['codel gentle', "codel has no option 'gentle'", undefined],
    [{ kind: 'codel', ecn: 'yes' }, "codel ecn: 'yes' is neither true nor false", undefined],
    [{ kind: 'codel', limit: [1] }, 'codel limit: 1 is not a quantity', undefined],
    ['fq_codel flows 0', 'fq_codel flows: it cannot be 0', undefined],
    ['fq_codel flows 100000', 'fq_codel flows: 100000 are too many', 'expected 1 to 65536'],
    ['fq_codel quantum 0B', 'fq_codel quantum: it cannot be 0', undefined],
    ['red min 5', "red min: '5' has no unit", "write '5 frames' or '5kB'"],
    [{ kind: 'red', min: 5 }, 'red min: 5 has no unit', "write '5 frames' or '5B'"],
    ['red min 5 frames max 9kB', 'red counts frames or bytes, not both', undefined],
    ['red min 9 frames max 9 frames', 'red: min (9) is not below max (9)', undefined],
    ['pie alpha -1', "pie alpha: '-1' is not a number", "write one such as '0.125'"],
  ]
  test.each(cases)('%j', (written, error, suggestion) => {
    const refusal = parseQueueSpec(written)
    if (!isRefusal(refusal)) throw new Error('it was read')
    expect(refusal.error).toBe(error)
    if (suggestion !== undefined) expect(refusal.suggestion).toBe(suggestion)
  })
})
