import { expect, test } from 'vitest'
import { fromHex, NO_BYTES, toHex } from '../../../protocols/bytes.ts'
import { emitTcp, parseTcp } from '../../../protocols/tcp/codec.ts'
import {
  fastOpenIn,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
  withFastOpen,
} from '../../../protocols/tcp/fast-open-option.ts'
import { TcpOptions } from '../../../protocols/tcp/options.ts'
import { FREEBSD } from '../../../protocols/tcp/profiles/freebsd.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i + 1)
const NONE: readonly never[] = []

const carrying = (kind: number, data: Uint8Array): TcpOptions =>
  new TcpOptions([kind], -1, -1, 0, 0, NONE, [data])

// RFC 7413 §4.1.1: nothing, or 4 to 16 bytes, an even number of them.
test.each(Array.from({ length: 39 }, (_, length) => length))('a cookie of %i bytes', (length) => {
  const legal = length === 0 || (length >= 4 && length <= 16 && length % 2 === 0)
  const cookie = bytes(length)
  const read = fastOpenIn(carrying(OPTION_FAST_OPEN, cookie))
  expect(read).toEqual(legal ? { cookie, experimental: false } : null)
})

test('the form of before has a number in front (RFC 6994), and other experiments are none of ours', () => {
  const cookie = fromHex('0102030405060708')
  const read = fastOpenIn(carrying(OPTION_EXPERIMENT, fromHex('f9890102030405060708')))
  expect(read).toEqual({ cookie, experimental: true })
  expect(fastOpenIn(carrying(OPTION_EXPERIMENT, fromHex('f989')))?.cookie.length).toBe(0)
  expect(fastOpenIn(carrying(OPTION_EXPERIMENT, fromHex('f988')))).toBeNull()
  expect(fastOpenIn(carrying(OPTION_EXPERIMENT, fromHex('f9')))).toBeNull()
})

const SYN_OPTIONS = new TcpOptions([2, 4, 8, 1, 3], 1460, 7, 1, 0, NONE, NONE)

test.each([
  ['a request', '', false, '22020101'],
  ['a cookie', '0102030405060708', false, '220a01020304050607080101'],
  ['the old form', '0102030405060708', true, 'fe0cf9890102030405060708'],
])('%s on the wire, behind the others', (_, cookie, experimental, expected) => {
  const option = { cookie: fromHex(cookie), experimental }
  const options = withFastOpen(SYN_OPTIONS, option, RFC)
  const segment = new TcpSegment(1, 2, 3, 0, SYN, 4, 0, options, NO_BYTES)
  const wire = emitTcp(segment, 0)
  expect(toHex(wire.subarray(40))).toBe(expected)
  const parsed = parseTcp(wire, 0)
  expect(parsed.ok && fastOpenIn(parsed.value.options)).toEqual(option)
})

test('ends that fill a layout come behind it, and fill it as the policy says', () => {
  const padded = new TcpOptions([2, 4, 0, 0], 1460, -1, 0, 0, NONE, NONE)
  const option = { cookie: NO_BYTES, experimental: false }
  expect(withFastOpen(padded, option, FREEBSD).layout).toEqual([2, 4, 34])
  expect(withFastOpen(SYN_OPTIONS, option, FREEBSD).layout).toEqual([2, 4, 8, 1, 3, 34, 0, 0])
})

test('where there is no room it is left out: 40 bytes, less those of a signature', () => {
  const option = { cookie: bytes(16), experimental: false }
  expect(withFastOpen(SYN_OPTIONS, option, RFC).size).toBe(40)
  const signs = RFC.with({ signs: 'everybody' })
  expect(withFastOpen(SYN_OPTIONS, option, signs)).toBe(SYN_OPTIONS)
  const experiment = { ...option, experimental: true }
  expect(withFastOpen(SYN_OPTIONS, experiment, RFC).size).toBe(40)
  const longer = new TcpOptions([1, ...SYN_OPTIONS.layout], 1460, 7, 1, 0, NONE, NONE)
  expect(withFastOpen(longer, experiment, RFC)).toBe(longer)
})
