import { seqDiff, seqLt } from '../sequence.ts'
import { LOSS } from './recovery.ts'
import { ORIGINAL, REPEATED, type Scoreboard } from './scoreboard.ts'
import type { TcpState } from './state.ts'

// F-RTO, RFC 5682: after a timeout new data instead of old tells whether the timeout was needed.

/**
 * An ACK after a timeout, SND.UNA moved already. True where it shows that the timeout was spurious.
 * Section 3.1 with a scoreboard, section 2.1 without.
 *
 * @param acked bytes that it acknowledges; 0: a duplicate
 * @param news whether it SACKs anything new
 */
export function frtoSaysSpurious(
  s: TcpState,
  b: Scoreboard | null,
  acked: number,
  news: boolean,
): boolean {
  const { recovery } = s
  const { episode } = recovery
  if (episode === null || recovery.phase !== LOSS || episode.frto === 0) return false
  // A first ACK that covers what was not sent again is enough for Linux (tcp_process_loss).
  if (s.policy.undoesWholly && b !== null && acked > 0 && b.shown & ORIGINAL) return true
  if (!seqLt(s.snd.una, recovery.recover - (s.sackPermitted ? 0 : 1))) {
    episode.frto = 0 // everything has arrived: there is nothing left to find out
    return false
  }
  if (episode.frto === 1) {
    if (acked > 0) stepTwo(s)
    else if (!s.sackPermitted) giveUp(s) // 2.1, 2a
    return false
  }
  // 3b: what was never sent again has arrived.
  if (b === null ? acked > 0 : (b.shown & (ORIGINAL | REPEATED)) === ORIGINAL) return true
  if (acked === 0 && (b === null || news)) giveUp(s) // 3a
  return false
}

/** 2b: new data, up to two segments; where there is none, the conventional way. */
function stepTwo(s: TcpState): void {
  const { recovery, snd } = s
  const room = snd.wnd - seqDiff(snd.max, snd.una)
  if (seqDiff(snd.end, snd.max) <= 0 || room <= 0) return giveUp(s)
  recovery.episode!.frto = 2
  if (s.sackPermitted) return
  snd.nxt = snd.max
  recovery.left = seqDiff(snd.max, snd.una)
}

/** The loss was real: what waits is sent again. */
function giveUp(s: TcpState): void {
  const { recovery, snd } = s
  recovery.episode!.frto = 0
  recovery.left = 0
  if (!s.sackPermitted) snd.nxt = snd.una
}
