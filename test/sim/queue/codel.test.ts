import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ms, us } from '../../../protocols/time.ts'
import { codelDequeue, controlSpan, newCodelState } from '../../../sim/queue/codel-law.ts'
import { CodelQueue } from '../../../sim/queue/codel.ts'
import type { CodelOptions, WaitingFrame } from '../../../sim/queue/discipline.ts'
import { FrameFifo } from '../../../sim/queue/frame-fifo.ts'
import { CE, ECT_0, Heard, datagramFrame, ecnOf, place, waiting } from './queue-fixture.ts'

const LAW = { target: ms(5), interval: ms(100), ecn: false }

describe('interval / sqrt(count)', () => {
  test.each([
    [1, 100_000_000],
    [2, 70_710_678], // 70,710,678.118…
    [3, 57_735_026], // 57,735,026.918…
    [4, 50_000_000],
    [5, 44_721_359], // 44,721,359.549…
    [1_000_000, 100_000],
  ])('of 100 ms and %i', (count, span) => {
    expect(controlSpan(ms(100), count)).toBe(span)
  })

  test('is exact where floating point would not be', () => {
    const interval = 9_007_199_254_740_991
    // A perfect square leaves no rest: one less is the largest whose square fits.
    expect(controlSpan(interval, 1)).toBe(interval)
    for (const count of [2, 3, 7, 1_048_575]) {
      const span = BigInt(controlSpan(interval, count))
      const fits = (x: bigint) => x * x * BigInt(count) <= BigInt(interval) ** 2n
      expect([fits(span), fits(span + 1n)]).toEqual([true, false])
    }
  })
})

/** The RFC's own pseudo-code, on a list, in integers of any size. */
class Reference {
  readonly list: { id: number; size: number; arrived: number }[] = []
  firstAbove = 0
  dropNext = 0n
  count = 0
  lastCount = 0
  dropping = false
  /** How often it went on near the rate of the last time. */
  resumed = 0

  dequeue(now: number): { sent: number | null; dropped: number[] } {
    const dropped: number[] = []
    let [head, okToDrop] = this.doDequeue(now)
    if (this.dropping) {
      if (!okToDrop) this.dropping = false
      while (BigInt(now) >= this.dropNext && this.dropping) {
        dropped.push(head!)
        this.count += 1
        ;[head, okToDrop] = this.doDequeue(now)
        if (!okToDrop) this.dropping = false
        else this.dropNext += this.law()
      }
    } else if (okToDrop) {
      dropped.push(head!)
      ;[head, okToDrop] = this.doDequeue(now)
      this.dropping = true
      const delta = this.count - this.lastCount
      const recently = BigInt(now) - this.dropNext < BigInt(16 * LAW.interval)
      this.count = delta > 1 && recently ? delta : 1
      if (this.count > 1) this.resumed += 1
      this.dropNext = BigInt(now) + this.law()
      this.lastCount = this.count
    }
    return { sent: head, dropped }
  }

  private doDequeue(now: number): [number | null, boolean] {
    const head = this.list.shift()
    if (head === undefined) {
      this.firstAbove = 0
      return [null, false]
    }
    const left = this.list.reduce((sum, { size }) => sum + size, 0)
    if (now - head.arrived < LAW.target || left <= 1514) this.firstAbove = 0
    else if (this.firstAbove === 0) this.firstAbove = now + LAW.interval
    else if (now >= this.firstAbove) return [head.id, true]
    return [head.id, false]
  }

  /** By bisection, not by a square root. */
  private law(): bigint {
    let [low, high] = [0n, BigInt(LAW.interval) + 1n]
    while (high - low > 1n) {
      const middle = (low + high) / 2n
      if (middle * middle * BigInt(this.count) <= BigInt(LAW.interval) ** 2n) low = middle
      else high = middle
    }
    return low
  }
}

/** Plays arrivals against a link of 8 Mbit/s through both, and compares after each departure. */
function compare(arrivals: readonly { gap: number; size: number }[]): {
  drops: number
  resumed: number
} {
  const state = newCodelState()
  const fifo = new FrameFifo()
  const reference = new Reference()
  const ids = new Map<WaitingFrame, number>()
  let drops = 0
  let free = 0
  const serve = (until: number) => {
    while (free <= until && fifo.frames > 0) {
      const heard = new Heard()
      const next = codelDequeue(state, LAW, place(), fifo, free, 'codel', heard)
      const expected = reference.dequeue(free)
      expect(next === null ? null : ids.get(next)).toBe(expected.sent)
      expect(heard.discarded.map((frame) => ids.get(frame))).toEqual(expected.dropped)
      expect([state.count, state.lastCount, state.dropping]).toEqual([
        reference.count,
        reference.lastCount,
        reference.dropping,
      ])
      if (state.dropping) expect(BigInt(state.dropNext)).toBe(reference.dropNext)
      drops += expected.dropped.length
      if (next !== null) free += next.size * 1000
    }
  }
  let now = 0
  for (const [id, { gap, size }] of arrivals.entries()) {
    now += gap
    serve(now - 1)
    if (fifo.frames === 0 && free < now) free = now
    const frame = waiting(now, size)
    ids.set(frame, id)
    fifo.push(frame)
    reference.list.push({ id, size, arrived: now })
  }
  serve(Infinity)
  return { drops, resumed: reference.resumed }
}

const repeated = (count: number, gap: number, size: number) =>
  Array.from({ length: count }, () => ({ gap, size }))

describe('step by step against the pseudo-code of RFC 8289 §5', () => {
  test('overload, a pause, overload again soon: dropping goes on at its rate', () => {
    const { drops } = compare([
      ...repeated(2000, us(700), 1000),
      ...repeated(300, ms(2), 1000),
      ...repeated(1500, us(600), 1000),
    ])
    expect(drops).toBeGreaterThan(150)
  })

  test('and again after more than 16 intervals: it starts anew', () => {
    const overload = repeated(800, us(800), 1000)
    expect(compare([...overload, { gap: ms(4000), size: 64 }, ...overload]).drops).toBeGreaterThan(
      5,
    )
  })

  test('overload and pauses of all lengths', () => {
    const phase = fc.record({
      count: fc.integer({ min: 200, max: 900 }),
      gap: fc.constantFrom(us(400), us(600), us(800), us(900)),
      pause: fc.constantFrom(ms(100), ms(400), ms(700), ms(1200), ms(2500)),
    })
    const reached = new Set<boolean>()
    fc.assert(
      fc.property(fc.array(phase, { minLength: 2, maxLength: 5 }), (phases) => {
        const { resumed, drops } = compare(
          phases.flatMap(({ count, gap, pause }) => [
            { gap: pause, size: 64 },
            ...repeated(count, gap, 1000),
          ]),
        )
        if (drops > 0) reached.add(resumed > 0)
      }),
      { seed: 9, numRuns: 40 },
    )
    // Both ways of entering the dropping state came up.
    expect(reached).toEqual(new Set([true, false]))
  })

  test('bursts of all sizes', () => {
    const arrival = fc.record({
      gap: fc.constantFrom(0, 0, us(100), us(500), ms(1), ms(3), ms(40)),
      size: fc.constantFrom(60, 300, 1000, 1514),
    })
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 200, maxLength: 600 }), (arrivals) => {
        compare(arrivals)
      }),
      { seed: 8, numRuns: 40 },
    )
  })
})

describe('by hand', () => {
  test.each([
    [1514, 'below'],
    [1515, 'above'],
  ])('a delay counts as long only where more than a frame is left: %i bytes are %s', (left, is) => {
    const state = newCodelState()
    const fifo = new FrameFifo()
    fifo.push(waiting(0, 60))
    fifo.push(waiting(0, left))
    codelDequeue(state, LAW, place(), fifo, ms(5), 'codel', new Heard())
    expect(state.firstAboveTime).toBe(is === 'above' ? ms(105) : Infinity)
  })

  const options: CodelOptions = { kind: 'codel', limitFrames: 400, limitBytes: Infinity, ...LAW }

  /** 400 frames at once, one leaves every millisecond: the delay grows by that. */
  function drain(frame: () => ReturnType<typeof datagramFrame>, ecn: boolean) {
    const queue = new CodelQueue({ ...options, ecn }, place())
    const heard = new Heard()
    for (let i = 0; i < 400; i++) queue.enqueue(0, waiting(0, 1000, frame()))
    expect(queue.enqueue(0, waiting(0, 1000))).toBe('queue-full')
    const at: number[] = []
    const sent: WaitingFrame[] = []
    for (let now = ms(1); queue.frames > 0; now += ms(1)) {
      const before = heard.discarded.length + heard.marked.length
      const next = queue.dequeue(now, heard)
      if (next !== null) sent.push(next)
      const after = heard.discarded.length + heard.marked.length
      for (let i = before; i < after; i++) at.push(now / ms(1))
    }
    return { heard, at, sent }
  }

  test('above 5 ms from 5 ms on; the first drop 100 ms later, the next ever closer', () => {
    // 105, + 100/√1 = 205, + 70.7 = 275.7, + 57.7 = 333.4, + 50 = 383.4: each at the next departure.
    const { heard, at } = drain(() => datagramFrame(1000), false)
    expect(at).toEqual([105, 205, 276, 334, 384])
    expect(new Set(heard.whys)).toEqual(new Set(['codel']))
  })

  test('ECN: marked instead, at the same times, and delivered', () => {
    const { heard, at, sent } = drain(() => datagramFrame(1000, 1, ECT_0), true)
    expect(at).toEqual([105, 205, 276, 334, 384])
    expect(heard.discarded).toEqual([])
    expect(sent).toHaveLength(400)
    const marked = sent.flatMap(({ frame }, index) => (ecnOf(frame) === CE ? [index + 1] : []))
    expect(marked).toEqual([105, 205, 276, 334, 384])
  })

  test('ECN does not save who does not understand it', () => {
    const { heard, at } = drain(() => datagramFrame(1000), true)
    expect([heard.marked.length, at.length]).toEqual([0, 5])
  })
})
