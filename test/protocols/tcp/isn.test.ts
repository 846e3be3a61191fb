import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Endpoint, ip } from '../../../protocols/address.ts'
import { fromHex } from '../../../protocols/bytes.ts'
import { seqDiff } from '../../../protocols/sequence.ts'
import { isn } from '../../../protocols/tcp/isn.ts'

const SECRET = fromHex('000102030405060708090a0b0c0d0e0f')
const A: Endpoint = { address: ip('10.0.0.1'), port: 49_152 }
const B: Endpoint = { address: ip('10.0.0.2'), port: 80 }

const settings = { seed: 6528, numRuns: 200 }
const instant = fc.integer({ min: 0, max: 9_000_000_000_000_000 })
const endpoint = fc.record({
  address: fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.constantFrom(ip('2001:db8::1'), ip('2001:db8::2'), ip('::')),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
})

test('F is the first word of SHA-256 over both endpoints and the secret', () => {
  const v4 = (address: string, port: string) => `04${address}${'00'.repeat(12)}${port}`
  const message = `${v4('0a000001', 'c000')}${v4('0a000002', '0050')}000102030405060708090a0b0c0d0e0f`
  const judge = createHash('sha256').update(fromHex(message)).digest().readInt32BE(0)
  expect(isn(0, SECRET, A, B)).toBe(judge)
})

test('the clock ticks every 4 microseconds and goes round with 32 bits', () => {
  const start = isn(0, SECRET, A, B)
  const after = (now: number) => seqDiff(isn(now, SECRET, A, B), start)
  expect([after(3_999), after(4_000), after(7_999), after(8_000)]).toEqual([0, 1, 1, 2])
  expect(after(1_000_000_000)).toBe(250_000)
  const round = 2 ** 32 * 4_000
  expect(after(round - 1)).toBe(-1)
  expect(after(round)).toBe(0)
  expect(after(100 * round + 4_000)).toBe(1)
})

test('a later connection of the same tuple never starts behind an earlier one', () => {
  const span = fc.integer({ min: 0, max: 2 ** 31 * 4_000 - 4_000 })
  fc.assert(
    fc.property(endpoint, endpoint, instant, span, (local, remote, now, later) => {
      const advance = seqDiff(
        isn(now + later, SECRET, local, remote),
        isn(now, SECRET, local, remote),
      )
      const ticks = Math.floor((now + later) / 4_000) - Math.floor(now / 4_000)
      // Half the space ahead is the most that "ahead" can mean.
      if (ticks < 2 ** 31) expect(advance).toBe(ticks)
    }),
    settings,
  )
})

test('tuples and secrets have offsets of their own', () => {
  fc.assert(
    fc.property(endpoint, endpoint, endpoint, (local, remote, other) => {
      fc.pre(other.address !== remote.address || other.port !== remote.port)
      expect(isn(0, SECRET, local, remote)).not.toBe(isn(0, SECRET, local, other))
    }),
    settings,
  )
  expect(isn(0, SECRET, A, B)).not.toBe(isn(0, SECRET, B, A))
  expect(isn(0, SECRET, A, B)).not.toBe(isn(0, fromHex('00'), A, B))
})

test('the high bits are used: offsets spread over the whole space', () => {
  const quarters = [0, 0, 0, 0]
  for (let port = 0; port < 4_000; port++) quarters[isn(0, SECRET, { ...A, port }, B) >>> 30]! += 1
  // Binomial(4000, 1/4): 1000 with a standard deviation of 27.4; five of them are 137.
  for (const count of quarters) expect(Math.abs(count - 1_000)).toBeLessThan(137)
})
