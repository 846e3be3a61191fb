import { ICMP_TIME_EXCEEDED, REASSEMBLY_TIME_EXCEEDED } from '../icmp/message.ts'
import {
  ICMPV6_BAD_FIELD,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_REASSEMBLY_TIME,
  ICMPV6_TIME_EXCEEDED,
} from '../icmpv6/message.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import { reassemble } from '../ipv4/reassembly.ts'
import type { IpPacket, Ipv6Packet } from '../ipv6/packet.ts'
import { reassembleIpv6, refuseFragment } from '../ipv6/reassembly.ts'
import { expireFragments, reassemblyNextDue } from '../reassembly.ts'
import { NEVER, type Nanos } from '../time.ts'
import { icmpError } from './icmp-errors.ts'
import { icmpv6Error } from './icmpv6-errors.ts'
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

/** The same for IPv6, where the sender hears of a fragment that cannot be one (RFC 8200 §4.5). */
export function ipv6FragmentArrives(
  h: HostState,
  now: Nanos,
  packet: Ipv6Packet,
  out: HostOut,
): Ipv6Packet | null {
  const refusal = refuseFragment(packet)
  if (refusal !== null) {
    const { why, pointer } = refusal
    out.event({ kind: 'dropped', why, packet })
    const [type, code] = [ICMPV6_PARAMETER_PROBLEM, ICMPV6_BAD_FIELD]
    if (pointer >= 0) icmpv6Error(h, now, packet, type, code, pointer, out)
    return null
  }
  const whole = reassembleIpv6(h.fragments, now, packet, droppedTo(out))
  if (whole === null) wakeForFragments(h, out)
  return whole
}

/** RFC 792, RFC 8200 §4.5: whoever sent a first fragment hears that the others did not come. */
export function fragmentsExpire(h: HostState, now: Nanos, out: HostOut): void {
  for (const first of expireFragments(h.fragments, now, droppedTo(out))) {
    if (first.kind === 'ipv4') {
      icmpError(h, now, first, ICMP_TIME_EXCEEDED, REASSEMBLY_TIME_EXCEEDED, 0, out)
    } else {
      icmpv6Error(h, now, first, ICMPV6_TIME_EXCEEDED, ICMPV6_REASSEMBLY_TIME, 0, out)
    }
  }
  wakeForFragments(h, out)
}

function wakeForFragments(h: HostState, out: HostOut): void {
  const at = reassemblyNextDue(h.fragments)
  if (at !== NEVER) out.wake(REASSEMBLY_OWNER, at)
}

const droppedTo = (out: HostOut) => ({
  dropped: (packet: IpPacket, why: string) => out.event({ kind: 'dropped', why, packet }),
})
