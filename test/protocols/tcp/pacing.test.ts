import { describe, expect, test } from 'vitest'
import { sendQuantum } from '../../../protocols/tcp/pacing.ts'
import { established } from '../../timeline.ts'

describe('what may go out at once', () => {
  test.each([
    // Bits a second, segments of 1000 bytes.
    [1e6, 1000],
    [1.2e6, 2000],
    [23e6, 2000],
    [80e6, 10_000], // a millisecond's worth
    [10e9, 65_536],
  ])('%f bit/s: %i bytes', (bits, quantum) => {
    expect(sendQuantum(bits / 8, 1000)).toBe(quantum)
  })
})

test('segments leave two by two at twice the window for each round trip, as slow start needs', () => {
  // A window of 10,000 bytes and a round trip of 100 ms: 200 kB/s, 5 ms a segment.
  const lines = established('1 send 8000', { policy: { pacing: true }, until: '1.2s' }).split('\n')
  expect(lines.filter((line) => line.includes('>')).map((line) => line.slice(0, 24))).toEqual([
    '   1      > . 1:1001(100',
    '   1      > . 1001:2001(',
    '   1.01   > . 2001:3001(',
    '   1.01   > . 3001:4001(',
    '   1.02   > . 4001:5001(',
    '   1.02   > . 5001:6001(',
    '   1.03   > . 6001:7001(',
    '   1.03   > P. 7001:8001',
  ])
})

test('an ACK lets nothing out that has to wait for its time', () => {
  const script = `
    1      send 20000
    1.1    < . 1:1(0) ack 10001`
  const options = { policy: { pacing: true, slowStartLimit: 8 }, until: '1.19s' } as const
  const lines = established(script, options).split('\n')
  const times = lines
    .filter((line) => line.includes('>'))
    .map((line) => line.trim().slice(0, 7).trim())
  // 18,000 bytes for each round trip now: 360 kB/s, 2.78 ms a segment.
  expect(times.slice(10)).toMatchInlineSnapshot(`
    [
      "1.1",
      "1.1",
      "1.10555",
      "1.10555",
      "1.11111",
      "1.11111",
      "1.11666",
      "1.11666",
      "1.12222",
      "1.12222",
    ]
  `)
})
