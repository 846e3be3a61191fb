import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatDuration,
  formatRate,
  formatRatio,
  formatSize,
  parseCount,
  parseDuration,
  parseQueue,
  parseRate,
  parseRatio,
  parseSize,
} from '../../sim/units.ts'

const seeded = { seed: 42, numRuns: 500 }

describe('values', () => {
  test.each([
    ['10ms', 10_000_000],
    ['0.1ms', 100_000],
    ['0.000001ms', 1],
    ['1ns', 1],
    ['5us', 5000],
    ['5µs', 5000],
    ['5μs', 5000],
    ['1.5s', 1_500_000_000],
    ['1.000000001s', 1_000_000_001],
    ['2min', 120_000_000_000],
    ['1.5h', 5_400_000_000_000],
    [' 10 ms ', 10_000_000],
    ['0s', 0],
    [7, 7],
  ])('duration %s', (text, ns) => expect(parseDuration(text)).toBe(ns))

  test.each([
    ['64kbit', 64_000],
    ['10Mbit', 10_000_000],
    ['10mbit', 10_000_000],
    ['1.5Gbit', 1_500_000_000],
    ['10Mbit/s', 10_000_000],
    ['1Mibit', 1_048_576],
    ['9600bit', 9600],
    ['unlimited', 0],
    [0, 0],
  ])('rate %s', (text, bits) => expect(parseRate(text)).toBe(bits))

  test.each([
    ['1460B', 1460],
    ['64KiB', 65_536],
    ['64kB', 64_000],
    ['1.5KiB', 1536],
    ['100MB', 100_000_000],
    ['1MiB', 1_048_576],
    ['1GiB', 1_073_741_824],
    ['0B', 0],
  ])('size %s', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  test.each([
    ['5%', 0.05],
    ['0.05', 0.05],
    ['0.1%', 0.001],
    ['100%', 1],
    ['1.0', 1],
    ['0', 0],
    ['0%', 0],
    ['12.5%', 0.125],
    ['7%', 0.07],
    [0.3, 0.3],
    [1, 1],
  ])('ratio %s', (text, ratio) => expect(parseRatio(text)).toBe(ratio))

  test('counts and queues', () => {
    expect(parseCount('10')).toBe(10)
    expect(parseQueue('100 frames')).toEqual({ frames: 100 })
    expect(parseQueue('1 frame')).toEqual({ frames: 1 })
    expect(parseQueue('50packets')).toEqual({ frames: 50 })
    expect(parseQueue('64KiB')).toEqual({ bytes: 65_536 })
    expect(parseQueue(3000)).toEqual({ bytes: 3000 })
  })
})

describe('refusals say what to write instead', () => {
  test.each([
    [parseDuration('10'), "'10' has no unit", "write '10ms' or '10s'"],
    [parseDuration('10MS'), "'10MS' has an unknown unit 'MS'", "did you mean '10ms'?"],
    [parseDuration('3 seconds'), "'3 seconds' has an unknown unit 'seconds'", "did you mean '3s'?"],
    [parseDuration('-1ms'), "'-1ms' is negative", 'expected a duration'],
    [parseDuration('1,5ms'), 'is not a duration', "did you mean '1.5ms'?"],
    [parseDuration('.5s'), 'is not a duration', "did you mean '0.5s'?"],
    [parseDuration('5.s'), 'is not a duration', "did you mean '5s'?"],
    [parseDuration('0.5ns'), "'0.5ns' is finer than a nanosecond", undefined],
    [parseDuration('9999999h'), "'9999999h' is too large", undefined],
    [parseDuration('soon'), "'soon' is not a duration", undefined],
    [parseDuration(''), "'' is not a duration", undefined],
    [parseDuration('1e3ms'), "'1e3ms' is not a duration", undefined],
    [parseDuration('1s500ms'), "'1s500ms' is not a duration", undefined],
    [parseDuration('10constructor'), "unknown unit 'constructor'", 'expected a duration'],
    [parseDuration(1.5), '1.5 is not a whole number', 'expected a duration'],
    [parseDuration(NaN), 'NaN is not a whole number', 'expected a duration'],
    [
      parseRate('10Mbps'),
      "'10Mbps' may mean bits or bytes per second",
      "'10Mbit' for bits or '80Mbit'",
    ],
    [parseRate('1.5MB/s'), 'may mean bits or bytes', "'1.5Mbit' for bits or '12Mbit' for bytes"],
    [parseRate('10M'), "'10M' has no unit", "did you mean '10Mbit'?"],
    [parseRate('10'), "'10' has no unit", "write '10Mbit' or '10kbit'"],
    [parseRate('0bit'), 'would never send anything', "write 'unlimited'"],
    [parseRate('0.5bit'), "'0.5bit' is finer than one bit per second", undefined],
    [parseSize('64k'), "'64k' may mean two sizes", "write '64kB' (powers of 1000) or '64KiB'"],
    [parseSize('64KB'), "'64KB' may mean two sizes", "write '64kB'"],
    [parseSize('64'), "'64' has no unit", "write '64B' or '64KiB'"],
    [parseSize('0.5B'), "'0.5B' is finer than a byte", undefined],
    [parseSize('1Mbit'), "unknown unit 'Mbit'", 'expected a size'],
    [parseRatio('10'), "'10' has no unit", "write '10%'"],
    [parseRatio('1'), "'1' has no unit", "write '1%'"],
    [parseRatio('140%'), "'140%' is more than all of them", 'a share is at most 100%'],
    [parseRatio('1.4'), "'1.4' is more than all of them", 'at most 100%'],
    [parseRatio('-5%'), "'-5%' is negative", 'expected a share'],
    [parseRatio('5ms'), "'5ms' is not a share", "write '5%'"],
    [parseRatio(1.4), '1.4 is not between 0 and 1', 'expected a share'],
    [parseRatio(NaN), 'NaN is not between 0 and 1', 'expected a share'],
    [parseCount('1.5'), "'1.5' is not a whole number", "write a count such as '10'"],
    [parseCount('10ms'), "'10ms' is not a whole number", 'count'],
    [parseQueue('100'), "'100' has no unit", "write '100 frames' or '100kB'"],
    [parseQueue('1.5 frames'), "'1.5' is not a whole number", 'count'],
  ])('%j', (refusal, error, suggestion) => {
    expect(refusal).toMatchObject({ error: expect.stringContaining(error) })
    const given = (refusal as { suggestion?: string }).suggestion
    if (suggestion === undefined) expect(given ?? '').not.toMatch(/did you mean/)
    else expect(given).toContain(suggestion)
  })
})

describe('formatting', () => {
  test.each([
    [formatDuration(100_000), '100us'],
    [formatDuration(1_234_567), '1.234567ms'],
    [formatDuration(90_000_000_000), '90s'],
    [formatDuration(1_000_000_001), '1.000000001s'],
    [formatDuration(0), '0s'],
    [formatDuration(Infinity), 'never'],
    [formatDuration(-5000), '-5us'],
    [formatRate(1_500_000), '1.5Mbit'],
    [formatRate(100), '100bit'],
    [formatRate(0), 'unlimited'],
    [formatSize(65_536), '64KiB'],
    [formatSize(100_000_000), '100MB'],
    [formatSize(1460), '1460B'],
    [formatSize(0), '0B'],
    [formatRatio(0.05), '5%'],
    [formatRatio(0.07), '7%'],
    [formatRatio(0.001), '0.1%'],
    [formatRatio(1e-7), '0.00001%'],
    [formatRatio(1), '100%'],
    [formatRatio(0), '0%'],
  ])('%s', (text, expected) => expect(text).toBe(expected))

  const whole = fc.maxSafeNat()
  test('what is formatted reads back as the same value', () => {
    fc.assert(
      fc.property(whole, (n) => parseDuration(formatDuration(n)) === n),
      seeded,
    )
    fc.assert(
      fc.property(whole, (n) => parseRate(formatRate(n)) === n),
      seeded,
    )
    fc.assert(
      fc.property(whole, (n) => parseSize(formatSize(n)) === n),
      seeded,
    )
    const shares = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(shares, (x) => parseRatio(formatRatio(x)) === x),
      seeded,
    )
  })

  test('no text whatever makes a parser throw or give a broken number', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[-+\d.,e_ ]{0,6}[a-zA-Z%/]{0,5}$/))
    for (const parse of [parseDuration, parseRate, parseSize, parseRatio, parseCount]) {
      fc.assert(
        fc.property(text, (written) => {
          const value = parse(written)
          return typeof value === 'number' ? value >= 0 && value < Infinity : value.error !== ''
        }),
        seeded,
      )
    }
  })
})
