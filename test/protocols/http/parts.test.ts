import { describe, expect, test } from 'vitest'
import { httpDate, typeOf } from '../../../protocols/http/pages.ts'
import { rangeOf } from '../../../protocols/http/range.ts'
import { readHead } from '../../../protocols/http/request.ts'
import { pathOf } from '../../../protocols/http/target.ts'
import { ascii } from '../../../protocols/services/ascii.ts'

const head = (text: string) => readHead(ascii(text.replaceAll('\n', '\r\n')))?.request ?? null
const GET = 'GET / HTTP/1.1\nHost: x\n'

describe('a head', () => {
  test('is read once it is whole, with what follows left alone', () => {
    const text = 'GET /a?b HTTP/1.1\r\nHost: x\r\nX-Y:  1 \r\nx-y:2\r\n\r\nGET'
    for (let length = 0; length < text.length - 3; length++) {
      expect(readHead(ascii(text.slice(0, length)))).toBeNull()
    }
    expect(readHead(ascii(text))).toEqual({
      request: {
        method: 'GET',
        target: '/a?b',
        minor: 1,
        fields: new Map([
          ['host', 'x'],
          ['x-y', '1, 2'],
        ]),
        bodyBytes: 0,
        persistent: true,
      },
      next: text.length - 3,
    })
  })

  test.each([
    ['GET /\n\n', 400],
    ['GET / HTTP/1.1\n\n', 400],
    ['GET / HTTP/2.0\nHost: x\n\n', 505],
    ['G ET / HTTP/1.1\nHost: x\n\n', 400],
    ['GET /\u0001 HTTP/1.1\nHost: x\n\n', 400],
    [`${GET}Host: y\n\n`, 400],
    [`${GET}Content-Length: 5\nContent-Length: 6\n\n`, 400],
    [`${GET}Content-Length: -5\n\n`, 400],
    [`${GET}Content-Length: 99999999\n\n`, 413],
    [`${GET}Transfer-Encoding: chunked\n\n`, 501],
    [`${GET}Name : value\n\n`, 400],
    [`${GET}X: a\n folded\n\n`, 400],
    [`${GET}X: \u0000\n\n`, 400],
    [`${GET}${'X: y\n'.repeat(65)}\n`, 431],
    ['x'.repeat(9000), 431],
  ])('that is refused: %j', (text, status) => {
    expect(head(text)).toMatchObject({ status })
  })

  test('says whether the connection stays', () => {
    const persistent = (text: string) => (head(text) as { persistent: boolean }).persistent
    expect(persistent(`${GET}\n`)).toBe(true)
    expect(persistent(`${GET}Connection: close\n\n`)).toBe(false)
    expect(persistent('GET / HTTP/1.0\n\n')).toBe(false)
    expect(persistent('GET / HTTP/1.0\nConnection: Keep-Alive\n\n')).toBe(true)
  })
})

test.each([
  ['/', [], true],
  ['/a/b.txt?x=/y#z', ['a', 'b.txt'], false],
  ['/a//./b/', ['a', 'b'], true],
  ['/a/../../../etc/passwd', ['etc', 'passwd'], false],
  ['/%2e%2e/%2e%2e/etc', ['etc'], false],
  ['http://host/a', ['a'], false],
  ['/gr%C3%BC%C3%9Fe', ['grüße'], false],
])('%s names a place below the root', (target, names, folder) => {
  expect(pathOf(target)).toEqual({ names, folder })
})

test.each(['*', 'a', '/a%2fb', '/..%5cb', '/a\\b', '/%00', '/%zz', '/%ff'])(
  '%s names nothing',
  (target) => {
    expect(pathOf(target)).toBeNull()
  },
)

test.each([
  ['bytes=0-0', { from: 0, to: 1 }],
  ['bytes=2-', { from: 2, to: 10 }],
  ['bytes=5-99', { from: 5, to: 10 }],
  ['bytes=-3', { from: 7, to: 10 }],
  ['bytes=-99', { from: 0, to: 10 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', null],
  ['bytes=0-1,3-4', null],
  ['lines=0-1', null],
  ['bytes=-', null],
  [undefined, null],
])('range %s of ten bytes', (field, range) => {
  expect(rangeOf(field, 10)).toEqual(range)
})

test('dates and types', () => {
  // RFC 9110 §5.6.7 has this one.
  expect(httpDate(784_111_777)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  for (const seconds of [0, 951_782_400, 1_795_255_416, 4_102_444_799]) {
    expect(httpDate(seconds)).toBe(new Date(seconds * 1000).toUTCString())
  }
  expect(['a.HTML', 'b', 'constructor', 'x.tar.gz'].map(typeOf)).toEqual([
    'text/html; charset=utf-8',
    ...Array.from({ length: 3 }, () => 'application/octet-stream'),
  ])
})
