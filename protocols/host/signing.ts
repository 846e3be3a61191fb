import type { IpAddress } from '../address.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { TcpSegment } from '../tcp/segment.ts'
import { isSignedWith, keyFor, sign, signatureIn, type SigningKey } from '../tcp/signature.ts'
import type { HostState } from './state.ts'

// RFC 2385 at the edge of TCP: addresses are part of what is signed. A socket's own keys are Linux's
// TCP_MD5SIG; those of the host's policy are the security associations of FreeBSD.

/** `null`: nothing is signed for this peer, or nobody has a key for it. */
function keyOf(h: HostState, policy: TcpPolicy, peer: IpAddress): SigningKey | null {
  switch (policy.signs) {
    case 'nobody':
      return null
    case 'known':
      return keyFor(policy.signingKeys, peer)
    case 'everybody':
      return keyFor(h.policy.signingKeys, peer)
  }
}

/** A segment as it leaves; `null`: it must be signed, and nobody has a key for it. */
export function signed(
  h: HostState,
  policy: TcpPolicy,
  from: IpAddress,
  to: IpAddress,
  segment: TcpSegment,
): TcpSegment | null {
  const key = keyOf(h, policy, to)
  if (key !== null) return sign(segment, from, to, key, policy)
  return policy.signs === 'everybody' ? null : segment
}

/**
 * Why a segment must not be looked at, in the words of drops; `null`: it may. §2.0: one without a
 * signature, or with a wrong one, is dropped silently; so is, as in Linux, one that nobody asked to be
 * signed. `policy`: `null` where it is nobody's.
 */
export function whyUnsigned(
  h: HostState,
  policy: TcpPolicy | null,
  { source, destination }: IpPacket,
  segment: TcpSegment,
): string | null {
  const signature = signatureIn(segment)
  const key = policy === null ? null : keyOf(h, policy, source)
  if (key === null) {
    if (signature !== null) return 'tcp md5 unexpected'
    return policy?.signs === 'everybody' ? 'tcp md5 missing' : null
  }
  if (signature === null) return 'tcp md5 missing'
  return isSignedWith(segment, source, destination, key, signature) ? null : 'tcp md5 wrong'
}
