import { ICMP_PARAMETER_PROBLEM } from '../icmp/message.ts'
import { hasSourceRoute, malformedOptionAt } from '../ipv4/options.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import type { Nanos } from '../time.ts'
import { icmpError } from './icmp-errors.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'

/** Whether a packet with options may be delivered or forwarded. Says why not. */
export function optionsPass(h: HostState, now: Nanos, packet: Ipv4Packet, out: HostOut): boolean {
  const { options } = packet.details
  const wrong = malformedOptionAt(options)
  if (wrong >= 0) {
    out.event({ kind: 'dropped', why: 'ipv4 bad-option', packet })
    // RFC 792: the pointer is the message's fifth octet.
    icmpError(h, now, packet, ICMP_PARAMETER_PROBLEM, 0, wrong << 24, out)
    return false
  }
  if (!hasSourceRoute(options)) return true
  // RFC 7126 §4.3.5 and §4.4.5: by default nobody may steer packets around what filters them.
  out.event({ kind: 'dropped', why: 'ipv4 source route', packet })
  return false
}
