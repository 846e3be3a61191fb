import type { Nanos } from '../time.ts'
import { acceptLate } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import type { TcpState } from './state.ts'
import { transmit } from './transmit.ts'

/** What an application waits with has waited long enough: see `TcpTimerName`. */
export function holdTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  if (s.orphan) return out.event({ kind: 'lingered', socket: s.id, done: false })
  if (s.unaccepted) return acceptLate(s, out)
  transmit(s, now, out, s.fellBack, 'sent')
}
