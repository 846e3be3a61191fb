import { describe, expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { Malformed } from '../../protocols/payload.ts'
import { emitTcp } from '../../protocols/tcp/codec.ts'
import { TcpOptions } from '../../protocols/tcp/options.ts'
import { ACK, SYN } from '../../protocols/tcp/segment.ts'
import { ms, s, us } from '../../protocols/time.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { type TextOptions, TraceText } from '../../trace/text.ts'
import {
  A,
  B,
  called,
  carrying,
  datagram,
  ethernet,
  received,
  said,
  segment,
  sent,
} from './records.ts'

function lines(records: readonly TraceRecord[], options: TextOptions = {}): string[] {
  const text = new TraceText(options)
  return records.map((record) => text.line(record)).filter((line) => line !== null)
}

const udp = 'IP 10.0.0.1.50000 > 10.0.0.2.40000: UDP, length 5'

describe('frames', () => {
  test('time, link, packet', () => {
    const options = new TcpOptions([2, 4, 8, 1, 3], 1460, 7, 1, 0, [], [])
    const syn = carrying(segment({ seq: 12345, flags: SYN, options }))
    expect(lines([sent(syn, { at: ms(10) })])).toEqual([
      '0.010000000 a>b  IP 10.0.0.1.49152 > 10.0.0.2.5001: Flags [S], seq 12345, win 65535, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0',
    ])
  })

  test('what the link did stands behind, in capitals', () => {
    const frame = carrying(datagram(5))
    expect(
      lines([
        sent(frame, { dropped: 'queue-full' }),
        sent(frame, { duplicates: 1 }),
        sent(frame, { duplicates: 2, corruptedBit: 123, reordered: true }),
        sent(frame, { corruptedBit: 0, dropped: 'loss' }),
      ]),
    ).toEqual([
      `0.010000000 a>b  ${udp} DROP queue-full`,
      `0.010000000 a>b  ${udp} DUP`,
      `0.010000000 a>b  ${udp} CORRUPT bit 123 REORDER DUP x2`,
      `0.010000000 a>b  ${udp} CORRUPT bit 0 DROP loss`,
    ])
  })

  test('arrivals only when asked for', () => {
    const arrival = received(carrying(datagram(5)), { at: s(3) + 1 })
    expect(lines([arrival])).toEqual([])
    expect(lines([arrival], { received: true })).toEqual([`3.000000001 a>b  ${udp} ARRIVED`])
  })

  test('the column of links widens and stays wide', () => {
    const frame = carrying(datagram(5))
    expect(lines([sent(frame, { link: 'left>right' }), sent(frame)])).toEqual([
      `0.010000000 left>right  ${udp}`,
      `0.010000000 a>b         ${udp}`,
    ])
  })
})

describe('retransmissions', () => {
  const again = (cause: 'rto' | 'fast' | 'probe', event = 7) =>
    said({ kind: 'retransmit', socket: 1, cause, seq: 5000, count: 2, rto: s(1) }, { event })
  const data = carrying(segment({ seq: 5000, ack: 1, flags: ACK, data: 1 }))
  const other = carrying(segment({ seq: 5001, ack: 1, flags: ACK, data: 1 }))
  const marks = (records: readonly TraceRecord[]) =>
    lines(records).map((line) => line.replace(/^.*length 1/, ''))

  test('mark the segment that follows in the same event', () => {
    expect(marks([again('rto'), sent(data)])).toEqual([' RETX #2 rto=1s'])
    expect(marks([again('fast'), sent(data)])).toEqual([' RETX #2 fast'])
    expect(marks([again('probe'), sent(data, { dropped: 'loss' })])).toEqual([
      ' PROBE #2 rto=1s DROP loss',
    ])
  })

  test('and no other: not another number, node or event, and only once', () => {
    expect(marks([again('rto'), sent(other), sent(data), sent(data)])).toEqual([
      '',
      ' RETX #2 rto=1s',
      '',
    ])
    expect(marks([again('rto'), sent(data, { node: 'r' })])).toEqual([''])
    expect(marks([again('rto', 6), sent(data), sent(data, { event: 6 })])).toEqual(['', ''])
  })
})

describe('hosts', () => {
  test('drops show the packet, with the addresses of the frame that brought it', () => {
    const whole = segment({ seq: 9, ack: 1, flags: ACK, data: 1 })
    const bad = new Malformed('tcp', 'bad-checksum', emitTcp(whole, 0))
    const damaged = carrying(bad, 'a>b', undefined, 6)
    const arrival = received(damaged)
    const drop = said(
      { kind: 'dropped', why: 'tcp bad-checksum', packet: bad },
      { at: ms(20), event: 8, node: 'b' },
    )
    const shown =
      'IP 10.0.0.1.49152 > 10.0.0.2.5001: Flags [.], seq 9:10, ack 1, win 65535, length 1'
    expect(lines([arrival, drop])).toEqual([`0.020000000 b    drop tcp bad-checksum: ${shown}`])
    expect(lines([arrival, drop], { hosts: 'drops' })).toHaveLength(1)
    expect(lines([arrival, drop], { hosts: 'none' })).toEqual([])
    // Without that frame it says what it knows.
    expect(lines([drop])).toEqual(['0.020000000 b    drop tcp bad-checksum: tcp, size 21'])
  })

  test('a damaged IP header is shown as it came', () => {
    const whole = emitEthernet(carrying(datagram(5)))
    const bad = new Malformed('ipv4', 'bad-checksum', whole.subarray(14))
    const drop = said(
      { kind: 'dropped', why: 'ipv4 bad-checksum', packet: bad },
      { at: ms(20), event: 8, node: 'b' },
    )
    expect(lines([received(ethernet(bad)), drop])).toEqual([
      `0.020000000 b    drop ipv4 bad-checksum: ${udp}`,
    ])
  })

  test('events and calls, one line each', () => {
    const local = { address: A, port: 49152 }
    const remote = { address: B, port: 80 }
    const records = [
      called({ kind: 'open', protocol: 'tcp' }),
      said({ kind: 'opened', socket: 1, protocol: 'tcp' }),
      called({ kind: 'connect', socket: 1, remote }),
      said({ kind: 'tcp-state', socket: 1, from: 'CLOSED', to: 'SYN-SENT' }),
      said({ kind: 'rtt', socket: 1, rtt: ms(20), srtt: us(20_312.5) }),
      said({ kind: 'connected', socket: 1, local, remote }),
      said({ kind: 'timer', socket: 1, name: 'delayed-ack' }),
      said({ kind: 'neighbour', address: ip('10.0.0.9'), mac: null }),
      called({ kind: 'bind', socket: 2, address: null, port: 0 }),
      said({ kind: 'failed', socket: 1, error: 'ETIMEDOUT' }),
    ]
    expect(lines(records).map((line) => line.replace('0.010000000 a    ', ''))).toEqual([
      'call open tcp',
      'socket 1 opened tcp',
      'call connect 1 10.0.0.2.80',
      'tcp 1 CLOSED -> SYN-SENT',
      'tcp 1 rtt=20ms srtt=20.3125ms',
      'socket 1 connected 10.0.0.1.49152 > 10.0.0.2.80',
      'timer 1 delayed-ack',
      'neighbour 10.0.0.9 lost',
      'call bind 2 *.0',
      'socket 1 failed ETIMEDOUT',
    ])
    expect(lines(records, { hosts: 'drops' })).toEqual([])
  })
})
