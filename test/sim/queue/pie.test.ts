import { describe, expect, test } from 'vitest'
import { ms } from '../../../protocols/time.ts'
import type { PieOptions } from '../../../sim/queue/discipline.ts'
import { PieQueue, newPieState, pieCatchUp, pieChooses, pieUpdate } from '../../../sim/queue/pie.ts'
import { stream } from '../../../sim/random.ts'
import { CE, ECT_0, Heard, datagramFrame, ecnOf, place, waiting } from './queue-fixture.ts'

const law: PieOptions = {
  kind: 'pie',
  limitFrames: 500,
  limitBytes: Infinity,
  target: ms(15),
  update: ms(15),
  alpha: 0.125,
  beta: 1.25,
  burst: ms(150),
  meanSize: 1000,
  ecn: false,
}

describe('the drop probability, by hand', () => {
  const after = (dropProb: number, qdelay: number, qdelayOld: number): number => {
    const state = { ...newPieState(law), dropProb, qdelay, qdelayOld }
    pieUpdate(state, law)
    expect(state.qdelayOld).toBe(qdelay)
    return state.dropProb
  }

  test.each([
    // 0.125 · (0.095 - 0.015) + 1.25 · (0.095 - 0.055) = 0.01 + 0.05 = 0.06, divided by its range:
    [0, 0.06 / 2048],
    [0.000005, 0.000005 + 0.06 / 512],
    [0.00005, 0.00005 + 0.06 / 128],
    [0.0005, 0.0005 + 0.06 / 32],
    [0.005, 0.005 + 0.06 / 8],
    [0.05, 0.05 + 0.06 / 2],
    // From a tenth on, a step is at most two hundredths.
    [0.1, 0.12],
    [0.99, 1],
  ])('from %d', (from, to) => {
    expect(after(from, ms(95), ms(55))).toBeCloseTo(to, 14)
  })

  test('falls while the delay is below the target, and fades where there is none', () => {
    // 0.125 · -0.005 + 1.25 · -0.010 = -0.013125
    expect(after(0.3, ms(10), ms(20))).toBeCloseTo(0.3 - 0.013125, 14)
    // 0.125 · -0.015 = -0.001875, then 2 % less.
    expect(after(0.3, 0, 0)).toBeCloseTo((0.3 - 0.001875) * 0.98, 14)
    expect(after(0.0001, 0, 0)).toBeCloseTo((0.0001 - 0.001875 / 32) * 0.98, 14)
    expect(after(0.0000001, 0, 0)).toBe(0)
  })
})

describe('who is never chosen', () => {
  const chosen = (change: object, bytes = 10_000) => {
    const congested = { ...newPieState(law), dropProb: 0.3, qdelay: ms(30), qdelayOld: ms(30) }
    return pieChooses({ ...congested, burstAllowance: 0, ...change }, law, bytes, 0.29)
  }
  test('by hand', () => {
    expect(chosen({})).toBe(true)
    expect(chosen({ dropProb: 0.29 })).toBe(false)
    expect(chosen({ burstAllowance: 1 })).toBe(false)
    expect(chosen({ qdelayOld: ms(7) })).toBe(true) // dropProb is 0.2 or more
    expect(chosen({}, 2000)).toBe(false)
    expect(chosen({}, 2001)).toBe(true)
    const low = { ...newPieState(law), dropProb: 0.19, burstAllowance: 0 }
    expect(pieChooses({ ...low, qdelayOld: ms(7.4) }, law, 10_000, 0)).toBe(false)
    expect(pieChooses({ ...low, qdelayOld: ms(7.5) }, law, 10_000, 0)).toBe(true)
  })
})

test('at rest a long time costs nothing, and the next update keeps its beat', () => {
  const state = newPieState(law)
  pieCatchUp(state, law, ms(2))
  expect(state.updateAt).toBe(ms(17))
  pieCatchUp(state, law, ms(2) + 1e15)
  expect((state.updateAt - ms(2)) % ms(15)).toBe(0)
  expect(state.updateAt).toBeGreaterThan(ms(2) + 1e15)
  expect(state.updateAt).toBeLessThanOrEqual(ms(17) + 1e15)
})

/** RFC 8033 in its own units, seconds, with a clock that ticks for every update. */
class Reference {
  p = 0
  qdelay = 0
  qdelayOld = 0
  burst = 0.15
  nextTick: number | null = null
  readonly queue: number[] = []
  readonly draw = stream('1', 'a>b/pie')

  tick(): void {
    let step = 0.125 * (this.qdelay - 0.015) + 1.25 * (this.qdelay - this.qdelayOld)
    if (this.p < 0.000001) step /= 2048
    else if (this.p < 0.00001) step /= 512
    else if (this.p < 0.0001) step /= 128
    else if (this.p < 0.001) step /= 32
    else if (this.p < 0.01) step /= 8
    else if (this.p < 0.1) step /= 2
    if (this.p >= 0.1) step = Math.min(step, 0.02)
    this.p += step
    if (this.qdelay === 0 && this.qdelayOld === 0) this.p *= 0.98
    if (this.p < 0) this.p = 0
    if (this.p > 1) this.p = 1
    this.qdelayOld = this.qdelay
    this.burst = this.burst > 0.0150001 ? this.burst - 0.015 : 0
  }

  ticksUpTo(now: number): void {
    if (this.nextTick === null) this.nextTick = now + ms(15)
    for (; this.nextTick <= now; this.nextTick += ms(15)) this.tick()
  }

  arrive(now: number, size: number): 'queued' | 'pie' | 'queue-full' {
    this.ticksUpTo(now)
    const draw = this.draw()
    const burstBefore = this.burst
    if (this.p === 0 && this.qdelay < 0.0075 && this.qdelayOld < 0.0075) this.burst = 0.15
    if (this.queue.length === 500) return 'queue-full'
    const isCalm = this.qdelayOld < 0.0075 && this.p < 0.2
    const isShort = this.queue.length * size <= 2000
    if (burstBefore <= 0 && !isCalm && !isShort && draw < this.p) return 'pie'
    this.queue.push(now)
    return 'queued'
  }

  depart(now: number): void {
    const arrived = this.queue.shift()!
    this.ticksUpTo(now)
    this.qdelay = this.queue.length === 0 ? 0 : (now - arrived) / 1e9
  }
}

describe('step by step against the pseudo-code of RFC 8033', () => {
  test.each([
    ['overload', [[4000, 700]]],
    [
      'overload, a pause, overload again',
      [
        [2500, 800],
        [1, 900_000],
        [2500, 800],
      ],
    ],
    [
      'a burst within the allowance, then too much',
      [
        [100, 10],
        [600, 1500],
        [3000, 650],
      ],
    ],
    [
      'from light to far too much',
      [
        [500, 1100],
        [1000, 950],
        [1500, 900],
        [3000, 300],
        [900, 2500],
      ],
    ],
  ] as const)('%s', (_, phases) => {
    const queue = new PieQueue(law, place())
    const reference = new Reference()
    const fates = { queued: 0, pie: 0, 'queue-full': 0 }
    let now = 0
    let free = 0
    for (const [count, micros] of phases) {
      for (let i = 0; i < count; i++) {
        now += micros * 1000
        for (; free <= now && queue.frames > 0; free += ms(1)) {
          queue.dequeue(free)
          reference.depart(free)
        }
        if (free < now) free = now
        const expected = reference.arrive(now, 1000)
        expect(queue.enqueue(now, waiting(now, 1000), new Heard()) ?? 'queued').toBe(expected)
        expect(queue.frames).toBe(reference.queue.length)
        fates[expected] += 1
      }
    }
    expect(fates.pie).toBeGreaterThan(100)
    expect(fates.queued).toBeGreaterThan(1000)
  })
})

describe('in a queue', () => {
  /** Twice what the link carries, for so many milliseconds. */
  function overload(ecn: boolean, span: number) {
    const queue = new PieQueue({ ...law, ecn }, place())
    const heard = new Heard()
    const drops: number[] = []
    for (let now = 0; now < ms(span); now += ms(0.5)) {
      const frame = waiting(now, 1000, datagramFrame(1000, 1, ECT_0))
      if (queue.enqueue(now, frame, heard) !== null) drops.push(now / ms(1))
      if (now % ms(1) === 0) queue.dequeue(now)
    }
    return { drops, heard }
  }

  test('a burst goes untouched for at least its allowance', () => {
    const { drops } = overload(false, 1000)
    expect(drops[0]).toBeGreaterThan(150)
    expect(drops.length).toBeGreaterThan(20)
  })

  test('ECN: marked while the probability is below a tenth, dropped above', () => {
    const { drops, heard } = overload(true, 2000)
    expect(heard.marked.every(({ frame }) => ecnOf(frame) === CE)).toBe(true)
    expect(heard.marked.length).toBeGreaterThan(5)
    const lastMark = heard.marked.at(-1)!.arrived / ms(1)
    expect(drops[0]).toBeGreaterThan(lastMark)
  })
})
