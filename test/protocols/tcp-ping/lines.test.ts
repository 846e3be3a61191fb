import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import type { PingReport } from '../../../protocols/tcp-ping/client.ts'
import { icmpName, seedIcmpName } from '../../../protocols/tcp-ping/icmp-names.ts'
import { pingLines, type PingWords } from '../../../protocols/tcp-ping/lines.ts'
import { pingStatistics } from '../../../protocols/tcp-ping/statistics.ts'

const print = (reports: readonly PingReport[], words: PingWords) =>
  reports.flatMap((report) => pingLines(report, words)).join('\n')

/**
 * Twenty pings as the original client printed them: 4, 15 and 16 lost. The round trips stand for
 * those that its statistics name: 0.064 ms, 0.745 ms, 0.249 ms on average.
 */
const MICROS = [
  745, 64, 180, 0, 210, 215, 220, 225, 228, 228, 228, 231, 236, 241, 0, 0, 246, 276, 280, 180,
]
const STAMP = 1_726_146_326.979706

function transcript(): PingReport[] {
  const reports = MICROS.map((micros, i): PingReport => {
    const packet = i + 1
    if (micros === 0) return { kind: 'timeout', packet, icmp: null }
    const text = `PING ${packet} ${STAMP}`
    return { kind: 'reply', packet, text, rtt: micros * 1000, handshake: null }
  })
  const rtts = MICROS.filter((micros) => micros > 0).map((micros) => micros * 1000)
  return [...reports, { kind: 'done', statistics: pingStatistics(20, rtts) }]
}

describe('in the words of the original', () => {
  test('twenty pings', () => {
    const lines = print(transcript(), 'seed').split('\n')
    expect(lines.slice(0, 8)).toEqual([
      'Received: PING 1 1726146326.979706',
      'RTT for packet 1: 0.745 ms',
      'Received: PING 2 1726146326.979706',
      'RTT for packet 2: 0.064 ms',
      'Received: PING 3 1726146326.979706',
      'RTT for packet 3: 0.180 ms',
      'Request timed out for the packet 4',
      'No ICMP error message for packet 4',
    ])
    expect(lines).toHaveLength(2 * 20 + 4)
    expect(lines.slice(-4)).toEqual([
      '',
      '--- Ping Statistics ---',
      'Packets: Sent = 20, Received = 17, Lost = 3 (15.0% loss)',
      'Min RTT = 0.064 ms, Max RTT = 0.745 ms, Avg RTT = 0.249 ms',
    ])
  })

  test('a round trip has three decimals', () => {
    const reply = {
      kind: 'reply',
      packet: 1,
      text: 'PING 1',
      rtt: 14_505_000,
      handshake: null,
    } as const
    expect(print([reply], 'seed')).toBe('Received: PING 1\nRTT for packet 1: 14.505 ms')
  })

  test.each([
    [3, 0, 'Destination Network Unreachable'],
    [3, 1, 'Destination Host Unreachable'],
    [3, 3, 'Destination Port Unreachable'],
    [3, 13, 'Unknown Destination Unreachable Error'],
    [11, 0, 'Unknown ICMP Error: Type=11, Code=0'],
  ])('ICMP type %i code %i', (type, code, text) => {
    expect(seedIcmpName(type, code)).toBe(text)
    const icmp = { from: ip('10.0.0.1'), version: 4, type, code } as const
    expect(print([{ kind: 'timeout', packet: 4, icmp }], 'seed')).toBe(
      `Request timed out for the packet 4\nReceived ICMP error for packet 4: ${text}`,
    )
  })

  test('nothing came back, nothing was sent', () => {
    const done = (sent: number) =>
      print([{ kind: 'done', statistics: pingStatistics(sent, []) }], 'seed')
        .split('\n')
        .slice(2)
    expect(done(3)).toEqual([
      'Packets: Sent = 3, Received = 0, Lost = 3 (100.0% loss)',
      'No packets were received. All requests timed out.',
    ])
    // The original divides by zero here.
    expect(done(0)).toEqual(['Packets: Sent = 0, Received = 0, Lost = 0 (0.0% loss)'])
  })
})

test('beyond: spread, percentiles, and what kind of failure it was', () => {
  const icmp = { from: ip('10.0.0.254'), version: 4, type: 3, code: 13 } as const
  const reports: PingReport[] = [
    { kind: 'refused', packet: 1 },
    { kind: 'unreachable', packet: 2, error: 'EHOSTUNREACH', icmp },
    { kind: 'unreachable', packet: 3, error: 'ENETUNREACH', icmp: null },
    { kind: 'broken', packet: 4, error: null },
    { kind: 'done', statistics: pingStatistics(8, [1e6, 2e6, 3e6, 6e6]) },
  ]
  expect(print(reports, 'default').split('\n')).toEqual([
    'Connection refused for packet 1: nothing listens on that port',
    'Received ICMP error for packet 2: Communication Administratively Prohibited ' +
      '(type 3, code 13, from 10.0.0.254)',
    'Unreachable for packet 3: ENETUNREACH',
    'Connection lost for packet 4: the server has ended it',
    '',
    '--- Ping Statistics ---',
    'Packets: Sent = 8, Received = 4, Lost = 4 (50.0% loss)',
    'Min RTT = 1.000 ms, Max RTT = 6.000 ms, Avg RTT = 3.000 ms',
    // √((4 + 1 + 0 + 9) / 4)
    'mdev = 1.871 ms, p50 = 2.000 ms, p99 = 6.000 ms',
  ])
})

test('every code of RFC 792 and RFC 4443 has a name of its own', () => {
  const v4 = [...Array.from({ length: 16 }, (_, code) => [3, code]), [4, 0]]
  for (let code = 0; code < 4; code++) v4.push([5, code])
  v4.push([11, 0], [11, 1], [12, 0], [12, 1], [12, 2])
  const v6 = [...Array.from({ length: 7 }, (_, code) => [1, code]), [2, 0], [3, 0], [3, 1]]
  v6.push([4, 0], [4, 1], [4, 2])
  for (const [version, codes] of [
    [4, v4],
    [6, v6],
  ] as const) {
    const names = codes.map(([type, code]) => icmpName(version, type!, code!))
    expect(names.filter((name) => name.startsWith('Unknown ICMP'))).toEqual([])
    expect(new Set(names).size).toBe(codes.length)
  }
  expect(icmpName(4, 3, 16)).toBe('Unknown ICMP Error: Type=3, Code=16')
})
