import { describe, expect, test } from 'vitest'
import { ms } from '../../../protocols/time.ts'
import type { RedOptions } from '../../../sim/queue/discipline.ts'
import { RedQueue, newRedState, redAverage, redVerdict } from '../../../sim/queue/red.ts'
import { stream } from '../../../sim/random.ts'
import { CE, ECT_0, Heard, datagramFrame, ecnOf, place, waiting } from './queue-fixture.ts'

const law: RedOptions = {
  kind: 'red',
  unit: 'frames',
  limit: 60,
  min: 5,
  max: 15,
  probability: 0.1,
  weight: 0.25,
  gentle: true,
  meanSize: 1000,
  ecn: false,
}

describe('the average', () => {
  test('by hand', () => {
    const state = newRedState()
    redAverage(state, law, 8, 0)
    expect(state.avg).toBe(2) // 0 + 8/4
    redAverage(state, law, 4, 0)
    expect(state.avg).toBe(2.5) // 3/4 of 2, and 4/4
    // Two frames' worth of idle link: (3/4)² of it, then an empty queue: 3/4 once more.
    redAverage(state, law, 0, 2)
    expect(state.avg).toBe(2.5 * 0.75 ** 3)
  })

  test('a long pause leaves nothing', () => {
    const state = { avg: 30, count: 3 }
    redAverage(state, law, 0, 2 ** 40)
    expect(state.avg).toBe(0)
  })
})

describe('the verdict', () => {
  const verdict = (avg: number, count: number, draw: number, change: Partial<RedOptions> = {}) => {
    const state = { avg, count }
    return [redVerdict(state, { ...law, ...change }, 500, draw), state.count]
  }

  test('by hand', () => {
    expect(verdict(4.99, 7, 0)).toEqual(['keep', -1])
    // pb = 0.1 · (10 - 5) / 10 = 0.05. The first: pa = 0.05.
    expect(verdict(10, -1, 0.05)).toEqual(['keep', 0])
    expect(verdict(10, -1, 0.0499)).toEqual(['early', 0])
    // The eleventh: pa = 0.05 / (1 - 10 · 0.05) = 0.1.
    expect(verdict(10, 9, 0.1001)).toEqual(['keep', 10])
    expect(verdict(10, 9, 0.0999)).toEqual(['early', 0])
    // The twenty-first at the latest.
    expect(verdict(10, 19, 0.9999)).toEqual(['early', 0])
  })

  test('gentle: from the probability at max up to 1 at twice max', () => {
    // 0.1 + 0.9 · 7.5 / 15 = 0.55
    expect(verdict(22.5, -1, 0.5501)).toEqual(['keep', 0])
    expect(verdict(22.5, -1, 0.5499)).toEqual(['forced', 0])
    expect(verdict(30, -1, 0.9999)).toEqual(['forced', 0])
    expect(verdict(15, 3, 0.9999, { gentle: false })).toEqual(['forced', 0])
  })

  test('in bytes a frame of half the size has half the chance', () => {
    const bytes = { unit: 'bytes', min: 5000, max: 15_000 } as const
    expect(verdict(10_000, -1, 0.0251, bytes)).toEqual(['keep', 0])
    expect(verdict(10_000, -1, 0.0249, bytes)).toEqual(['early', 0])
  })
})

/** The algorithm of 1993 with its variables, one arrival after another. */
class Reference {
  avg = 0
  count = -1
  queue: number[] = []
  idleSince: number | null = 0
  readonly draw = stream('1', 'a>b/red')

  arrive(now: number, size: number): 'queued' | 'red' | 'queue-full' {
    const draw = this.draw()
    if (this.idleSince === null) this.avg += law.weight * (this.queue.length - this.avg)
    else {
      const m = Math.floor((now - this.idleSince) / ms(1))
      // One more for the arrival itself, which sees an empty queue.
      for (let i = 0; i <= m && this.avg > 1e-300; i++) this.avg *= 1 - law.weight
    }
    let chosen = false
    if (this.avg < law.min) this.count = -1
    else {
      this.count += 1
      const base = (this.avg - law.min) * (law.probability / (law.max - law.min))
      const slope = (1 - law.probability) / law.max
      const pb = this.avg < law.max ? base : law.probability + slope * (this.avg - law.max)
      const rest = 1 - this.count * pb
      chosen = pb >= 1 || rest <= 0 || draw * rest < pb
    }
    if (chosen) {
      this.count = 0
      return 'red'
    }
    if (this.queue.length >= law.limit) return 'queue-full'
    this.queue.push(size)
    this.idleSince = null
    return 'queued'
  }
}

describe('step by step against the algorithm of Floyd and Jacobson', () => {
  test.each([
    [
      'a rising load, a pause, a burst',
      [
        [400, 900],
        [1, 30_000],
        [300, 600],
        [150, 100],
      ],
    ],
    [
      'bursts',
      [
        [30, 1500],
        [70, 10],
        [3, 5000],
        [200, 700],
        [80, 20],
        [400, 950],
      ],
    ],
  ] as const)('%s', (_, phases) => {
    const link = place()
    const queue = new RedQueue(law, link)
    const reference = new Reference()
    const fates = { queued: 0, red: 0, 'queue-full': 0 }
    let now = 0
    const serve = () => {
      // 1000 bytes a millisecond; at the end of the last one the link goes idle.
      while (link.freeAt <= now && queue.frames > 0) {
        link.freeAt += queue.dequeue()!.size * 1000
        reference.queue.shift()
      }
      const idle = reference.queue.length === 0 && link.freeAt < now
      reference.idleSince = idle ? link.freeAt : null
    }
    for (const [count, micros] of phases) {
      for (let i = 0; i < count; i++) {
        now += micros * 1000
        serve()
        const expected = reference.arrive(now, 1000)
        const refusal = queue.enqueue(now, waiting(now, 1000), new Heard())
        expect(refusal ?? 'queued').toBe(expected)
        expect(queue.frames).toBe(reference.queue.length)
        if (refusal === null && link.freeAt < now) {
          // The idle link takes it at once.
          queue.dequeue()
          reference.queue.shift()
          link.freeAt = now + ms(1)
        }
        fates[expected] += 1
      }
    }
    expect(fates.red).toBeGreaterThan(10)
    expect(fates.queued).toBeGreaterThan(200)
  })
})

describe('ECN', () => {
  test('below max frames are marked, above it dropped all the same', () => {
    const queue = new RedQueue({ ...law, probability: 0.5, ecn: true }, place())
    const fates: string[] = []
    for (let i = 0; i < 120; i++) {
      const heard = new Heard()
      const frame = waiting(0, 100, datagramFrame(100, 1, ECT_0))
      const why = queue.enqueue(0, frame, heard)
      const isMarked = ecnOf(frame.frame) === CE
      expect(heard.marked.length).toBe(isMarked ? 1 : 0)
      fates.push(why ?? (isMarked ? 'marked' : 'plain'))
    }
    const lastMark = fates.lastIndexOf('marked')
    expect(fates.slice(0, lastMark)).not.toContain('red')
    expect(fates.slice(lastMark + 1)).toContain('red')
    expect(fates.filter((fate) => fate === 'marked').length).toBeGreaterThan(0)
  })
})
