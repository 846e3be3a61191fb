import { formatIp } from '../address.ts'
import type { PingIcmp, PingReport } from './client.ts'
import { icmpName, seedIcmpName } from './icmp-names.ts'
import type { PingStatistics } from './statistics.ts'

/** Whose words are used: the original's alone, or those and what it could not say. */
export type PingWords = 'seed' | 'default'

const ms = (nanos: number): string => (nanos / 1e6).toFixed(3)

/** What a client prints for a report. */
export function pingLines(report: PingReport, words: PingWords): readonly string[] {
  switch (report.kind) {
    case 'reply':
      return [`Received: ${report.text}`, `RTT for packet ${report.packet}: ${ms(report.rtt)} ms`]
    case 'timeout':
      return [
        `Request timed out for the packet ${report.packet}`,
        icmpLine(report.packet, report.icmp, words),
      ]
    case 'refused':
      if (words === 'seed') return ['[Errno 111] Connection refused']
      return [`Connection refused for packet ${report.packet}: nothing listens on that port`]
    case 'unreachable':
      if (report.icmp !== null) return [icmpLine(report.packet, report.icmp, words)]
      if (words === 'seed') return [report.error]
      return [`Unreachable for packet ${report.packet}: ${report.error}`]
    case 'broken':
      return [
        `Connection lost for packet ${report.packet}: ${report.error ?? 'the server has ended it'}`,
      ]
    case 'done':
      return statisticsLines(report.statistics, words)
  }
}

function icmpLine(packet: number, icmp: PingIcmp | null, words: PingWords): string {
  if (icmp === null) return `No ICMP error message for packet ${packet}`
  const { version, type, code, from } = icmp
  const said = `Received ICMP error for packet ${packet}: `
  if (words === 'seed') return said + seedIcmpName(type, code)
  return `${said}${icmpName(version, type, code)} (type ${type}, code ${code}, from ${formatIp(from)})`
}

export function statisticsLines(statistics: PingStatistics, words: PingWords): readonly string[] {
  const { sent, received, lossPercent, rtt } = statistics
  const lost = `${sent - received} (${lossPercent.toFixed(1)}% loss)`
  const lines = [
    '',
    '--- Ping Statistics ---',
    `Packets: Sent = ${sent}, Received = ${received}, Lost = ${lost}`,
  ]
  if (rtt === null) {
    // The original says so whatever the reason was.
    const reason = words === 'seed' ? ' All requests timed out.' : ''
    if (sent > 0) lines.push(`No packets were received.${reason}`)
    return lines
  }
  const { min, max, mean, mdev, p50, p99 } = rtt
  lines.push(`Min RTT = ${ms(min)} ms, Max RTT = ${ms(max)} ms, Avg RTT = ${ms(mean)} ms`)
  if (words === 'default') {
    lines.push(`mdev = ${ms(mdev)} ms, p50 = ${ms(p50)} ms, p99 = ${ms(p99)} ms`)
  }
  return lines
}
