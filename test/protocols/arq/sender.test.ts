import { describe, expect, test } from 'vitest'
import {
  type ArqPolicy,
  ESTIMATED,
  fixedTimeout,
  SOUND,
  STOP_AND_WAIT,
} from '../../../protocols/arq/policy.ts'
import { ms, s } from '../../../protocols/time.ts'
import { arqTimeline } from './arq-timeline.ts'

const GO_BACK_N: ArqPolicy = {
  ...STOP_AND_WAIT,
  window: 4,
  acknowledgement: 'cumulative',
  timer: 'window',
}
const SELECTIVE_REPEAT: ArqPolicy = {
  ...GO_BACK_N,
  acknowledgement: 'each',
  timer: 'packet',
}

describe('stop and wait, to three', () => {
  test('a unit goes again to those who miss it, and the next waits for all', () => {
    expect(
      arqTimeline(
        STOP_AND_WAIT,
        3,
        [
          [0, 'end 2'],
          [20, 'ack 0 <1'],
          [21, 'ack 2 <1'],
          [230, 'ack 1 <1'],
          [231, 'ack 1 <1'], // a copy
          [250, 'ack 0 <2'],
          [250, 'ack 1 <2'],
          [251, 'ack 2 <2'],
        ],
        2000,
      ),
    ).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 0 to 1
           0  > 0 to 2
         100  = timeout 0
         100  > 0' to 1
         200  = timeout 0
         200  > 0'' to 1
         230  = all below 1
         230  > 1 to 0
         230  > 1 to 1
         230  > 1 to 2
         251  = all below 2
         251  = done"
    `)
  })

  test('an acknowledgement of the unit before, or of one that was never sent, is none', () => {
    expect(
      arqTimeline(
        STOP_AND_WAIT,
        1,
        [
          [0, 'end 3'],
          [20, 'ack 0 <1'],
          [30, 'ack 0 <1'],
          [40, 'ack 0 <3'],
          [50, 'ack 0 <0 2'],
          [60, 'ack 0 <2'],
        ],
        200,
      ),
    ).toMatchInlineSnapshot(`
      "     0  > 0 to 0
          20  = all below 1
          20  > 1 to 0
          60  = all below 2
          60  > 2 to 0
         160  = timeout 2
         160  > 2' to 0"
    `)
  })

  test('nobody answers: sent again after 1, 3, 7 s, then given up', () => {
    const policy = {
      ...STOP_AND_WAIT,
      timeout: { ...ESTIMATED, initial: s(1), max: s(8) },
      retries: 3,
    }
    expect(arqTimeline(policy, 1, [[0, 'end 1']], 60_000)).toMatchInlineSnapshot(`
      "     0  > 0 to 0
        1000  = timeout 0
        1000  > 0' to 0
        3000  = timeout 0
        3000  > 0'' to 0
        7000  = timeout 0
        7000  > 0''' to 0
       15000  = lost 0
       15000  = failed"
    `)
  })

  test('one of two is lost: the others go on, where the policy says so', () => {
    const policy: ArqPolicy = { ...STOP_AND_WAIT, retries: 1, exhausted: 'drop-peer' }
    const script = [
      [0, 'end 2'],
      [20, 'ack 0 <1'],
      [220, 'ack 0 <2'],
      [230, 'ack 1 <1'], // too late
    ] as const
    expect(arqTimeline(policy, 2, script, 1000)).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 0 to 1
         100  = timeout 0
         100  > 0' to 1
         200  = lost 1
         200  = all below 1
         200  > 1 to 0
         220  = all below 2
         220  = done"
    `)
    const all: ArqPolicy = { ...policy, exhausted: 'fail' }
    expect(arqTimeline(all, 2, script, 1000)).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 0 to 1
         100  = timeout 0
         100  > 0' to 1
         200  = lost 1
         200  = failed"
    `)
  })

  test('nothing to send is done at once', () => {
    expect(arqTimeline(STOP_AND_WAIT, 1, [[5, 'end 0']], 1000)).toMatchInlineSnapshot(
      `"     5  = done"`,
    )
  })
})

describe('go-back-N', () => {
  test('one timer: the oldest unit is late, and all that is out goes again', () => {
    expect(
      arqTimeline(
        GO_BACK_N,
        1,
        [
          [0, 'end 6'],
          [20, 'ack 0 <1'], // and 1 is lost: 2, 3 and 4 are of no use
          [140, 'ack 0 <5'],
          [160, 'ack 0 <6'],
        ],
        1000,
      ),
    ).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 1 to 0
           0  > 2 to 0
           0  > 3 to 0
          20  = all below 1
          20  > 4 to 0
         120  = timeout 1
         120  > 1' to 0
         120  > 2' to 0
         120  > 3' to 0
         120  > 4' to 0
         140  = all below 5
         140  > 5 to 0
         160  = all below 6
         160  = done"
    `)
  })

  test('the timer of silence begins again with everything that is sent or heard', () => {
    expect(
      arqTimeline(
        { ...GO_BACK_N, timer: 'silence' },
        1,
        [
          [0, 'end 5'],
          [90, 'ack 0 <1'],
          [150, 'ack 0 <1'],
          [260, 'ack 0 <5'],
        ],
        1000,
      ),
    ).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 1 to 0
           0  > 2 to 0
           0  > 3 to 0
          90  = all below 1
          90  > 4 to 0
         250  = timeout 1
         250  > 1' to 0
         250  > 2' to 0
         250  > 3' to 0
         250  > 4' to 0
         260  = all below 5
         260  = done"
    `)
  })
})

describe('selective repeat', () => {
  test('each unit has its own deadline', () => {
    expect(
      arqTimeline(
        SELECTIVE_REPEAT,
        1,
        [
          [0, 'offer 2'],
          [30, 'end 5'],
          [40, 'ack 0 <0 1'],
          [60, 'ack 0 <0 3'],
          [110, 'ack 0 <0 0'],
          [170, 'ack 0 <0 2'],
          [171, 'ack 0 <0 4'],
        ],
        1000,
      ),
    ).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 1 to 0
          30  > 2 to 0
          30  > 3 to 0
         100  = timeout 0
         100  > 0' to 0
         110  = all below 2
         110  > 4 to 0
         130  = timeout 2
         130  > 2' to 0
         170  = all below 4
         171  = all below 5
         171  = done"
    `)
  })

  test('a unit that three others overtook goes again at once, once', () => {
    expect(
      arqTimeline(
        { ...SOUND, window: 8, congestion: false },
        1,
        [
          [0, 'end 6'],
          [100, 'ack 0 <1'],
          [101, 'ack 0 <1 2'],
          [102, 'ack 0 <1 2 3'],
          [103, 'ack 0 <1 2 3 4'],
          [104, 'ack 0 <1 2 3 4 5'],
          [203, 'ack 0 <6'],
        ],
        3000,
      ),
    ).toMatchInlineSnapshot(`
      "     0  > 0 to 0
           0  > 1 to 0
           0  > 2 to 0
           0  > 3 to 0
           0  > 4 to 0
           0  > 5 to 0
         100  = all below 1
         103  > 1' to 0
         203  = all below 6
         203  = done"
    `)
  })
})

test('a sweep each 2 s sends again what was first sent 2 s ago, whatever was sent since', () => {
  const policy: ArqPolicy = {
    ...STOP_AND_WAIT,
    window: 8,
    acknowledgement: 'each',
    timer: 'sweep',
    timeout: fixedTimeout(s(2)),
    pace: ms(100),
  }
  expect(
    arqTimeline(
      policy,
      1,
      [
        [0, 'end 4'],
        [10, 'ack 0 <0 0'],
        [110, 'ack 0 <0 1'],
        [210, 'ack 0 <0 2'],
        [9000, 'ack 0 <0 3'],
      ],
      20_000,
    ),
  ).toMatchInlineSnapshot(`
    "     0  > 0 to 0
        10  = all below 1
       100  > 1 to 0
       110  = all below 2
       200  > 2 to 0
       210  = all below 3
       300  > 3 to 0
      4000  = timeout 3
      4000  > 3' to 0
      6000  = timeout 3
      6000  > 3'' to 0
      8000  = timeout 3
      8000  > 3''' to 0
      9000  = all below 4
      9000  = done"
  `)
})

test('congestion: the window grows with what arrives and falls with what does not', () => {
  const script = [
    [0, 'end 40'],
    [100, 'ack 0 <10'],
    [200, 'ack 0 <20'],
  ] as const
  // 10, then 20 more, then all that is left.
  const text = arqTimeline({ ...SOUND, window: 64 }, 1, script, 215)
  expect(text.split('\n').filter((line) => line.includes('> ')).length).toBe(40)
  const lossy = arqTimeline(
    { ...SOUND, window: 64 },
    1,
    [...script.slice(0, 2), [101, 'ack 0 <10 11 12 13'], [201, 'ack 0 <20']],
    215,
  )
  // 20 are out and the first of them is lost: 10 may be under way, and they are.
  expect(lossy.split('\n').slice(-3)).toMatchInlineSnapshot(`
    [
      "   100  > 29 to 0",
      "   101  > 10' to 0",
      "   201  = all below 20",
    ]
  `)
})

test('who has something already is not sent it', () => {
  expect(
    arqTimeline(
      { ...GO_BACK_N, window: 2 },
      2,
      [
        [0, 'skip 0 <2'],
        [0, 'skip 1 <1'],
        [0, 'end 3'],
        [10, 'ack 1 <2'],
        [20, 'ack 0 <3'],
        [30, 'drop 1'],
      ],
      500,
    ),
  ).toMatchInlineSnapshot(`
    "     0  = all below 1
         0  > 1 to 1
         0  > 2 to 0
         0  > 2 to 1
        10  = all below 2
        30  = lost 1
        30  = failed"
  `)
})
