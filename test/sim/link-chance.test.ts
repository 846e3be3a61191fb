import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { ACK, TcpSegment } from '../../protocols/tcp/segment.ts'
import { Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { EventQueue } from '../../sim/event-queue.ts'
import { LinkDirection, type LinkOptions, PERFECT_LINK } from '../../sim/link.ts'
import { Bench, rawFrame, tcpFrame } from './link-fixture.ts'

const FRAME = rawFrame(100)

interface Fate {
  dropped: string | null
  arrives: number
  duplicates: number
  reordered: boolean
  corruptedBit: number
}

/** What becomes of so many frames, one every `gap` nanoseconds. */
function fates(options: Partial<LinkOptions>, count: number, gap = 0, seed = '1', name = 'a>b') {
  const bench = new Bench(options, seed, name)
  const list: Fate[] = []
  for (let i = 0; i < count; i++) {
    bench.runUntil(i * gap)
    bench.link.send(i * gap, FRAME)
    const { dropped, arrives, duplicates, reordered, corruptedBit } = bench.link
    list.push({ dropped, arrives, duplicates, reordered, corruptedBit })
  }
  bench.finish()
  return list
}

const which = (list: readonly Fate[], test: (fate: Fate) => boolean): number[] =>
  list.flatMap((fate, index) => (test(fate) ? [index] : []))
const isLost = (fate: Fate): boolean => fate.dropped === 'loss'

describe('ratios', () => {
  const COUNT = 100_000
  /** Five standard deviations of a binomial count. */
  const bound = (p: number): number => 5 * Math.sqrt(COUNT * p * (1 - p))

  test.each([0.3, 0.01])('loss, duplication, reordering and corruption of %d', (p) => {
    const options = { loss: p, duplicate: p, reorder: p, corrupt: p, delay: 10 }
    const list = fates(options, COUNT, 1)
    const within = (n: number, of: number) => {
      expect(Math.abs(n - of)).toBeLessThan(bound(p))
    }
    within(which(list, isLost).length, COUNT * p)
    // What is lost shows nothing else.
    const rest = 1 - p
    within(which(list, (fate) => fate.duplicates === 1).length, COUNT * rest * p)
    within(which(list, (fate) => fate.reordered).length, COUNT * rest * p)
    within(which(list, (fate) => fate.corruptedBit >= 0).length, COUNT * rest * p)
  })

  test('0 takes none and 1 takes all', () => {
    expect(which(fates({ loss: 1 }, 10_000), isLost)).toHaveLength(10_000)
    const all = fates({ duplicate: 1, reorder: 1, corrupt: 1, loss: 0 }, 1000)
    expect(which(all, isLost)).toEqual([])
    const everything = (f: Fate) => f.duplicates === 1 && f.reordered && f.corruptedBit >= 0
    expect(which(all, everything)).toHaveLength(1000)
  })

  test('losses are independent of each other', () => {
    const lost = fates({ loss: 0.2 }, COUNT).map((fate) => (isLost(fate) ? 1 : 0))
    const pairs = lost.filter((x, i) => x === 1 && lost[i + 1] === 1).length
    expect(Math.abs(pairs - COUNT * 0.04)).toBeLessThan(5 * Math.sqrt(COUNT * 0.04 * 1.4))
  })
})

describe('jitter', () => {
  test('uniform around the delay, both ends included', () => {
    // Far enough apart that order does not matter.
    const gap = 100
    const list = fates({ delay: 50, jitter: 10 }, 21_000, gap)
    const counts = Array.from({ length: 21 }, () => 0)
    for (const [i, { arrives }] of list.entries()) counts[arrives - i * gap - 40]! += 1
    // 21 values, 1000 each, standard deviation 30.9.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(155)
    expect(counts.reduce((sum, n) => sum + n)).toBe(21_000)
  })

  test('order is kept, also with a jitter above the delay; nothing arrives before it was sent', () => {
    const list = fates({ delay: 100, jitter: 400 }, 20_000, 10)
    for (const [i, { arrives }] of list.entries()) {
      expect(arrives).toBeGreaterThanOrEqual(Math.max(i * 10, list[i - 1]?.arrives ?? 0))
    }
  })

  test('frames come out in the order in which they went in, copies beside them', () => {
    const bench = new Bench({ delay: 1000, jitter: 1000, duplicate: 0.3, rate: 8e9 })
    const frames = Array.from({ length: 500 }, () => rawFrame(64))
    for (const [i, frame] of frames.entries()) bench.send(i * 50, frame)
    const order = bench.finish().map(({ frame }) => frames.indexOf(frame))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(new Set(order).size).toBe(500)
    expect(bench.link.copied).toBeGreaterThan(0)
  })
})

describe('corruption', () => {
  test('flips exactly the bit that it names, anywhere in the frame', () => {
    const bench = new Bench({ corrupt: 1 })
    const frame = tcpFrame(ACK, 40)
    const original = emitEthernet(frame)
    const bits = new Set<number>()
    for (let i = 0; i < 5000; i++) {
      bench.link.send(0, frame)
      const bit = bench.link.corruptedBit
      bits.add(bit)
      const got = emitEthernet(bench.link.take())
      const changed = [...got].flatMap((byte, at) => (byte === original[at] ? [] : [at]))
      expect(changed).toEqual([bit >> 3])
      expect(got[bit >> 3]! ^ original[bit >> 3]!).toBe(0x80 >> (bit & 7))
    }
    // 752 bits: the chance that one is never drawn in 5000 is 1.3 ‰.
    expect(frame.size).toBe(94)
    expect(bits.size).toBeGreaterThan(740)
    expect([Math.min(...bits) >= 0, Math.max(...bits) < 752]).toEqual([true, true])
  })

  test('the checksums catch what is not in the Ethernet header', () => {
    const bench = new Bench({ corrupt: 1 })
    for (let i = 0; i < 2000; i++) {
      bench.link.send(0, tcpFrame(ACK, 40))
      const inHeader = bench.link.corruptedBit < 14 * 8
      const { payload } = bench.link.take()
      const survived = payload instanceof Ipv4Packet && payload.payload instanceof TcpSegment
      if (!inHeader) expect(survived).toBe(false)
    }
  })
})

describe('streams', () => {
  const LOSS = { loss: 0.1 }
  const others: Partial<LinkOptions>[] = [
    { duplicate: 0.5 },
    { reorder: 0.5, delay: 100 },
    { corrupt: 0.5 },
    { jitter: 50, delay: 100 },
    { jitter: 50, delay: 100, duplicate: 0.2, reorder: 0.2, corrupt: 0.2 },
    { rate: 8_000_000, queueFrames: 1000 },
  ]
  test.each(others)('switching on %j leaves the losses where they were', (other) => {
    const alone = which(fates(LOSS, 5000, 1000), isLost)
    expect(alone.length).toBeGreaterThan(400)
    expect(which(fates({ ...LOSS, ...other }, 5000, 1_000_000), isLost)).toEqual(alone)
  })

  test('switching loss on leaves the others where they were', () => {
    const rest = { duplicate: 0.1, reorder: 0.1, corrupt: 0.1, jitter: 50, delay: 100 }
    const before = fates(rest, 5000, 1000)
    const after = fates({ ...rest, loss: 0.5 }, 5000, 1000)
    let compared = 0
    for (const [i, fate] of after.entries()) {
      if (fate.dropped !== null) continue
      expect(fate).toEqual(before[i])
      compared += 1
    }
    expect(compared).toBeGreaterThan(2000)
  })

  test('switching duplication on leaves the jitter of the frames themselves where it was', () => {
    const jittered = { jitter: 50, delay: 100 }
    const arrivals = (list: Fate[]) => list.map(({ arrives }) => arrives)
    const alone = arrivals(fates(jittered, 2000, 1000))
    expect(arrivals(fates({ ...jittered, duplicate: 1 }, 2000, 1000))).toEqual(alone)
  })

  test('a full queue does not change the luck of later frames', () => {
    const free = which(fates(LOSS, 3000), isLost)
    const tight = fates({ ...LOSS, rate: 8_000_000, queueFrames: 3 }, 3000, 60_000)
    const full = which(tight, (fate) => fate.dropped === 'queue-full')
    expect(full.length).toBeGreaterThan(500)
    expect(which(tight, isLost)).toEqual(free.filter((index) => !full.includes(index)))
  })

  test('one seed and direction, one fate; another of either, another', () => {
    const options = { loss: 0.1, duplicate: 0.1, reorder: 0.1, jitter: 50, delay: 100 }
    const first = fates(options, 1000, 7, '1', 'a>b')
    expect(fates(options, 1000, 7, '1', 'a>b')).toEqual(first)
    expect(fates(options, 1000, 7, '2', 'a>b')).not.toEqual(first)
    expect(fates(options, 1000, 7, '1', 'b>a')).not.toEqual(first)
  })
})

describe('wire-exact', () => {
  test('another frame of the same content, and the same fate', () => {
    const options = { loss: 0.2, duplicate: 0.2, jitter: 30, delay: 100, rate: 1e9 }
    const run = (exact: boolean) => {
      const bench = new Bench({ ...options, exact })
      const sent = Array.from({ length: 200 }, (_, i) => tcpFrame(ACK, i))
      for (const frame of sent) bench.send(0, frame)
      return { sent, got: bench.finish() }
    }
    const [plain, exact] = [run(false), run(true)]
    expect(exact.got).toEqual(plain.got)
    expect(plain.got.every(({ frame }) => plain.sent.includes(frame))).toBe(true)
    expect(exact.got.some(({ frame }) => exact.sent.includes(frame))).toBe(false)
  })
})

const SOME_OPTIONS = fc.record({
  delay: fc.nat(300),
  jitter: fc.constantFrom(0, 0, 50, 500),
  loss: fc.constantFrom(0, 0.2),
  duplicate: fc.constantFrom(0, 0, 0, 0.3),
  reorder: fc.constantFrom(0, 0.3),
  rate: fc.constantFrom(0, 8e9, 20e9),
  queueFrames: fc.constantFrom(0, 2, Infinity),
})

describe('several directions in one queue', () => {
  // One entry per frame, ordered by arrival and then by the order of sending: what the single
  // entry of each direction must amount to.
  test('frames arrive in the order of (arrival, serial), and none gets lost', () => {
    const script = fc.array(fc.record({ gap: fc.constantFrom(0, 0, 1, 10, 100), to: fc.nat(2) }), {
      minLength: 10,
      maxLength: 150,
    })
    const three = fc.tuple(SOME_OPTIONS, SOME_OPTIONS, SOME_OPTIONS)
    fc.assert(
      fc.property(script, three, (sends, options) => {
        const queue = new EventQueue()
        const links = options.map(
          (o, i) => new LinkDirection(`n${i}>m`, '1', { ...PERFECT_LINK, ...o }, queue),
        )
        const expected: { at: number; serial: number; from: number }[] = []
        const got: { at: number; from: number }[] = []
        const run = (until: number) => {
          while (queue.size > 0 && queue.topTime <= until) {
            const at = queue.topTime
            const from = links.findIndex(({ source }) => source === queue.topSource)
            links[from]!.take()
            got.push({ at, from })
          }
        }
        let now = 0
        for (const [serial, { gap, to }] of sends.entries()) {
          now += gap
          // What is due in this instant is still to come: a send may tie with it.
          run(now - 1)
          const link = links[to]!
          const before = link.inFlight
          link.send(now, rawFrame(64))
          if (link.dropped === null) expected.push({ at: link.arrives, serial, from: to })
          expect(link.inFlight - before).toBe(link.dropped === null ? 1 + link.duplicates : 0)
          link.assertConserved()
        }
        run(Number.MAX_SAFE_INTEGER)
        for (const link of links) {
          link.assertConserved()
          expect(link.inFlight).toBe(0)
        }
        expect(got.map(({ at }) => at)).toEqual(got.map(({ at }) => at).toSorted((a, b) => a - b))
        if (options.some(({ duplicate }) => duplicate > 0)) return
        expected.sort((a, b) => a.at - b.at || a.serial - b.serial)
        expect(got).toEqual(expected.map(({ at, from }) => ({ at, from })))
      }),
      { seed: 5, numRuns: 300 },
    )
  })
})
