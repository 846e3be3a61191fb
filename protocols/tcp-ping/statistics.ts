import type { Nanos } from '../time.ts'

/** What became of pings so far. */
export interface PingStatistics {
  readonly sent: number
  readonly received: number
  /** Percent of those sent; 0 of none. */
  readonly lossPercent: number
  /** Over the answered ones; `null` without any. */
  readonly rtt: {
    readonly min: Nanos
    readonly max: Nanos
    readonly mean: Nanos
    /** As iputils has it: the root of the mean square less the squared mean. */
    readonly mdev: Nanos
    readonly p50: Nanos
    readonly p99: Nanos
  } | null
}

export function pingStatistics(sent: number, rtts: readonly Nanos[]): PingStatistics {
  const received = rtts.length
  const lossPercent = sent === 0 ? 0 : ((sent - received) * 100) / sent
  if (received === 0) return { sent, received, lossPercent, rtt: null }
  const sorted = [...rtts].sort((a, b) => a - b)
  const mean = rtts.reduce((sum, rtt) => sum + rtt, 0) / received
  const variance = rtts.reduce((sum, rtt) => sum + (rtt - mean) * (rtt - mean), 0) / received
  /** Nearest rank. */
  const rank = (percent: number) => sorted[Math.max(0, Math.ceil((percent * received) / 100) - 1)]!
  const rtt = {
    min: sorted[0]!,
    max: sorted.at(-1)!,
    mean,
    mdev: Math.sqrt(variance),
    p50: rank(50),
    p99: rank(99),
  }
  return { sent, received, lossPercent, rtt }
}
