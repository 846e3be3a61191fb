import {
  type IpAddress,
  ipv6Groups,
  maskOf,
  parseIpText,
  parseIpv4Text,
} from '../protocols/address.ts'

/** Whether an address, as facts have it, lies in a network. */
export type AddressTest = (address: number | string | null) => boolean

/** A network as filters write it, or what is wrong with it. */
export interface FilterNetwork {
  readonly family: 'ip' | 'ip6'
  readonly holds: AddressTest
}

export function hostTest(address: IpAddress): FilterNetwork {
  const family = typeof address === 'number' ? 'ip' : 'ip6'
  return { family, holds: (other) => other === address }
}

/** `10.0.0.0/8`, `10.1` (for `10.1.0.0/16`), `fd00::/64`; `mask` as in `net N mask M`. */
export function netTest(text: string, mask: string | null): FilterNetwork | string {
  const [written, prefix, more] = text.split('/')
  if (written === undefined || more !== undefined) return `'${text}' is not a network`
  if (written.includes(':')) return ipv6Net(text, written, prefix)
  const octets = written.split('.')
  const full = [...octets, '0', '0', '0'].slice(0, 4).join('.')
  const address = parseIpv4Text(full)
  if (address === null || octets.length > 4) return `'${written}' is not a network`
  let bits = maskOf(8 * octets.length)
  if (mask !== null) {
    const parsed = parseIpv4Text(mask)
    if (parsed === null) return `'${mask}' is not a mask`
    bits = parsed
  } else if (prefix !== undefined) {
    if (!/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return `'/${prefix}' is no prefix length`
    bits = maskOf(Number(prefix))
  }
  if ((address & ~bits) !== 0) return `'${text}' has bits of a host`
  return {
    family: 'ip',
    holds: (other) => typeof other === 'number' && (other & bits) === address,
  }
}

function ipv6Net(text: string, written: string, prefix = '128'): FilterNetwork | string {
  const groups = ipv6Groups(written)
  if (groups === null || parseIpText(written) === null) return `'${written}' is not a network`
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > 128) return `'/${prefix}' is no prefix length`
  const masks = groups.map((_, i) => {
    const bits = Math.max(0, Math.min(16, Number(prefix) - 16 * i))
    return (0xffff << (16 - bits)) & 0xffff
  })
  if (groups.some((group, i) => (group & ~masks[i]!) !== 0)) return `'${text}' has bits of a host`
  return {
    family: 'ip6',
    holds: (other) => {
      if (typeof other !== 'string') return false
      const its = ipv6Groups(other)
      return its !== null && groups.every((group, i) => (its[i]! & masks[i]!) === group)
    },
  }
}
