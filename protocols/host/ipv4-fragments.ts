import { ICMP_TIME_EXCEEDED, REASSEMBLY_TIME_EXCEEDED } from '../icmp/message.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import { expireFragments, reassemble, reassemblyNextDue } from '../ipv4/reassembly.ts'
import { NEVER, type Nanos } from '../time.ts'
import { icmpError } from './icmp-errors.ts'
import type { HostOut } from './output.ts'
import { type HostState, REASSEMBLY_OWNER } from './state.ts'

/** A fragment for us came in; gives back the whole datagram, or `null` while something is missing. */
export function fragmentArrives(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  out: HostOut,
): Ipv4Packet | null {
  const whole = reassemble(h.fragments, now, packet, droppedTo(out))
  if (whole === null) wakeForFragments(h, out)
  return whole
}

/** RFC 792: whoever sent a first fragment hears that the others did not come. */
export function fragmentsExpire(h: HostState, now: Nanos, out: HostOut): void {
  const code = REASSEMBLY_TIME_EXCEEDED
  for (const first of expireFragments(h.fragments, now, droppedTo(out))) {
    icmpError(h, now, first, ICMP_TIME_EXCEEDED, code, 0, out)
  }
  wakeForFragments(h, out)
}

function wakeForFragments(h: HostState, out: HostOut): void {
  const at = reassemblyNextDue(h.fragments)
  if (at !== NEVER) out.wake(REASSEMBLY_OWNER, at)
}

const droppedTo = (out: HostOut) => ({
  dropped: (packet: Ipv4Packet, why: string) => out.event({ kind: 'dropped', why, packet }),
})
