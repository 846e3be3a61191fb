import { describe, expect, test } from 'vitest'
import { NO_BYTES } from '../../../protocols/bytes.ts'
import {
  countersText,
  createAccurateEcn,
  marksTold,
  OPTION_ACCURATE_ECN_0,
  OPTION_ACCURATE_ECN_1,
  withCounters,
} from '../../../protocols/tcp/accurate-ecn.ts'
import { CE, NOT_ECT } from '../../../protocols/tcp/codepoints.ts'
import { readTcpOptions, writeTcpOptions } from '../../../protocols/tcp/option-codec.ts'
import {
  LAYOUT_SACK,
  LAYOUT_TIMESTAMPS_SACK,
  NO_OPTIONS,
  TcpOptions,
  timestampOptions,
} from '../../../protocols/tcp/options.ts'
import { ACK, AE, CWR, ECE, TcpSegment } from '../../../protocols/tcp/segment.ts'

const counted = () => ({ ...createAccurateEcn(NOT_ECT, false), ceb: 0x010203, e0b: 0x1ffffff })

const sacking = (blocks: number, stamps: boolean): TcpOptions => {
  const edges = Array.from({ length: 2 * blocks }, (_, i) => 1000 * i)
  return new TcpOptions(
    stamps ? LAYOUT_TIMESTAMPS_SACK : LAYOUT_SACK,
    -1,
    -1,
    stamps ? 1 : 0,
    stamps ? 2 : 0,
    edges,
    [],
  )
}

describe('the option takes what room there is', () => {
  test.each([
    ['alone', NO_OPTIONS, 12, 'ECN e1b 1 ceb 66051 e0b 16777215'],
    ['behind timestamps', timestampOptions(1, 2), 24, 'ECN e1b 1 ceb 66051 e0b 16777215'],
    ['behind one block', sacking(1, true), 36, 'ECN e1b 1 ceb 66051 e0b 16777215'],
    ['behind two blocks', sacking(2, true), 40, 'ECN e1b 1 ceb 66051'],
    ['behind three without timestamps', sacking(3, false), 40, 'ECN e1b 1 ceb 66051 e0b 16777215'],
  ])('%s', (_, options, size, text) => {
    const whole = withCounters(options, counted())
    const bytes = new Uint8Array(whole.size)
    writeTcpOptions(bytes, 0, whole)
    const read = readTcpOptions(bytes, 0, bytes.length)
    expect(whole.size).toBe(size)
    expect(read).toEqual(whole)
    expect(countersText(OPTION_ACCURATE_ECN_1, whole.unknown[0]!)).toBe(text)
  })

  test('none is left behind three blocks and timestamps', () => {
    const full = sacking(3, true)
    expect(withCounters(full, counted())).toBe(full)
  })
})

const ack = (ace: number, counters: readonly number[] | null = null, kind = 174): TcpSegment => {
  const flags = ACK | (ace & 4 ? AE : 0) | (ace & 2 ? CWR : 0) | (ace & 1 ? ECE : 0)
  const data = Uint8Array.from((counters ?? []).flatMap((n) => [n >>> 16, n >>> 8, n]))
  const options =
    counters === null ? NO_OPTIONS : new TcpOptions([kind, 1], -1, -1, 0, 0, [], [data])
  return new TcpSegment(1, 2, 0, 0, flags, 0, 0, options, NO_BYTES)
}

describe('what the peer tells of', () => {
  const client = () => createAccurateEcn(NOT_ECT, true)

  test('counts go on round the eight values', () => {
    const a = client()
    const told = [5, 7, 2, 2, 1].map((ace) => marksTold(a, ack(ace), 1000, 1000))
    expect(told).toEqual([0, 2, 3, 0, 7])
    expect(a.toldCep).toBe(5 + 12)
  })

  test('an old ACK and one that says nothing new are no news', () => {
    const a = client()
    expect(marksTold(a, ack(5), 1000, 1000)).toBe(0)
    expect(marksTold(a, ack(6), -1000, 1000)).toBe(0)
    expect(marksTold(a, ack(6), 0, 1000)).toBe(0)
    expect(marksTold(a, ack(6), 1000, 1000)).toBe(1)
  })

  test('the third segment of the handshake may say that the SYN,ACK was marked', () => {
    const server = createAccurateEcn(NOT_ECT, false)
    expect(marksTold(server, ack(0b110), 1, 1000)).toBe(0)
    expect(marksTold(server, ack(6), 1000, 1000)).toBe(0)
    expect(marksTold(server, ack(7), 1000, 1000)).toBe(1)
  })

  test('bytes in either order decide whether a round has been hidden', () => {
    const many = 9000
    expect(marksTold(client(), ack(5, [1, 0, 9001]), many, 1000)).toBe(0)
    expect(marksTold(client(), ack(5, [9001, 0, 1], OPTION_ACCURATE_ECN_0), many, 1000)).toBe(0)
    expect(marksTold(client(), ack(5, [1, 8000, 1001]), many, 1000)).toBe(8)
    expect(marksTold(client(), ack(5, [1]), many, 1000)).toBe(8)
    expect(marksTold(client(), ack(5), many, 1000)).toBe(8)
  })

  test('a SYN,ACK that came marked counts for the client', () => {
    expect([createAccurateEcn(CE, true).cep, createAccurateEcn(CE, false).cep]).toEqual([6, 5])
  })
})
