import { seqLt } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { mayChallenge } from './challenge.ts'
import { finish } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import { ACK, RST, SYN, type TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { sendBareAck } from './transmit.ts'

/**
 * TIME-WAIT as Linux has it (tcp_timewait_state_process), which has kept no more of the connection than
 * its numbers: what is empty and exactly next is heard in silence, anything else but a reset is answered,
 * and every ACK begins the time anew. A newer SYN has been looked at before.
 */
export function timeWaitArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  const { rcv, policy, timers } = s
  const { flags, options } = seg
  const drop = (why: string): void => out.event({ kind: 'dropped', why, packet: seg })
  const stamped = s.timestamps && options.hasTimestamps
  const isOld = stamped && !(flags & RST) && seqLt(options.timestampValue, s.tsRecent)
  const isNext = !isOld && seg.seq === rcv.nxt && (seg.length === 0 || (flags & RST) !== 0)
  if (flags & RST) {
    return isNext && !policy.timeWaitStays ? finish(s, out) : drop('tcp reset in time-wait')
  }
  if (isNext || isOld || flags & ACK) timers.timeWait = now + 2 * policy.msl
  if (isNext) {
    if (stamped) s.tsRecent = options.timestampValue
    return
  }
  const isText = seg.length > 0 && !(flags & SYN)
  if (isText || mayChallenge(s, now)) sendBareAck(s, now, out)
  drop(isOld ? 'tcp old timestamp' : 'tcp outside window')
}
