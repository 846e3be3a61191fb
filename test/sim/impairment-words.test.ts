import { describe, expect, test } from 'vitest'
import { ms, s } from '../../protocols/time.ts'
import type { LinkSpec } from '../../sim/scenario.ts'
import { readLinkChange, readLinkSpec } from '../../sim/topology-links.ts'
import { UserError } from '../../sim/user-error.ts'

const read = (spec: LinkSpec) => readLinkSpec(spec, 'link a-b')

function refusal(spec: object, act: typeof readLinkSpec = readLinkSpec): string {
  try {
    act(spec, 'link a-b')
  } catch (e) {
    if (!(e instanceof UserError)) throw e
    return [e.where, e.message, e.hint].filter((part) => part !== undefined).join(' | ')
  }
  return 'nothing'
}

describe('correlation', () => {
  test('is a second share', () => {
    expect(read({ duplicate: '1% 25%', corrupt: 0.1, jitter: '2 ms 30 %' })).toEqual({
      duplicate: 0.01,
      duplicateCorrelation: 0.25,
      corrupt: 0.1,
      corruptCorrelation: 0,
      jitter: ms(2),
      jitterCorrelation: 0.3,
    })
  })
})

describe('loss', () => {
  const none = { loss: 0, lossCorrelation: 0, lossModel: null }
  test.each([
    ['1%', { ...none, loss: 0.01 }],
    ['random 1% 25%', { ...none, loss: 0.01, lossCorrelation: 0.25 }],
    [
      'gemodel 1%',
      { ...none, lossModel: { kind: 'gemodel', p: 0.01, r: 0.99, lostInBad: 1, lostInGood: 0 } },
    ],
    [
      'gemodel 1% 10% 70% 0.1%',
      {
        ...none,
        lossModel: { kind: 'gemodel', p: 0.01, r: 0.1, lostInBad: 0.7, lostInGood: 0.001 },
      },
    ],
    [
      'state 25%',
      { ...none, lossModel: { kind: 'state', p13: 0.25, p31: 0.75, p32: 0, p23: 1, p14: 0 } },
    ],
    [
      'state 1% 20% 30% 40% 2%',
      { ...none, lossModel: { kind: 'state', p13: 0.01, p31: 0.2, p32: 0.3, p23: 0.4, p14: 0.02 } },
    ],
  ])('%s', (loss, expected) => {
    expect(read({ loss })).toEqual(expected)
  })
})

test('reorder, with a gap', () => {
  const reorder = (words: string) => Object.values(read({ reorder: words }))
  expect(reorder('25%')).toEqual([0.25, 0, 1])
  expect(reorder('25% 50% gap 5')).toEqual([0.25, 0.5, 5])
  expect(reorder('gap 3')).toEqual([1, 0, 3])
})

test('slots', () => {
  const slot = (words: string) => read({ slot: words }).slot
  const open = { frames: Infinity, bytes: Infinity }
  expect(slot('10ms')).toEqual({ span: { min: ms(10), max: ms(10) }, ...open })
  expect(slot('10ms 20ms packets 5 bytes 3kB')).toEqual({
    span: { min: ms(10), max: ms(20) },
    frames: 5,
    bytes: 3000,
  })
  expect(slot('distribution normal 20ms 5ms bytes 1500')).toMatchObject({
    span: { distribution: { name: 'normal' }, delay: ms(20), jitter: ms(5) },
    bytes: 1500,
  })
  expect(slot('none')).toBeNull()
})

test('distributions, traces and order', () => {
  const bytes = Uint8Array.from('4\n8\n', (c) => c.charCodeAt(0))
  const file = { name: 'x', bytes, sha256: '' }
  expect(read({ distribution: 'pareto' }).distribution?.name).toBe('pareto')
  expect(read({ distribution: 'uniform' })).toEqual({ distribution: null })
  expect([...read({ distribution: [3, -1] }).distribution!.table]).toEqual([-1, 3])
  expect([...read({ distribution: file }).distribution!.table]).toEqual([4, 8])
  for (const trace of ['4\n8\n', [4, 8], file]) {
    expect(read({ trace })).toEqual({ rate: 0, trace: { times: Float64Array.of(4, 8) } })
  }
  expect(read({ keepOrder: false })).toEqual({ keepOrder: false })
  expect(read({ rate: '1Mbit' })).toEqual({ rate: 1e6, trace: null })
})

test('schedules, by time', () => {
  const schedule = [
    { at: '5s', rate: '1Mbit' },
    { at: '1s', loss: '10%', delay: '3ms' },
  ]
  expect(read({ schedule }).schedule).toEqual([
    {
      at: s(1),
      set: { loss: 0.1, lossCorrelation: 0, lossModel: null, delay: ms(3) },
      keys: ['loss', 'delay'],
    },
    { at: s(5), set: { rate: 1e6, trace: null }, keys: ['rate'] },
  ])
})

describe('one line says what is wrong', () => {
  test.each([
    [{ loss: 'gemodl 1%' }, "loss | 'gemodl' is not a loss model | did you mean 'gemodel'?"],
    [
      { loss: 'gemodel' },
      "loss | 'gemodel' has 0 probabilities | expected 'gemodel p r 1-h 1-k': one to 4 of them",
    ],
    [
      { loss: 'state 60% 10% 0% 0% 50%' },
      'loss | p13 and p14 lead away from state 1, together more often than always | ' +
        'together they are at most 100%',
    ],
    [
      { loss: 'gemodel 1% 10' },
      "loss | '10' has no unit | write '10%' (a share such as '5%' or '0.05')",
    ],
    [
      { duplicate: '1% 2% 3%' },
      "duplicate | '1% 2% 3%' has too many parts | " +
        "expected a share and a correlation such as '1% 25%'",
    ],
    [{ reorder: '25% gap 0' }, 'reorder | a gap of 0 | expected a count from 1'],
    [
      { distribution: 'paretto' },
      "distribution | 'paretto' is not a distribution | did you mean 'pareto'?",
    ],
    [{ distribution: 5 }, 'distribution | 5 is not a distribution'],
    [{ keepOrder: 'no' }, "keepOrder | no is not 'true' or 'false'"],
    [
      { trace: [3, 1] },
      'trace | entry 2 of the trace goes back, from 3 to 1 | times count up from the start of the trace',
    ],
    [
      { slot: 'soon' },
      "slot | 'soon' is not a duration such as '10ms' (ns, us, ms, s, min, h) | expected " +
        "'10ms 20ms packets 5 bytes 3000B' or 'distribution normal 20ms 5ms packets 5'",
    ],
    [{ loss: true }, 'loss | true is not a quantity'],
    [
      { schedule: [{ at: '1s', los: '1%' }] },
      "schedule 1 | unknown key 'los' | did you mean 'loss'?",
    ],
    [{ schedule: [{ loss: '1%' }] }, "schedule 1 | it has no time | write { at: '5s', … }"],
    [
      { schedule: '5s' },
      "schedule | a schedule is a list of changes | write [{ at: '5s', rate: '1Mbit' }]",
    ],
  ])('%j', (spec, line) => {
    expect(refusal(spec)).toBe(`link a-b: ${line}`)
  })

  test('a rate and a trace exclude each other; a change has no schedule', () => {
    expect(refusal({ rate: '1Mbit', trace: [1] })).toBe(
      'link a-b | both a rate and a trace | the trace says when frames may leave: take the rate away',
    )
    expect(refusal({ schedule: [] }, readLinkChange)).toBe(
      'link a-b | a change cannot hold a schedule | a schedule belongs to the link itself',
    )
  })
})
