import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../protocols/ipv4/packet.ts'
import type { TraceRecord } from './record.ts'

/**
 * What one host has sent, received and let go, counted as it happens: `rx tcp`, `tx arp`,
 * `drop tcp no socket`, `tcp retransmit`. For whoever watches a stack that runs.
 */
export class PacketCounters {
  readonly #host: string
  readonly #counts = new Map<string, number>()

  constructor(host: string) {
    this.#host = host
  }

  readonly observer = (record: TraceRecord): void => {
    if (record.node !== this.#host) return
    switch (record.kind) {
      case 'sent':
        return this.#frame('tx', record.frame)
      case 'received':
        return this.#frame('rx', record.frame)
      case 'event': {
        const { said } = record
        if (said.kind === 'dropped') this.#add(`drop ${said.why}`)
        else if (said.kind === 'retransmit') this.#add('tcp retransmit')
        else if (said.kind === 'tcp-state' && said.to === 'ESTABLISHED')
          this.#add('tcp established')
        return
      }
      default:
    }
  }

  /** Names with their counts, in the order of the names. */
  sorted(): readonly (readonly [name: string, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  #frame(direction: string, frame: EthernetFrame): void {
    this.#add(`${direction} frames`)
    this.#add(`${direction} bytes`, frame.size)
    this.#add(`${direction} ${protocolOf(frame)}`)
  }

  #add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }
}

function protocolOf({ payload }: EthernetFrame): string {
  if (payload.kind !== 'ipv4' && payload.kind !== 'ipv6') return payload.kind
  const inner = payload.payload.kind
  if (inner !== 'opaque') return inner
  const fragment = payload.kind === 'ipv4' && isFragment(payload)
  return fragment ? `${payload.kind} fragment` : payload.kind
}

const isFragment = ({
  protocol,
  details,
}: {
  readonly protocol: number
  readonly details: { readonly moreFragments: boolean; readonly fragmentOffset: number }
}): boolean =>
  [PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP].includes(protocol) &&
  (details.moreFragments || details.fragmentOffset > 0)
