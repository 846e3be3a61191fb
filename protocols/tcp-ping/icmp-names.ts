import {
  ICMP_PARAMETER_PROBLEM,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../icmp/message.ts'

/** Codes of "destination unreachable": RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
const UNREACHABLE = [
  'Destination Network Unreachable',
  'Destination Host Unreachable',
  'Destination Protocol Unreachable',
  'Destination Port Unreachable',
  'Fragmentation Needed',
  'Source Route Failed',
  'Destination Network Unknown',
  'Destination Host Unknown',
  'Source Host Isolated',
  'Destination Network Administratively Prohibited',
  'Destination Host Administratively Prohibited',
  'Destination Network Unreachable for Type of Service',
  'Destination Host Unreachable for Type of Service',
  'Communication Administratively Prohibited',
  'Host Precedence Violation',
  'Precedence Cutoff in Effect',
]
const REDIRECT = [
  'Redirect for Network',
  'Redirect for Host',
  'Redirect for Type of Service and Network',
  'Redirect for Type of Service and Host',
]
const EXCEEDED = ['Time to Live Exceeded in Transit', 'Fragment Reassembly Time Exceeded']
/** RFC 792, RFC 1122 §3.2.2.5. */
const PARAMETER = ['Parameter Problem', 'Required Option Missing', 'Bad Length']

const V4: { readonly [type: number]: readonly string[] } = {
  [ICMP_UNREACHABLE]: UNREACHABLE,
  [ICMP_SOURCE_QUENCH]: ['Source Quench'],
  [ICMP_REDIRECT]: REDIRECT,
  [ICMP_TIME_EXCEEDED]: EXCEEDED,
  [ICMP_PARAMETER_PROBLEM]: PARAMETER,
}

/** ICMPv6, RFC 4443 §3. */
const V6: { readonly [type: number]: readonly string[] } = {
  1: [
    'No Route to Destination',
    'Communication Administratively Prohibited',
    'Beyond Scope of Source Address',
    'Address Unreachable',
    'Port Unreachable',
    'Source Address Failed Ingress/Egress Policy',
    'Reject Route to Destination',
  ],
  2: ['Packet Too Big'],
  3: ['Hop Limit Exceeded in Transit', 'Fragment Reassembly Time Exceeded'],
  4: ['Erroneous Header Field', 'Unrecognized Next Header Type', 'Unrecognized IPv6 Option'],
}

/** What an ICMP error says, every code of RFC 792 and RFC 4443 by its name. */
export function icmpName(version: 4 | 6, type: number, code: number): string {
  const named = (version === 4 ? V4 : V6)[type]
  return named?.[code] ?? `Unknown ICMP Error: Type=${type}, Code=${code}`
}

/** As the original has it: three codes by name. */
export function seedIcmpName(type: number, code: number): string {
  if (type !== ICMP_UNREACHABLE) return `Unknown ICMP Error: Type=${type}, Code=${code}`
  const known = code === 0 || code === 1 || code === 3
  return known ? UNREACHABLE[code]! : 'Unknown Destination Unreachable Error'
}
