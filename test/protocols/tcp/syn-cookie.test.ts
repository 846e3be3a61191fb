import { expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { makeCookie, readCookie } from '../../../protocols/tcp/syn-cookie.ts'
import { s } from '../../../protocols/time.ts'

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i)
const LOCAL = { address: ip('10.0.0.2'), port: 80 }
const REMOTE = { address: ip('10.0.0.1'), port: 40_000 }
const NOW = s(1000)

const made = (mss: number, now = NOW): number =>
  makeCookie(now, SECRET, LOCAL, REMOTE, 12_345, mss, 536)
const read = (cookie: number, now = NOW, irs = 12_345, remote = REMOTE): number =>
  readCookie(now, SECRET, LOCAL, remote, irs, cookie)

test.each([
  [-1, 536],
  [100, 216],
  [536, 536],
  [1459, 1440],
  [1460, 1460],
  [9000, 8960],
])('an MSS of %i comes back as %i, never as more', (mss, back) => {
  expect(read(made(mss))).toBe(back)
})

test('a cookie lives for 64 to 128 s', () => {
  const start = s(64 * 20)
  const cookie = made(1460, start)
  expect(read(cookie, start + s(127))).toBe(1460)
  expect(read(cookie, start + s(128))).toBe(0)
  expect(read(made(1460, start + s(63)), start + s(128))).toBe(0)
})

test('it is for one SYN of one pair of endpoints', () => {
  const cookie = made(1460)
  expect(read(cookie, NOW, 12_346)).toBe(0)
  expect(read(cookie, NOW, 12_345, { ...REMOTE, port: 40_001 })).toBe(0)
  let guessed = 0
  for (let bit = 0; bit < 32; bit++) if (read(cookie ^ (1 << bit)) !== 0) guessed += 1
  expect(guessed).toBe(0)
})
