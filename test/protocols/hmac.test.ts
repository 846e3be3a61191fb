import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../protocols/bytes.ts'
import { hmacSha256 } from '../../protocols/hmac.ts'
import { ascii } from '../../protocols/services/ascii.ts'

// RFC 4231 §4, test cases 1, 2, 6 and 7.
test.each([
  [
    '0b'.repeat(20),
    ascii('Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    toHex(ascii('Jefe')),
    ascii('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'aa'.repeat(131),
    ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    'aa'.repeat(131),
    ascii(
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
])('RFC 4231: key %s', (key, data, tag) => {
  expect(toHex(hmacSha256(fromHex(key), data))).toBe(tag)
  expect(toHex(hmacSha256(fromHex(key), data.subarray(0, 3), data.subarray(3)))).toBe(tag)
})
