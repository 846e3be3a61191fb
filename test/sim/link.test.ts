import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../protocols/assert.ts'
import { ACK, SYN } from '../../protocols/tcp/segment.ts'
import { NEVER, ms } from '../../protocols/time.ts'
import { parseDropPattern } from '../../sim/drop-rule.ts'
import { isRefusal } from '../../sim/user-error.ts'
import { Bench, rawFrame, tcpFrame } from './link-fixture.ts'

/** 1000 bytes take exactly 1 ms. */
const RATE = 8_000_000

describe('delay and rate', () => {
  test('a perfect link delivers the same frame in the same instant', () => {
    const bench = new Bench({})
    const frame = rawFrame(100)
    expect(bench.send(5, frame)).toBe(5)
    expect(bench.link.inFlight).toBe(1)
    const [delivery] = bench.finish()
    expect(delivery!.at).toBe(5)
    expect(delivery!.frame).toBe(frame)
    expect([bench.link.inFlight, bench.queue.topTime]).toEqual([0, NEVER])
  })

  test('transmission first, then the delay; frames wait for each other', () => {
    const bench = new Bench({ delay: ms(10), rate: RATE })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(11))
    expect(bench.send(0, rawFrame(500))).toBe(ms(11.5))
    expect(bench.send(ms(1.25), rawFrame(1000))).toBe(ms(12.5))
    expect(bench.send(ms(20), rawFrame(1000))).toBe(ms(31))
    expect(bench.finish().map(({ at }) => at)).toEqual([ms(11), ms(11.5), ms(12.5), ms(31)])
  })

  test('a payload above the MTU is too big, and takes no time', () => {
    const bench = new Bench({ rate: RATE, mtu: 1500 })
    expect(bench.send(0, rawFrame(1515))).toBe('too-big')
    expect(bench.link.arrives).toBe(NEVER)
    expect(bench.send(0, rawFrame(1514))).toBe(1_514_000)
  })
})

describe('drop-tail', () => {
  test('the frame being transmitted does not count; a departure goes before an arrival', () => {
    const bench = new Bench({ rate: RATE, queueFrames: 2 })
    const seen: (string | number)[][] = []
    const offer = (now: number) => {
      const fate = bench.send(now, rawFrame(1000))
      seen.push([now, fate, bench.link.queueFrames, bench.link.queueBytes])
    }
    for (const now of [0, 0, 0, 0, ms(1) - 1, ms(1), ms(1), ms(2), ms(5)]) offer(now)
    expect(seen).toEqual([
      [0, ms(1), 0, 0], // on the link at once
      [0, ms(2), 1, 1000],
      [0, ms(3), 2, 2000],
      [0, 'queue-full', 2, 2000],
      [ms(1) - 1, 'queue-full', 2, 2000],
      [ms(1), ms(4), 2, 2000], // the second has left the queue in this very instant
      [ms(1), 'queue-full', 2, 2000],
      [ms(2), ms(5), 2, 2000],
      [ms(5), ms(6), 0, 0], // the last one's end: the link is idle
    ])
  })

  test('a limit in bytes', () => {
    const bench = new Bench({ rate: RATE, queueBytes: 1500 })
    expect(bench.send(0, rawFrame(1514))).toBe(1_514_000)
    expect(bench.send(0, rawFrame(1000))).toBe(2_514_000)
    expect(bench.send(0, rawFrame(501))).toBe('queue-full')
    expect(bench.send(0, rawFrame(500))).toBe(3_014_000)
    expect([bench.link.queueFrames, bench.link.queueBytes]).toEqual([2, 1500])
    expect(bench.send(1_514_000, rawFrame(1000))).toBe(4_014_000)
  })

  test('no room at all: only an idle link takes a frame', () => {
    const bench = new Bench({ rate: RATE, queueFrames: 0 })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(1))
    expect(bench.send(ms(1) - 1, rawFrame(1000))).toBe('queue-full')
    expect(bench.send(ms(1), rawFrame(1000))).toBe(ms(2))
  })

  test('a lost frame has used its transmission time', () => {
    const bench = new Bench({ rate: RATE, queueFrames: 1, drops: [(_, index) => index <= 2] })
    expect(bench.send(0, rawFrame(1000))).toBe('forced')
    expect(bench.send(0, rawFrame(1000))).toBe('forced')
    expect(bench.link.queueFrames).toBe(1)
    expect(bench.send(0, rawFrame(1000))).toBe('queue-full')
    expect(bench.send(ms(1), rawFrame(1000))).toBe(ms(3))
  })
})

describe('forced drops', () => {
  test('all three forms; every offered frame counts, whatever becomes of it', () => {
    const pattern = parseDropPattern('2nd data segment')
    if (isRefusal(pattern)) throw new Error(pattern.error)
    const bench = new Bench({
      drops: [(_, index) => index === 1, pattern, (frame) => frame.size === 54 + 99],
    })
    const sizes = [[SYN], [ACK, 10], [ACK], [ACK, 20], [ACK, 30], [ACK, 99]] as const
    const fates = sizes.map(([flags, bytes]) => bench.send(0, tcpFrame(flags, bytes)))
    expect(fates).toEqual(['forced', 0, 0, 'forced', 0, 'forced'])
    expect(bench.link.discarded).toBe(3)
  })

  test('a frame that the queue has dropped is not dropped again by force, yet is counted', () => {
    const drops = [(_: unknown, index: number) => index === 2 || index === 3]
    const bench = new Bench({ rate: RATE, queueFrames: 0, drops })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(1))
    expect(bench.send(0, rawFrame(1000))).toBe('queue-full')
    expect(bench.send(ms(1), rawFrame(1000))).toBe('forced')
    expect(bench.link.discarded).toBe(2)
  })
})

describe('reordering and duplication', () => {
  test('a chosen frame skips the delay and overtakes; the others keep their order', () => {
    const bench = new Bench({ delay: ms(10) })
    const frames = [1, 2, 3, 4, 5].map((n) => rawFrame(100 + n))
    const send = (now: number, n: number, reorder: number) => {
      bench.link.setOptions({ reorder })
      bench.send(now, frames[n]!)
      return [bench.link.reordered, bench.link.arrives]
    }
    expect(send(0, 0, 0)).toEqual([false, ms(10)])
    expect(send(ms(1), 1, 0)).toEqual([false, ms(11)])
    expect(send(ms(10), 2, 1)).toEqual([true, ms(10)])
    expect(send(ms(10), 3, 1)).toEqual([true, ms(10)])
    expect(send(ms(10), 4, 0)).toEqual([false, ms(20)])
    const order = bench.finish().map(({ at, frame }) => [at, frames.indexOf(frame)])
    expect(order).toEqual([
      [ms(10), 0],
      [ms(10), 2],
      [ms(10), 3],
      [ms(11), 1],
      [ms(20), 4],
    ])
  })

  test('what overtakes comes behind what is due in the same instant', () => {
    const bench = new Bench({ delay: ms(10) })
    const frames = [1, 2, 3, 4].map((n) => rawFrame(100 + n))
    bench.link.send(0, frames[0]!)
    bench.link.send(ms(1), frames[1]!)
    bench.link.setOptions({ reorder: 1 })
    bench.link.send(ms(10), frames[2]!)
    bench.link.send(ms(10), frames[3]!)
    expect(bench.finish().map(({ frame }) => frames.indexOf(frame))).toEqual([0, 2, 3, 1])
  })

  test('it still waits for the rate', () => {
    const bench = new Bench({ delay: ms(10), rate: RATE, reorder: 1 })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(1))
    expect(bench.send(0, rawFrame(1000))).toBe(ms(2))
  })

  test('a copy follows its frame', () => {
    const bench = new Bench({ delay: ms(3), rate: RATE, duplicate: 1 })
    const frames = [rawFrame(1000), rawFrame(500)]
    for (const frame of frames) bench.send(0, frame)
    expect([bench.link.duplicates, bench.link.arrives]).toEqual([1, ms(4.5)])
    expect(bench.finish().map(({ at, frame }) => [at, frames.indexOf(frame)])).toEqual([
      [ms(4), 0],
      [ms(4), 0],
      [ms(4.5), 1],
      [ms(4.5), 1],
    ])
    const { offered, copied, delivered, discarded } = bench.link
    expect([offered, copied, delivered, discarded]).toEqual([2, 2, 4, 0])
  })

  test('the copy of a frame that overtakes goes the long way', () => {
    const bench = new Bench({ delay: ms(3), duplicate: 1, reorder: 1 })
    expect(bench.send(0, rawFrame(100))).toBe(0)
    expect(bench.finish().map(({ at }) => at)).toEqual([0, ms(3)])
  })
})

describe('changing options', () => {
  test('a shorter delay does not let later frames overtake', () => {
    const bench = new Bench({ delay: ms(10) })
    expect(bench.send(0, rawFrame(100))).toBe(ms(10))
    bench.link.setOptions({ delay: ms(1) })
    expect(bench.send(ms(1), rawFrame(100))).toBe(ms(10))
    expect(bench.send(ms(12), rawFrame(100))).toBe(ms(13))
    expect(bench.link.options.delay).toBe(ms(1))
  })

  test('another rate applies behind what has been accepted', () => {
    const bench = new Bench({ rate: RATE })
    bench.send(0, rawFrame(1000))
    bench.link.setOptions({ rate: 2 * RATE })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(1.5))
    bench.link.setOptions({ rate: 0 })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(1.5))
    expect(bench.send(ms(3), rawFrame(1000))).toBe(ms(3))
  })

  test('options that make no sense are refused as a defect', () => {
    for (const wrong of [
      { delay: NaN },
      { delay: 0.5 },
      { delay: -1 },
      { rate: Infinity },
      { loss: 1.4 },
      { loss: NaN },
      { queueFrames: NaN },
      { mtu: 70_000 },
    ]) {
      expect(() => new Bench(wrong), JSON.stringify(wrong)).toThrow(InvariantError)
    }
  })
})
