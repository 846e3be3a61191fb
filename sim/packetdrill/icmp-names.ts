// Names of ICMP types and codes as scripts write them, RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.

const TYPES: { readonly [name: string]: number } = {
  echo_reply: 0,
  unreachable: 3,
  source_quench: 4,
  redirect: 5,
  echo_request: 8,
  time_exceeded: 11,
  parameter_problem: 12,
}

const UNREACHABLE = [
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
] as const

const CODES: { readonly [type: number]: readonly string[] } = {
  3: UNREACHABLE,
  11: ['ttl_exceeded_in_transit', 'frag_reass_exceeded'],
}

/** `null` where the names mean nothing to IPv4. */
export function icmpMeaning(
  typeName: string,
  codeName: string | null,
): { readonly type: number; readonly code: number } | null {
  const type = Object.hasOwn(TYPES, typeName) ? TYPES[typeName]! : -1
  if (type < 0) return null
  if (codeName === null) return { type, code: 0 }
  const written = /^code_(\d+)$/.exec(codeName)?.[1]
  const code = written === undefined ? (CODES[type] ?? []).indexOf(codeName) : Number(written)
  return code < 0 ? null : { type, code }
}

/** What an ICMP message is, in the words of a script. */
export function icmpText(type: number, code: number): string {
  const name = Object.keys(TYPES).find((each) => TYPES[each] === type) ?? `type_${type}`
  const detail = CODES[type]?.[code] ?? (code === 0 ? '' : `code_${code}`)
  return `icmp ${name}${detail === '' ? '' : ` ${detail}`}`
}
