import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../protocols/bytes.ts'
import { md5 } from '../../protocols/md5.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('MD5, RFC 1321 §A.5', () => {
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    [
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
      'd174ab98d277d9f5a5611c2c9f419d9f',
    ],
    ['1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
  ])('%j', (text, digest) => {
    expect(toHex(md5(bytes(text)))).toBe(digest)
  })

  test('every length about a block, in one part or in three: as OpenSSL has it', () => {
    const all = Uint8Array.from({ length: 200 }, (_, i) => (37 * i) & 0xff)
    for (let length = 0; length <= 200; length++) {
      const message = all.subarray(0, length)
      const expected = createHash('md5').update(message).digest('hex')
      expect(toHex(md5(message))).toBe(expected)
      const [first, second] = [length >> 2, length >> 1]
      const parts = [message.subarray(0, first), message.subarray(first, second)]
      expect(toHex(md5(...parts, message.subarray(second)))).toBe(expected)
    }
  })
})
