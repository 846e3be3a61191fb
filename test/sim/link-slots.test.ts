import { describe, expect, test } from 'vitest'
import { ms } from '../../protocols/time.ts'
import type { Slot } from '../../sim/link-options.ts'
import { Bench, rawFrame } from './link-fixture.ts'

const every = (min: number, limits: Partial<Slot> = {}, max = min): Slot => ({
  span: { min: ms(min), max: ms(max) },
  frames: Infinity,
  bytes: Infinity,
  ...limits,
})
/** Sends 100-byte frames at these milliseconds; when each one comes out. */
function out(bench: Bench, ...sent: number[]): number[] {
  for (const at of sent) bench.send(ms(at), rawFrame(100))
  return bench.finish().map(({ at }) => at / 1e6)
}

describe('slots', () => {
  test('what has arrived waits for the next one', () => {
    // The first finds no slot: one opens 10 ms later, for all that have come by then. The frame at
    // 12 comes too late for it, and waits for one of its own.
    expect(out(new Bench({ slot: every(10) }), 0, 3, 10, 12)).toEqual([10, 10, 10, 22])
  })

  test('so many frames each; the next slot is counted from when the last one was full', () => {
    const bench = new Bench({ slot: every(10, { frames: 2 }) })
    expect(out(bench, 0, 1, 2, 3, 4)).toEqual([10, 10, 20, 20, 30])
  })

  test('so many bytes each; the last frame may go beyond', () => {
    const bench = new Bench({ slot: every(10, { bytes: 150 }) })
    expect(out(bench, 0, 1, 2)).toEqual([10, 10, 20])
  })

  test('behind rate and delay', () => {
    const bench = new Bench({ slot: every(10, { frames: 1 }), delay: ms(5), rate: 800_000 })
    // Transmitted at 1 and 2, arrived at 6 and 7.
    expect(out(bench, 0, 0)).toEqual([16, 26])
    expect(bench.link.arrives).toBe(ms(7))
  })

  test('what overtakes leaves with the slot that it reaches', () => {
    const bench = new Bench({ slot: every(10, { frames: 1 }), delay: ms(5), keepOrder: false })
    const [slow, fast] = [rawFrame(100), rawFrame(200)]
    bench.send(0, slow)
    bench.link.setOptions({ delay: ms(1) })
    bench.send(ms(1), fast)
    expect(bench.link.reordered).toBe(true)
    const got = bench.finish()
    expect(got.map(({ frame }) => frame)).toEqual([fast, slow])
    // The slot that was drawn for the first opens at 15.
    expect(got.map(({ at }) => at)).toEqual([ms(15), ms(25)])
  })

  test('uniform between the shortest and the longest; draws of its own', () => {
    const waits = (loss: number) => {
      const bench = new Bench({ slot: every(1, {}, 3), loss })
      return out(bench, ...Array.from({ length: 500 }, (_, i) => 100 * i))
    }
    const all = waits(0)
    const spans = all.map((at, i) => at - 100 * i)
    expect([Math.min(...spans) >= 1, Math.max(...spans) <= 3]).toEqual([true, true])
    // Mean 2, deviation of the mean 2 / √12 / √500.
    const mean = spans.reduce((a, b) => a + b) / 500
    expect(Math.abs(mean - 2)).toBeLessThan(5 * (2 / Math.sqrt(12 * 500)))
    // A slot is drawn for a frame that comes: with fewer of them the waits are the same, in order.
    const fewer = waits(0.5).map((at) => at % 100)
    fewer.forEach((wait, i) => expect(wait).toBeCloseTo(spans[i]!, 6))
  })

  test('come and go during a run', () => {
    const bench = new Bench({ delay: ms(2) })
    bench.send(0, rawFrame(100))
    bench.link.setOptions({ slot: every(10, { frames: 1 }) })
    bench.send(ms(1), rawFrame(100))
    bench.send(ms(1), rawFrame(100))
    // 12, 22, 32 would be the slots.
    bench.runUntil(ms(12))
    expect(bench.delivered).toHaveLength(1)
    bench.link.setOptions({ slot: null })
    bench.send(ms(30), rawFrame(100))
    expect(bench.finish().map(({ at }) => at / 1e6)).toEqual([12, 22, 22, 32])
  })
})

describe('hold and release', () => {
  test('what arrives waits, and comes out in order', () => {
    const bench = new Bench({ delay: ms(2) })
    bench.send(0, rawFrame(100))
    bench.send(ms(1), rawFrame(101))
    bench.runUntil(ms(2))
    bench.link.hold()
    bench.send(ms(3), rawFrame(102))
    bench.runUntil(ms(20))
    expect(bench.delivered).toHaveLength(1)
    bench.link.release(ms(20))
    bench.send(ms(20), rawFrame(103))
    expect(bench.finish().map(({ at, frame }) => [at / 1e6, frame.size])).toEqual([
      [2, 100],
      [20, 101],
      [20, 102],
      [22, 103],
    ])
  })

  test('with slots: what was held waits for one', () => {
    const bench = new Bench({ slot: every(10, { frames: 1 }) })
    bench.link.hold()
    bench.send(0, rawFrame(100))
    bench.send(ms(1), rawFrame(101))
    bench.runUntil(ms(50))
    bench.link.release(ms(50))
    expect(bench.finish().map(({ at }) => at / 1e6)).toEqual([60, 70])
  })
})

describe('jitter that reorders', () => {
  test('arrivals are the delays as drawn, and frames come out by them', () => {
    const kept = new Bench({ delay: ms(10), jitter: ms(10) })
    const free = new Bench({ delay: ms(10), jitter: ms(10), keepOrder: false })
    const frames = Array.from({ length: 300 }, (_, i) => rawFrame(100 + i))
    let latest = 0
    let overtaking = 0
    for (const [i, frame] of frames.entries()) {
      const inOrder = kept.send(ms(i), frame) as number
      const arrives = free.send(ms(i), frame) as number
      // In order a frame arrives with the latest of all before it.
      latest = Math.max(latest, arrives)
      expect(inOrder).toBe(latest)
      expect(free.link.reordered).toBe(arrives < latest)
      if (free.link.reordered) overtaking += 1
    }
    expect(overtaking).toBeGreaterThan(100)
    const got = free.finish()
    expect(got).toHaveLength(300)
    expect(got.map(({ at }) => at)).toEqual(got.map(({ at }) => at).toSorted((a, b) => a - b))
    expect(got.map(({ frame }) => frames.indexOf(frame))).not.toEqual([...frames.keys()])
    expect(kept.finish().map(({ frame }) => frames.indexOf(frame))).toEqual([...frames.keys()])
  })
})
