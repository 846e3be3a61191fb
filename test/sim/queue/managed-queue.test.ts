import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NEVER, ms } from '../../../protocols/time.ts'
import type { LinkOptions } from '../../../sim/link.ts'
import { deliveryTrace } from '../../../sim/mahimahi.ts'
import type { CodelOptions, DisciplineOptions } from '../../../sim/queue/discipline.ts'
import { isRefusal } from '../../../sim/user-error.ts'
import bufferbloat from '../../../scenarios/bufferbloat.ts'
import { MemoryFiles } from '../../../sim/files.ts'
import { verifyScenario } from '../../../sim/verify.ts'
import { Bench, rawFrame } from '../link-fixture.ts'
import { CE, ECT_0, datagramFrame, ecnOf } from './queue-fixture.ts'

/** 1000 bytes take exactly 1 ms. */
const RATE = 8_000_000

/** CoDel that never drops: a queue that is kept, first in, first out. */
const patient: CodelOptions = {
  kind: 'codel',
  limitFrames: Infinity,
  limitBytes: Infinity,
  target: 1e15,
  interval: 1e15,
  ecn: false,
}
const strict: CodelOptions = { ...patient, target: ms(5), interval: ms(100) }

describe('a queue that is kept', () => {
  test('what finds the link idle is decided at once, the rest when its turn comes', () => {
    const bench = new Bench({ rate: RATE, delay: ms(10), mtu: 9000, discipline: patient })
    const frames = [1, 2, 3].map((n) => rawFrame(1000 * n))
    expect(bench.send(0, frames[0]!)).toBe(ms(11))
    expect(bench.link.waits(0)).toBe(0)
    expect(bench.send(ms(0.25), frames[1]!)).toBe(NEVER)
    expect(bench.link.waits(ms(0.25))).toBe(NEVER)
    expect([bench.link.dropped, bench.link.queueFrames, bench.link.queueBytes]).toEqual([
      null,
      1,
      2000,
    ])
    expect(bench.send(ms(0.5), frames[2]!)).toBe(NEVER)
    expect(bench.link.inFlight).toBe(3)
    expect(bench.finish().map(({ at }) => at)).toEqual([ms(11), ms(13), ms(16)])
    const fate = { dropped: null, duplicates: 0, corruptedBit: -1, reordered: false }
    expect(bench.outcomes).toEqual([
      { kind: 'departed', frame: frames[1], sojourn: ms(0.75), ...fate, arrives: ms(13) },
      { kind: 'departed', frame: frames[2], sojourn: ms(2.5), ...fate, arrives: ms(16) },
    ])
  })

  test('a departure goes before an arrival in the same instant', () => {
    const discipline = { ...patient, limitFrames: 1 }
    const bench = new Bench({ rate: RATE, discipline })
    const seen = [0, 0, 0, ms(1) - 1].map((at) => bench.send(at, rawFrame(1000)))
    expect(seen).toEqual([ms(1), NEVER, 'queue-full', 'queue-full'])
    // Without running the events first: the link settles them itself.
    bench.link.send(ms(1), rawFrame(1000))
    expect([bench.link.dropped, bench.link.queueFrames]).toEqual([null, 1])
    expect(bench.link.managed!.before).toBe(1)
    expect(bench.finish().map(({ at }) => at)).toEqual([ms(1), ms(2), ms(3)])
  })

  test('too big and down are said at once; forced drops and losses once it was transmitted', () => {
    const bench = new Bench({
      rate: RATE,
      discipline: patient,
      mtu: 1000,
      drops: [(_, index) => index === 2],
    })
    expect(bench.send(0, rawFrame(1000))).toBe(ms(1))
    expect(bench.send(0, rawFrame(1000))).toBe(NEVER)
    expect(bench.send(0, rawFrame(1015))).toBe('too-big')
    bench.link.down()
    expect(bench.send(0, rawFrame(1000))).toBe('down')
    bench.link.up()
    expect(bench.send(0, rawFrame(1000))).toBe(NEVER)
    expect(bench.finish().map(({ at }) => at)).toEqual([ms(1), ms(3)])
    expect(bench.outcomes.map((o) => o.kind === 'departed' && o.dropped)).toEqual(['forced', null])
    expect(bench.link.discarded).toBe(3)
  })

  test('a link without a rate lets everything through', () => {
    const bench = new Bench({ delay: ms(1), discipline: strict })
    expect([0, 0, 5].map((at) => bench.send(at, rawFrame(1000)))).toEqual([ms(1), ms(1), ms(1) + 5])
  })
})

describe('against drop-tail', () => {
  const offers = fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0, 100, 100, 250, 333, 1000),
      size: fc.constantFrom(25, 60, 100),
    }),
    { minLength: 20, maxLength: 150 },
  )
  const options: Partial<LinkOptions> = {
    rate: 3_999_999_937,
    delay: 500,
    jitter: 400,
    loss: 0.1,
    duplicate: 0.1,
    reorder: 0.1,
    corrupt: 0.1,
  }

  /** Arrivals in order, as text. */
  function arrivals(script: readonly { gap: number; size: number }[], kept: boolean): string[] {
    const limit = { queueFrames: 5 }
    const bench = new Bench({ ...options, ...limit, ...(kept ? { discipline: patient } : {}) })
    // Back to drop-tail: from here on it is kept in a queue of its own.
    if (kept) bench.link.setOptions({ ...limit, discipline: null })
    let now = 0
    for (const { gap, size } of script) bench.send((now += gap), rawFrame(size))
    return bench.finish().map(({ at, frame }) => `${at} ${frame.size} ${frame.etherType}`)
  }

  test('kept or computed, drop-tail delivers the same at the same times', () => {
    fc.assert(
      fc.property(offers, (script) => {
        expect(arrivals(script, true)).toEqual(arrivals(script, false))
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})

describe('changes during a run', () => {
  test('drop-tail to a discipline and back: nothing is lost, the order is kept', () => {
    const bench = new Bench({ rate: RATE, queueFrames: 10 })
    const frames = Array.from({ length: 9 }, (_, n) => rawFrame(1000 + n))
    const send = (n: number) => bench.send(0, frames[n]!)
    for (const n of [0, 1, 2]) send(n)
    bench.link.setOptions({ discipline: patient })
    for (const n of [3, 4, 5]) expect(send(n)).toBe(NEVER)
    expect(bench.link.queueFrames).toBe(5)
    bench.link.setOptions({ discipline: null, queueFrames: 2, queueBytes: Infinity })
    for (const n of [6, 7]) expect(send(n)).toBe(NEVER)
    expect(send(8)).toBe('queue-full')
    expect(bench.link.queueFrames).toBe(7)
    const order = bench.finish().map(({ frame }) => frames.indexOf(frame))
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('a new rate holds from the next departure on', () => {
    const bench = new Bench({ rate: RATE, discipline: patient })
    for (let n = 0; n < 3; n++) bench.send(0, rawFrame(1000))
    bench.runUntil(ms(0.5))
    bench.link.setOptions({ rate: 2 * RATE })
    expect(bench.finish().map(({ at }) => at)).toEqual([ms(1), ms(1.5), ms(2)])
  })
})

describe('behind a delivery trace', () => {
  test.each([patient, null] as (DisciplineOptions | null)[])('the same opportunities', (kept) => {
    const trace = deliveryTrace([1, 4, 4, 10])
    if (isRefusal(trace)) throw new Error(trace.error)
    const bench = new Bench({ trace, discipline: kept })
    // 1514 bytes fill an opportunity; two of 514 and one of 264 share one.
    for (const size of [1514, 514, 514, 264]) bench.send(0, rawFrame(size))
    bench.send(ms(4), rawFrame(64))
    bench.send(ms(10), rawFrame(64))
    expect(bench.finish().map(({ at }) => at)).toEqual([ms(1), ms(4), ms(4), ms(4), ms(10), ms(11)])
  })
})

describe('ECN on a link', () => {
  test.each([false, true])('the mark is said and arrives, wire-exact %s', (exact) => {
    const discipline: CodelOptions = { ...strict, ecn: true }
    const bench = new Bench({ rate: RATE, discipline, exact })
    const frames = Array.from({ length: 300 }, () => datagramFrame(1000, 1, ECT_0))
    for (const frame of frames) bench.send(0, frame)
    const arrived = bench.finish()
    expect(arrived).toHaveLength(300)
    const marks = bench.outcomes.filter(({ kind }) => kind === 'marked')
    // From 5 ms on too late; 105, 205 and 275.7 ms of waiting, at the next departure.
    expect(marks.map(({ sojourn }) => sojourn / ms(1))).toEqual([105, 205, 276])
    const marked = arrived.filter(({ frame }) => ecnOf(frame) === CE)
    expect(marked.map(({ at }) => at / ms(1))).toEqual([106, 206, 277])
    expect(frames.every((frame) => ecnOf(frame) === ECT_0)).toBe(true)
  })
})

test('draws belong to the frame, whatever the queue does before its turn', () => {
  const lossOf = (discipline: DisciplineOptions | null) => {
    const bench = new Bench({ rate: RATE, loss: 0.3, queueFrames: Infinity, discipline })
    const frames = Array.from({ length: 300 }, (_, n) => rawFrame(60 + n))
    for (const frame of frames) bench.send(0, frame)
    return new Set(bench.finish().map(({ frame }) => frames.indexOf(frame)))
  }
  const kept = lossOf(patient)
  expect(kept).toEqual(lossOf(null))
  // What CoDel drops besides is missing; nobody else's luck has changed.
  const codel = lossOf({ ...strict, target: 1, interval: ms(10) })
  expect(codel.size).toBeLessThan(kept.size)
  for (const index of codel) expect(kept.has(index)).toBe(true)
})

describe('in a run', () => {
  test.each(['codel ecn', 'fq_codel', 'red', 'pie'])('%s: the same in every way', async (queue) => {
    const [name, ...options] = queue.split(' ')
    const settings = {
      queue: name!,
      options: options.join(' '),
      flows: '2',
      room: '40',
      rate: '2Mbit',
      time: '2s',
    }
    const files = new MemoryFiles()
    const { difference } = await verifyScenario(bufferbloat, { seed: '3', settings, files })
    expect(difference).toBeNull()
  })
})
