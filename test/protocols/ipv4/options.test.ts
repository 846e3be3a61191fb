import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import {
  copiedOptions,
  echoedOptions,
  hasSourceRoute,
  malformedOptionAt,
} from '../../../protocols/ipv4/options.ts'
import { s } from '../../../protocols/time.ts'

const OWN = ip('10.0.0.9') as Ipv4Address

describe('the first wrong octet, from the start of the header', () => {
  test.each([
    ['nothing', '', -1],
    ['end of list; what follows is not read', '00 07 00 ff', -1],
    ['no operation', '01 01 01 00', -1],
    ['an unknown option of four octets', '9e 04 1234', -1],
    ['an option without a length', '01 01 01 07', 23],
    ['a length of zero', '9e 00 0000', 21],
    ['a length of one', '01 9e 01 00', 22],
    ['a length beyond the options', '07 07 04 00', 21],
    ['a record route without a pointer', '07 02 00 00', 21],
    ['a record route that points at itself', '07 07 03 00000000 00', 22],
    ['a full record route', '07 07 08 0a000001 00', -1],
    ['a timestamp without flags', '44 03 05 00', 21],
    ['a timestamp that points at its flags', '44 08 04 00 00000000', 22],
    ['a timestamp', '44 08 05 00 00000000', -1],
    ['a source route that points nowhere', '01 83 07 00 0a000001', 23],
  ])('%s', (_, options, at) => {
    expect(malformedOptionAt(fromHex(options))).toBe(at)
  })
})

test('source routes are found wherever they stand', () => {
  expect(hasSourceRoute(fromHex('01 83 07 04 0a000001'))).toBe(true)
  expect(hasSourceRoute(fromHex('94 04 0000 89 07 04 0a000001 00'))).toBe(true)
  expect(hasSourceRoute(fromHex('07 07 04 83838383 00'))).toBe(false)
  expect(hasSourceRoute(fromHex('00 83 07 04 0a000001 00 00'))).toBe(false)
})

test('an echo reply adds this host to a recorded route, where there is room', () => {
  const asked = fromHex('07 0b 04 00000000 00000000 00')
  const once = echoedOptions(asked, OWN, 0)
  expect(toHex(once)).toBe('070b080a0000090000000000')
  const twice = echoedOptions(once, ip('10.0.0.8') as Ipv4Address, 0)
  expect(toHex(twice)).toBe('070b0c0a0000090a00000800')
  expect(toHex(echoedOptions(twice, OWN, 0))).toBe(toHex(twice))
})

describe('an echo reply adds its time to timestamps', () => {
  // 61 s after midnight: 61,000 ms.
  const at = s(61)
  test.each([
    ['times alone', '44 0c 05 00 00000000 00000000', '440c09000000ee4800000000'],
    ['with addresses', '44 0c 05 01 00000000 00000000', '440c0d010a0000090000ee48'],
    ['for this host', '44 0c 05 03 0a000009 00000000', '440c0d030a0000090000ee48'],
    ['for another host', '44 0c 05 03 0a000007 00000000', '440c05030a00000700000000'],
    ['full: one more is counted', '44 08 09 10 00000001', '4408092000000001'],
    ['full for the 15th time', '44 08 09 f0 00000001', '440809f000000001'],
    ['flags that nobody knows', '44 0c 05 02 00000000 00000000', '440c05020000000000000000'],
  ])('%s', (_, asked, replied) => {
    expect(toHex(echoedOptions(fromHex(asked), OWN, at))).toBe(replied)
  })

  test('a day later it is the same time', () => {
    const asked = fromHex('44 08 05 00 00000000')
    expect(toHex(echoedOptions(asked, OWN, at + s(86_400)))).toBe('440809000000ee48')
  })
})

test('an echo reply leaves out everything else', () => {
  expect(toHex(echoedOptions(fromHex('94 04 0000 01 07 07 04 00000000'), OWN, 0))).toBe(
    '0707080a00000900',
  )
  expect(echoedOptions(fromHex('94 04 0000'), OWN, 0)).toHaveLength(0)
})

test('whatever the options are, they are read to an end, and what is made of good ones is good', () => {
  const options = fc
    .array(fc.oneof(fc.nat(255), fc.constantFrom(1, 7, 68, 131, 148, 4, 8)), { maxLength: 40 })
    .map((octets) => Uint8Array.from(octets.slice(0, octets.length & ~3)))
  fc.assert(
    fc.property(options, (b) => {
      const wrong = malformedOptionAt(b)
      expect(wrong).toBeLessThan(20 + b.length)
      if (wrong >= 0) return
      for (const made of [copiedOptions(b), echoedOptions(b, OWN, s(1))]) {
        expect(malformedOptionAt(made)).toBe(-1)
        expect(made.length % 4).toBe(0)
        expect(made.length).toBeLessThanOrEqual(b.length)
      }
    }),
    { seed: 791, numRuns: 20_000 },
  )
})
