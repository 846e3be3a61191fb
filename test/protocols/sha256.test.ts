import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Sha256 } from '../../protocols/sha256.ts'
import { alea } from './random-source.ts'
import { ascii } from './vectors.ts'

const hex = (text: string): string => new Sha256().update(ascii(text)).hex()

describe('SHA-256', () => {
  test('the examples of FIPS 180-4', () => {
    expect(hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(hex('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    )
    expect(hex('a'.repeat(1_000_000))).toBe(
      'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    )
  })

  test('every length up to three blocks, against another implementation', () => {
    const draw = alea('sha256')
    for (let length = 0; length <= 192; length++) {
      const bytes = Uint8Array.from({ length }, draw)
      const other = createHash('sha256').update(bytes).digest('hex')
      expect(new Sha256().update(bytes).hex()).toBe(other)
    }
  })

  test('the pieces in which bytes come make no difference', () => {
    const draw = alea('pieces')
    const bytes = Uint8Array.from({ length: 5000 }, draw)
    const whole = new Sha256().update(bytes).hex()
    for (let round = 0; round < 50; round++) {
      const hash = new Sha256()
      for (let at = 0; at < bytes.length;) {
        const piece = draw() & 0xff
        hash.update(bytes.subarray(at, at + piece))
        at += piece
      }
      expect(hash.hex()).toBe(whole)
    }
  })

  test('a digest does not end it, and a clone goes its own way', () => {
    const hash = new Sha256().update(ascii('ab'))
    expect(hash.hex()).toBe(hex('ab'))
    const other = hash.clone().update(ascii('x'))
    expect(hash.update(ascii('c')).hex()).toBe(hex('abc'))
    expect(other.hex()).toBe(hex('abx'))
  })

  test('bytes written after they were hashed change nothing', () => {
    const bytes = ascii('abc')
    const hash = new Sha256().update(bytes)
    bytes.fill(0)
    expect(hash.hex()).toBe(hex('abc'))
  })
})
