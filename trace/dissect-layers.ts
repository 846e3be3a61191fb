import type { Malformation } from '../protocols/parsed.ts'

/** A header of a frame, field by field in the order of the wire. */
export interface Layer {
  /** `ethernet`, `vlan`, `arp`, `ipv4`, `ipv6`, `icmp`, `icmpv6`, `tcp`, `udp`. */
  readonly protocol: string
  readonly fields: { readonly [name: string]: FieldValue }
}
export type FieldValue = string | number | boolean | readonly (string | number)[]

/** What a receiver would refuse, in the words of the codecs, with the figures where it helps. */
export interface Defect {
  readonly protocol: string
  readonly why: Malformation
  readonly detail: string
}

export interface Dissection {
  readonly layers: Layer[]
  /** The first one is what stops the packet; a frame has at most one in each layer. */
  readonly defects: Defect[]
  /** A TCP or UDP checksum was left to the network card: only the pseudo-header is in it. */
  offloaded: boolean
  /** The capture holds less than the wire did: nothing behind it is judged. */
  readonly cut: boolean
  /** Datagrams of this UDP port carry TCP segments; 0: of none do. */
  readonly tcpInUdp: number
}

export function add(found: Dissection, protocol: string, fields: Layer['fields']): void {
  found.layers.push({ protocol, fields })
}

/** What lies beyond the end of the capture is nobody's defect. */
export function defect(
  found: Dissection,
  protocol: string,
  why: Malformation,
  detail: string,
): void {
  if (found.cut && (why === 'truncated' || why === 'bad-length')) return
  found.defects.push({ protocol, why, detail })
}

export const hex = (value: number, digits: number): string =>
  `0x${value.toString(16).padStart(digits, '0')}`

/** `ipv4 bad-checksum (0x1234, should be 0x5678)`. */
export const defectText = ({ protocol, why, detail }: Defect): string =>
  `${protocol} ${why}${detail === '' ? '' : ` (${detail})`}`

/** A line for each layer: `ipv4: version 4, ttl 64, …`. */
export function layerLines(found: Dissection): string[] {
  return found.layers.map(({ protocol, fields }) => {
    const texts = Object.entries(fields).map(([name, value]) => {
      const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
      if (typeof value === 'boolean') return value ? spaced : ''
      return `${spaced} ${typeof value === 'object' ? value.join(' ') || 'none' : value}`
    })
    return `${protocol}: ${texts.filter((text) => text !== '').join(', ')}`
  })
}
