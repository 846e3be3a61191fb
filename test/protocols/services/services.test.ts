import { produce } from 'immer'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../protocols/bytes.ts'
import type { SocketCall, SocketEvent } from '../../../protocols/host/socket.ts'
import { ascii } from '../../../protocols/services/ascii.ts'
import { chargen } from '../../../protocols/services/chargen.ts'
import { civilFromDays, daytime, daytimeText } from '../../../protocols/services/daytime.ts'
import { discard } from '../../../protocols/services/discard.ts'
import { echo } from '../../../protocols/services/echo.ts'
import { createService, type Service, serviceEngine } from '../../../protocols/services/server.ts'

const PEER = { address: 0x0a000002, port: 4000 }
const LOCAL = { address: 0x0a000001, port: 7 }
const accepted: SocketEvent = {
  kind: 'accepted',
  socket: 5,
  listener: 1,
  local: LOCAL,
  remote: PEER,
}
const readable: SocketEvent = { kind: 'readable', socket: 5, available: 3 }
const received = (text: string, ended = false): SocketEvent => {
  const bytes = ascii(text)
  return {
    kind: 'received',
    socket: 5,
    chunks: bytes.length > 0 ? [bytes] : [],
    bytes: bytes.length,
    ended,
  }
}
const queued = (bytes: number): SocketEvent => ({ kind: 'queued', socket: 5, bytes })
const datagram = (text: string, port = 4000): SocketEvent => ({
  kind: 'datagram',
  socket: 0,
  payload: ascii(text),
  local: LOCAL,
  remote: { ...PEER, port },
})

const said = (call: SocketCall): string => {
  if (call.kind === 'send' || call.kind === 'send-to') return `${call.kind} ${call.bytes.length}`
  return 'socket' in call ? `${call.kind} ${call.socket}` : call.kind
}

const outTo = (calls: SocketCall[]) => ({
  call: (call: SocketCall) => void calls.push(call),
  report: () => {},
  wake: () => {},
})

/** Every event with the calls it brings, on states that Immer keeps frozen between the steps. */
function story(service: Service, events: readonly SocketEvent[], now = 0): string[] {
  let state = createService(service.port, 1)
  return events.map((event) => {
    const calls: SocketCall[] = []
    state = produce(state, (draft) => {
      serviceEngine(service).step(draft, now, { kind: 'socket', event }, outTo(calls))
    })
    return `${event.kind}: ${calls.map(said).join(', ')}`
  })
}

test('a service opens a UDP socket and a TCP listener on its port', () => {
  const calls: SocketCall[] = []
  serviceEngine(echo).step(createService(7, 1), 0, { kind: 'start' }, outTo(calls))
  expect(calls).toEqual([
    { kind: 'open', protocol: 'udp' },
    { kind: 'open', protocol: 'tcp' },
  ])
  expect(
    story(echo, [
      { kind: 'opened', socket: 0, protocol: 'udp' },
      { kind: 'opened', socket: 1, protocol: 'tcp' },
    ]),
  ).toEqual(['opened: bind 0', 'opened: bind 1, listen 1'])
})

describe('echo', () => {
  test('sends back what it receives, and ends when the peer has', () => {
    expect(
      story(echo, [accepted, readable, received('abc'), queued(3), readable, received('', true)]),
    ).toEqual([
      'accepted: ',
      'readable: receive 5',
      'received: send 3',
      'queued: ',
      'readable: receive 5',
      'received: close 5',
    ])
  })

  test('reads no more while the peer takes no more', () => {
    expect(
      story(echo, [
        accepted,
        readable,
        received('abcdef', true),
        queued(2),
        { kind: 'writable', socket: 5, space: 4 },
        readable,
        queued(4),
      ]),
    ).toEqual([
      'accepted: ',
      'readable: receive 5',
      'received: send 6',
      'queued: ',
      'writable: send 4',
      'readable: ',
      'queued: receive 5',
    ])
  })

  test('a datagram comes back, but not to another service', () => {
    expect(story(echo, [datagram('hello'), datagram('hello', 19), datagram('')])).toEqual([
      'datagram: send-to 5',
      'datagram: ',
      'datagram: send-to 0',
    ])
  })
})

test('discard reads and says nothing', () => {
  expect(
    story(discard, [
      datagram('x'),
      accepted,
      readable,
      received('abc'),
      readable,
      received('', true),
    ]),
  ).toEqual([
    'datagram: ',
    'accepted: ',
    'readable: receive 5',
    'received: ',
    'readable: receive 5',
    'received: close 5',
  ])
})

describe('chargen', () => {
  const PATTERN = 95 * 74

  test('fills the connection whenever there is room, and reads what it is sent', () => {
    expect(
      story(chargen, [
        accepted,
        queued(PATTERN),
        queued(1000),
        readable,
        received('stop'),
        { kind: 'writable', socket: 5, space: 100 },
        { kind: 'failed', socket: 5, error: 'ECONNRESET' },
        { kind: 'closed', socket: 5 },
      ]),
    ).toEqual([
      `accepted: send ${PATTERN}`,
      `queued: send ${PATTERN}`,
      'queued: ',
      'readable: receive 5',
      'received: ',
      `writable: send ${PATTERN - 1000}`,
      'failed: ',
      'closed: ',
    ])
  })

  test('the pattern of RFC 864: each line begins one character further on', () => {
    const text = String.fromCharCode(...chargen.more()!)
    const lines = text.split('\r\n')
    expect(lines[0]).toBe(
      ' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg',
    )
    expect(lines[1]).toBe(
      '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh',
    )
    // The last line begins with '~', behind which the characters start again.
    expect(lines[94]).toMatch(/^~ !"#/)
    expect(lines.slice(0, 95).every((line) => line.length === 72)).toBe(true)
  })

  test('datagrams have 0 to 512 characters, by the seed', () => {
    const state = createService(19, 7)
    const lengths = Array.from({ length: 5000 }, () => chargen.answer(state, 0, ascii(''))!.length)
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([0, 512])
    // The mean of 5000 draws from 0 … 512: 256 with a deviation of 148.1/√5000 = 2.09; 5 of those.
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length
    expect(Math.abs(mean - 256)).toBeLessThan(10.5)
    const again = createService(19, 7)
    expect(chargen.answer(again, 0, ascii(''))!.length).toBe(lengths[0])
  })
})

describe('daytime', () => {
  test('says the time of its host and closes', () => {
    const service = daytime(1_795_255_416)
    expect(story(service, [accepted, queued(42), datagram('')])).toEqual([
      'accepted: send 42',
      'queued: close 5',
      'datagram: send-to 42',
    ])
    expect(toHex(service.greeting(2.5e9)!)).toBe(
      toHex(ascii('Saturday, November 21, 2026 10:03:38-UTC\r\n')),
    )
  })

  test('days as the Gregorian calendar has them', () => {
    expect(daytimeText(0)).toBe('Thursday, January 1, 1970 00:00:00-UTC\r\n')
    expect(daytimeText(-1)).toBe('Wednesday, December 31, 1969 23:59:59-UTC\r\n')
    expect(daytimeText(951_827_696)).toBe('Tuesday, February 29, 2000 12:34:56-UTC\r\n')
    for (let days = -200_000; days < 200_000; days += 7) {
      const date = new Date(days * 86_400_000)
      expect(civilFromDays(days)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      })
    }
  })
})
