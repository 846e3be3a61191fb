import type { Family } from './script.ts'

// Names of ICMP types and codes as scripts write them: RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1;
// RFC 4443 for IPv6.

interface Names {
  readonly types: { readonly [name: string]: number }
  readonly codes: { readonly [type: number]: readonly string[] }
}

const NAMES: { readonly [family in Family]: Names } = {
  ipv4: {
    types: {
      echo_reply: 0,
      unreachable: 3,
      source_quench: 4,
      redirect: 5,
      echo_request: 8,
      time_exceeded: 11,
      parameter_problem: 12,
      timestamp_request: 13,
      timestamp_reply: 14,
    },
    codes: {
      3: [
        'net_unreachable',
        'host_unreachable',
        'protocol_unreachable',
        'port_unreachable',
        'frag_needed',
        'source_route_failed',
        'net_unknown',
        'host_unknown',
        'source_host_isolated',
        'net_prohibited',
        'host_prohibited',
        'net_unreachable_for_tos',
        'host_unreachable_for_tos',
        'packet_filtered',
        'precedence_violation',
        'precedence_cutoff',
      ],
      11: ['ttl_exceeded_in_transit', 'frag_reass_exceeded'],
    },
  },
  ipv6: {
    types: {
      unreachable: 1,
      packet_too_big: 2,
      time_exceeded: 3,
      parameter_problem: 4,
      echo_request: 128,
      echo_reply: 129,
    },
    codes: {
      1: [
        'no_route',
        'admin_prohibited',
        'not_neighbour',
        'address_unreachable',
        'port_unreachable',
      ],
      3: ['exceeded_hop_limit', 'exceeded_frag_time'],
      4: ['header_field', 'unknown_next_header', 'unknown_option'],
    },
  },
}

/** `null` where the names mean nothing to the family. */
export function icmpMeaning(
  family: Family,
  typeName: string,
  codeName: string | null,
): { readonly type: number; readonly code: number } | null {
  const { types, codes } = NAMES[family]
  const numbered = /^type_(\d+)$/.exec(typeName)?.[1]
  const named = Object.hasOwn(types, typeName) ? types[typeName]! : -1
  const type = numbered === undefined ? named : Number(numbered)
  if (type < 0) return null
  if (codeName === null) return { type, code: 0 }
  const written = /^code_(\d+)$/.exec(codeName)?.[1]
  const code = written === undefined ? (codes[type] ?? []).indexOf(codeName) : Number(written)
  return code < 0 ? null : { type, code }
}

/** What an ICMP message is, in the words of a script. */
export function icmpText(family: Family, type: number, code: number): string {
  const { types, codes } = NAMES[family]
  const name = Object.keys(types).find((each) => types[each] === type) ?? `type_${type}`
  const detail = codes[type]?.[code] ?? (code === 0 ? '' : `code_${code}`)
  return `icmp ${name}${detail === '' ? '' : ` ${detail}`}`
}
