import type { CongestionName } from '../../protocols/tcp/congestion/congestion.ts'
import { RFC } from '../../protocols/tcp/profiles/rfc.ts'
import { ms, s } from '../../protocols/time.ts'
import { pipeGoodput } from './pipe.ts'

/**
 * Loss of segments each way, and what smoltcp publishes of its goodput at that, kB/s: a buffer of 32 KiB
 * over a round trip of 100 ms (its `netsim` test).
 */
export const SMALL_WINDOW = [
  [0, 322.9],
  [0.01, 219.7],
  [0.1, 37.8],
  [0.2, 6.1],
  [0.3, 1.16],
] as const

const SEGMENT = 1024

/**
 * Ours over the same path, bytes a second. smoltcp takes no loss for congestion; of ours, BBR does not
 * either. Ours acknowledges before its application reads: with two segments more its window is the
 * same 32 KiB. And a segment divides the window, for silly window avoidance would leave the rest of
 * it unused.
 */
export function smallWindowGoodput(
  loss: number,
  congestion: CongestionName,
  seed: string,
  seconds: number,
): number {
  const policy = RFC.with({
    congestion,
    mss: SEGMENT + 12,
    sendBuffer: 32_768,
    receiveBuffer: 32_768 + 2 * SEGMENT,
    rtoMin: ms(200),
    rtoMax: s(60),
  })
  return pipeGoodput({ policy, delay: ms(50), loss, until: s(seconds), seed })
}
