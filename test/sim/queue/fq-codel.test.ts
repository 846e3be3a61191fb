import { describe, expect, test } from 'vitest'
import { ms } from '../../../protocols/time.ts'
import type { FqCodelOptions, WaitingFrame } from '../../../sim/queue/discipline.ts'
import { flowHash } from '../../../sim/queue/flow-hash.ts'
import { FqCodelQueue } from '../../../sim/queue/fq-codel.ts'
import { tcpFrame } from '../link-fixture.ts'
import { Heard, datagramFrame, place, waiting } from './queue-fixture.ts'

const options: FqCodelOptions = {
  kind: 'fq-codel',
  limitFrames: 10_240,
  limitBytes: Infinity,
  target: ms(5),
  interval: ms(100),
  ecn: false,
  quantum: 1514,
  flows: 1024,
  dropBatch: 64,
}

/** Flows by number: the source port. */
class Bench {
  readonly heard = new Heard()
  readonly queue: FqCodelQueue
  readonly #flows = new Map<WaitingFrame, number>()

  constructor(change: Partial<FqCodelOptions> = {}, seed = '1') {
    this.queue = new FqCodelQueue({ ...options, ...change }, place({ seed }))
  }

  offer(flow: number, size: number, times = 1, now = 0): (string | null)[] {
    return Array.from({ length: times }, () => {
      const frame = waiting(now, size, datagramFrame(size, flow))
      this.#flows.set(frame, flow)
      return this.queue.enqueue(now, frame, this.heard)
    })
  }

  /** The flows of the next frames. */
  next(times: number, now = 0): (number | null)[] {
    return Array.from({ length: times }, () => {
      const next = this.queue.dequeue(now, this.heard)
      return next === null ? null : this.#flows.get(next)!
    })
  }

  get discarded(): number[] {
    return this.heard.discarded.map((frame) => this.#flows.get(frame)!)
  }
}

describe('who is next', () => {
  test('a new flow goes before the old ones, once', () => {
    const bench = new Bench()
    bench.offer(1, 1514, 5)
    bench.offer(2, 1514, 5)
    expect(bench.next(3)).toEqual([1, 2, 1])
    bench.offer(9, 100)
    expect(bench.next(1)).toEqual([9])
    // Empty, it goes to the end of the old list: 2, 9, and 1 behind them with new credit.
    expect(bench.next(1)).toEqual([2])
    bench.offer(9, 100, 2)
    expect(bench.next(5)).toEqual([9, 9, 1, 2, 1])
    // Twice it was empty when its turn came: gone, and new again.
    bench.offer(9, 100)
    expect(bench.next(1)).toEqual([9])
  })

  test('an empty new queue takes its place at the end of the old ones', () => {
    const bench = new Bench()
    for (const flow of [1, 2, 3]) bench.offer(flow, 1514, 5)
    expect(bench.next(3)).toEqual([1, 2, 3])
    bench.offer(9, 100)
    expect(bench.next(2)).toEqual([9, 1])
    // Else it could be new for ever, a frame at a time, and starve the others.
    bench.offer(9, 100)
    expect(bench.next(4)).toEqual([2, 3, 9, 1])
  })

  test('a flow that sends no more than its share each round always is sparse', () => {
    const bench = new Bench()
    for (const flow of [1, 2, 3]) bench.offer(flow, 1514, 50)
    bench.next(6)
    for (let round = 0; round < 20; round++) {
      bench.offer(9, 200)
      expect(bench.next(4)[0]).toBe(9)
      // Three frames of the others: the empty queue has left the old list.
      bench.next(3)
    }
  })

  test('flows share bytes, not frames', () => {
    const bench = new Bench({ interval: ms(1e6) })
    bench.offer(1, 1500, 400)
    bench.offer(2, 300, 2000)
    bench.offer(3, 750, 800)
    const sent = [0, 0, 0, 0]
    const sizes = [0, 1500, 300, 750]
    for (const flow of bench.next(900)) sent[flow!]! += sizes[flow!]!
    // Within one quantum and one frame of each other.
    const shares = sent.slice(1)
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1514 + 1500)
    expect(Math.min(...shares)).toBeGreaterThan(150_000)
  })

  test('a smaller quantum makes large frames wait for several rounds', () => {
    const bench = new Bench({ quantum: 500 })
    bench.offer(1, 1500, 4)
    bench.offer(2, 500, 12)
    // 1500 bytes of the first cost it three rounds.
    expect(bench.next(8)).toEqual([1, 2, 2, 2, 1, 2, 2, 2])
  })

  test('an empty queue has nothing to send', () => {
    const bench = new Bench()
    expect(bench.next(1)).toEqual([null])
    bench.offer(1, 100)
    expect(bench.next(2)).toEqual([1, null])
    expect([bench.queue.frames, bench.queue.bytes]).toEqual([0, 0])
  })
})

describe('no room', () => {
  test('half of the longest queue goes, from its head', () => {
    const bench = new Bench({ limitFrames: 20 })
    bench.offer(1, 1000, 10)
    bench.offer(2, 100, 10)
    expect(bench.offer(2, 100)).toEqual([null])
    // The fattest has 10,000 bytes: five of its frames are half.
    expect(bench.discarded).toEqual([1, 1, 1, 1, 1])
    expect(new Set(bench.heard.whys)).toEqual(new Set(['queue-full']))
    expect([bench.queue.frames, bench.queue.bytes]).toEqual([16, 5000 + 1100])
  })

  test('but no more than a batch', () => {
    const bench = new Bench({ limitFrames: 20, dropBatch: 2 })
    bench.offer(1, 1000, 20)
    bench.offer(2, 100)
    expect(bench.discarded).toEqual([1, 1])
    expect(bench.queue.frames).toBe(19)
  })

  test('a bound on memory, whatever the number of frames', () => {
    const bench = new Bench({ limitBytes: 10_000 })
    for (let i = 0; i < 500; i++) {
      bench.offer(1 + (i % 3), 100 + ((i * 37) % 900))
      expect(bench.queue.bytes).toBeLessThanOrEqual(10_000)
    }
    let left = 0
    while (bench.next(1)[0] !== null) left += 1
    expect(left + bench.discarded.length).toBe(500)
  })

  test('a frame larger than all there is goes itself', () => {
    const bench = new Bench({ limitBytes: 500 })
    expect(bench.offer(1, 1000)).toEqual(['queue-full'])
    expect([bench.queue.frames, bench.queue.bytes, bench.discarded]).toEqual([0, 0, []])
    expect(bench.offer(1, 400)).toEqual([null])
    expect(bench.next(2)).toEqual([1, null])
  })
})

test('each flow is under a CoDel of its own', () => {
  const bench = new Bench()
  bench.offer(1, 1000, 300)
  const at: number[] = []
  for (let now = 1; now <= 300; now++) {
    const before = bench.discarded.length
    // The other flow never waits.
    bench.offer(2, 100, 1, ms(now))
    bench.next(2, ms(now))
    for (let i = before; i < bench.discarded.length; i++) at.push(now)
  }
  // As CoDel alone: above 5 ms from 5 ms on, dropped after 100 ms, then 100 and 70.7 ms later.
  expect(at.slice(0, 3)).toEqual([105, 205, 276])
  expect(new Set(bench.discarded)).toEqual(new Set([1]))
  expect(bench.heard.whys[0]).toBe('fq-codel')
})

describe('which flow', () => {
  test('is a matter of addresses, protocol and ports, not of contents', () => {
    const hash = flowHash(datagramFrame(100, 7), 1)
    expect(flowHash(datagramFrame(1000, 7, 2), 1)).toBe(hash)
    expect(flowHash(datagramFrame(100, 8), 1)).not.toBe(hash)
    expect(flowHash(tcpFrame(16, 10), 1)).toBe(flowHash(tcpFrame(2), 1))
  })

  test('another seed lets other flows collide', () => {
    const queueOf = (flow: number, seed: number) =>
      (flowHash(datagramFrame(60, flow), seed) >>> 0) % 16
    const together = (seed: number) =>
      Array.from({ length: 200 }, (_, i) => i).filter((i) => queueOf(i, seed) === queueOf(0, seed))
    expect(together(1)).not.toEqual(together(2))
    // Every queue is used: 200 flows in 16 queues.
    for (const seed of [1, 2]) {
      const used = new Set(Array.from({ length: 200 }, (_, i) => queueOf(i, seed)))
      expect(used.size).toBe(16)
    }
  })
})
