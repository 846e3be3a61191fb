import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatIp,
  ip,
  isMulticastIpv4,
  isMulticastMac,
  maskOf,
  parseIpText,
  parseMacText,
  putIpv4,
  putIpv6,
  putMac,
  readIpv4,
  readIpv6,
  readMac,
} from '../../protocols/address.ts'
import { fromHex, toHex } from '../../protocols/bytes.ts'
import { mac, RUNS } from './arbitrary.ts'
import { addr } from './vectors.ts'

describe('IPv4', () => {
  test('an address is a signed 32-bit integer', () => {
    expect(ip('10.0.0.1')).toBe(0x0a000001)
    expect(ip('255.255.255.255')).toBe(-1)
    expect(ip('128.0.0.0')).toBe(-(2 ** 31))
    expect(formatIp(addr('192.168.255.1'))).toBe('192.168.255.1')
  })

  test.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1.2',
    '10.0.0.1 ',
    '1e1.0.0.1',
    '10.1',
  ])('%j is no address', (text) => {
    expect(parseIpText(text)).toBeNull()
    expect(() => ip(text)).toThrow(RangeError)
  })

  test('bytes and back', () => {
    const b = new Uint8Array(6)
    putIpv4(b, 1, addr('203.0.113.254'))
    expect(toHex(b)).toBe('00cb0071fe00')
    expect(readIpv4(b, 1)).toBe(addr('203.0.113.254'))
  })

  test('masks and multicast', () => {
    expect([0, 1, 24, 32].map(maskOf)).toEqual([0, -(2 ** 31), -256, -1])
    expect(
      ['224.0.0.1', '239.255.255.255', '240.0.0.0', '223.255.255.255']
        .map(addr)
        .map(isMulticastIpv4),
    ).toEqual([true, true, false, false])
  })
})

describe('IPv6', () => {
  // RFC 5952 §4 and §5, RFC 4291 §2.2.
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::13.1.68.3', '::d01:4403'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is %s', (text, canonical) => {
    expect(parseIpText(text)).toBe(canonical)
  })

  test.each([
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    '::g',
    '1.2.3.4::',
    'fe80::1%eth0',
  ])('%j is no address', (text) => expect(parseIpText(text)).toBeNull())

  test('bytes and back', () => {
    const b = new Uint8Array(17)
    putIpv6(b, 1, '2001:db8::1')
    expect(toHex(b)).toBe('0020010db8000000000000000000000001')
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const again = new Uint8Array(16)
        putIpv6(again, 0, readIpv6(bytes, 0))
        expect(again).toEqual(bytes)
      }),
      RUNS,
    )
  })
})

describe('MAC', () => {
  test('text is read in either case and kept in lower', () => {
    expect(parseMacText('02:AB:00:00:00:0f')).toBe('02:ab:00:00:00:0f')
    expect(parseMacText('02-ab-00-00-00-0f')).toBeNull()
    expect(parseMacText('02:ab:00:00:00')).toBeNull()
  })

  test('the group bit is the lowest of the first octet', () => {
    expect(
      ['01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff', '0b:00:00:00:00:00'].map(isMulticastMac),
    ).toEqual([true, true, true])
    expect(
      ['02:00:00:00:00:01', 'fe:ff:ff:ff:ff:ff', '0a:00:00:00:00:00'].map(isMulticastMac),
    ).toEqual([false, false, false])
  })

  test('bytes and back', () => {
    expect(readMac(fromHex('00 ffffffffffff'), 1)).toBe('ff:ff:ff:ff:ff:ff')
    const b = new Uint8Array(8)
    fc.assert(
      fc.property(mac, (text) => {
        putMac(b, 1, text)
        expect(toHex(b)).toBe(`00${text.replaceAll(':', '')}00`)
        expect(readMac(b, 1)).toBe(text)
      }),
      RUNS,
    )
  })

  test('more addresses than are remembered come out right, twice', () => {
    const b = new Uint8Array(6)
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 5000; n++) {
        const digits = n.toString(16).padStart(4, '0')
        const text = `fe:${digits.slice(0, 2)}:00:00:80:${digits.slice(2)}`
        putMac(b, 0, text)
        expect(toHex(b)).toBe(text.replaceAll(':', ''))
        expect(readMac(b, 0)).toBe(text)
      }
    }
  })
})
