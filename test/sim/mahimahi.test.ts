import { describe, expect, test } from 'vitest'
import { ms, s } from '../../protocols/time.ts'
import { PERFECT_LINK } from '../../sim/link.ts'
import {
  type DeliveryTrace,
  deliveryTrace,
  firstOpportunityAfter,
  formatDeliveryTrace,
  meanRate,
  opportunityTime,
  parseDeliveryTrace,
  traceOfRate,
} from '../../sim/mahimahi.ts'
import { isRefusal } from '../../sim/user-error.ts'
import { Bench, rawFrame } from './link-fixture.ts'

function trace(...times: number[]): DeliveryTrace {
  const made = deliveryTrace(times)
  if (isRefusal(made)) throw new Error(made.error)
  return made
}

describe('the file', () => {
  test('one millisecond a line, there and back', () => {
    const read = parseDeliveryTrace('0\n2\r\n2\n10\n')
    if (isRefusal(read)) throw new Error(read.error)
    expect([...read.times]).toEqual([0, 2, 2, 10])
    expect(formatDeliveryTrace(read)).toBe('0\n2\n2\n10\n')
    // 4 × 1500 bytes in 10 ms.
    expect(meanRate(read)).toBe(4_800_000)
  })

  test.each([
    ['', 'the trace is empty'],
    ['5\n4\n', 'line 2 of the trace goes back, from 5 to 4'],
    ['5\n1.5\n', "line 2 of the trace is not a time: '1.5'"],
    ['5\n\n6', "line 2 of the trace is not a time: ''"],
    ['-1\n', "line 1 of the trace is not a time: '-1'"],
    ['0\n0\n', 'the trace ends at 0 ms: it cannot be repeated'],
    ['9999999999999999\n', 'line 1 of the trace is not a time: 10000000000000000'],
  ])('%j is refused', (text, error) => {
    expect(parseDeliveryTrace(text)).toMatchObject({ error })
  })
})

test('opportunities go on and on', () => {
  const t = trace(0, 2, 2, 10)
  const times = Array.from({ length: 10 }, (_, i) => opportunityTime(t, i) / 1e6)
  expect(times).toEqual([0, 2, 2, 10, 10, 12, 12, 20, 20, 22])
  expect([0, 1.5, 2, 9.9, 10, 19.9, 20].map((at) => firstOpportunityAfter(t, ms(at)))).toEqual([
    1, 1, 3, 3, 5, 7, 9,
  ])
})

describe('a link that follows it', () => {
  /** A frame with so many bytes of Ethernet payload. */
  const packet = (payload: number) => rawFrame(payload + 14)

  test('a full packet an opportunity; what nobody uses is lost', () => {
    const bench = new Bench({ trace: trace(5, 5, 10) })
    expect(bench.send(0, packet(1500))).toBe(ms(5))
    expect(bench.send(ms(1), packet(1500))).toBe(ms(5))
    expect(bench.send(ms(1), packet(1500))).toBe(ms(10))
    expect(bench.send(ms(1), packet(1500))).toBe(ms(15))
    // Both at 15 and 20 pass by.
    expect(bench.send(ms(21), packet(1500))).toBe(ms(25))
  })

  test('small packets share what is left; a packet may span two', () => {
    const bench = new Bench({ trace: trace(10) })
    expect(bench.send(0, packet(600))).toBe(ms(10))
    expect(bench.send(0, packet(800))).toBe(ms(10))
    expect(bench.send(0, packet(500))).toBe(ms(20)) // 100 at 10, 400 at 20
    expect(bench.send(0, packet(1100))).toBe(ms(20)) // 1500 in all
    expect(bench.send(0, packet(46))).toBe(ms(30))
  })

  test('what is left is not kept for a packet that comes later', () => {
    const bench = new Bench({ trace: trace(10) })
    expect(bench.send(0, packet(100))).toBe(ms(10))
    expect(bench.send(ms(10), packet(100))).toBe(ms(20))
    // At the very instant of an opportunity it has been missed.
    expect(bench.send(ms(30), packet(100))).toBe(ms(40))
  })

  test('a jumbo packet takes as many as it needs', () => {
    const bench = new Bench({ trace: trace(10), mtu: 9000 })
    expect(bench.send(0, packet(4501))).toBe(ms(40))
    expect(bench.send(0, packet(1499))).toBe(ms(40))
  })

  test('the queue counts what waits, until its first byte leaves', () => {
    const bench = new Bench({ trace: trace(10), queueFrames: 2, delay: ms(3), mtu: 9000 })
    expect(bench.send(0, packet(3000))).toBe(ms(23))
    expect(bench.send(0, packet(1500))).toBe(ms(33))
    expect([bench.link.queueFrames, bench.link.queueBytes]).toEqual([2, 3014 + 1514])
    expect(bench.send(0, packet(100))).toBe('queue-full')
    expect(bench.send(ms(10), packet(100))).toBe(ms(43))
    expect(bench.link.queueFrames).toBe(2)
    expect(bench.finish()).toHaveLength(3)
  })

  test('changes between a rate and a trace keep the order', () => {
    const bench = new Bench({ trace: trace(10) })
    expect(bench.send(0, packet(1500))).toBe(ms(10))
    bench.link.setOptions({ trace: null, rate: 1e9 })
    expect(bench.send(0, packet(1500))).toBe(ms(10))
    bench.link.setOptions({ trace: trace(7), rate: 0 })
    expect(bench.send(ms(1), packet(1500))).toBe(ms(10))
    expect(bench.send(ms(1), packet(1500))).toBe(ms(14))
    expect(bench.finish()).toHaveLength(4)
  })
})

describe('made from a rate', () => {
  const made = (changes: Partial<typeof PERFECT_LINK>, span = s(1)) => {
    const result = traceOfRate({ ...PERFECT_LINK, ...changes }, span)
    return isRefusal(result) ? result.error : [...result.times]
  }

  test('1500 bytes each millisecond at 12 Mbit/s, two at 24, one in two at 6', () => {
    expect(made({ rate: 12e6 }, ms(3))).toEqual([1, 2, 3])
    expect(made({ rate: 24e6 }, ms(2))).toEqual([1, 1, 2, 2])
    expect(made({ rate: 6e6 }, ms(6))).toEqual([2, 4, 6])
    expect(made({ rate: 5e6 }, ms(10))).toEqual([3, 5, 8, 10])
  })

  test('a schedule changes it', () => {
    const schedule = [
      { at: ms(3), set: { rate: 24e6 }, keys: [] },
      { at: ms(5.5), set: { rate: 6e6 }, keys: [] },
    ]
    // 24 Mbit/s for 2.5 ms are 5; 6 for the rest.
    expect(made({ rate: 12e6, schedule }, ms(10))).toEqual([1, 2, 3, 4, 4, 5, 5, 6, 8, 10])
  })

  test('a link at the trace of its own rate is no slower and no faster', () => {
    const times = traceOfRate({ ...PERFECT_LINK, rate: 10e6 }, s(1))
    if (isRefusal(times)) throw new Error(times.error)
    expect(meanRate(times) / 10e6).toBeCloseTo(1, 2)
  })

  test('nothing to make it from', () => {
    expect(made({})).toBe('the link has no rate')
    expect(made({ trace: trace(1) })).toBe('the link follows a trace already')
    expect(made({ rate: 12_000 }, ms(500))).toBe('nothing is due within 500 ms')
  })
})
