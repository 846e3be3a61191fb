import { readMac } from '../protocols/address.ts'
import { type Bytes } from '../protocols/bytes.ts'
import {
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../protocols/ethernet/frame.ts'
import {
  IPV4_HEADER,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../protocols/ipv4/packet.ts'
import { NO_NEXT_HEADER } from '../protocols/ipv6/extensions.ts'
import { IPV6_HEADER } from '../protocols/ipv6/packet.ts'
import { UDP_HEADER } from '../protocols/udp/datagram.ts'
import { addressAt, byteAt, Cut, type Line, need, wordAt } from './cut.ts'
import { PROTOCOL_IGMP } from '../protocols/igmp/codec.ts'
import { icmpText } from './icmp-text.ts'
import { igmpText } from './igmp-text.ts'
import { icmp6Text, ipv6At, ipv6Chain } from './ipv6-text.ts'
import { TcpText } from './tcp-text.ts'

/** IEEE 802.1Q, and 802.1ad around it: four bytes of tag, then the type that follows. */
export const isVlanType = (type: number): boolean =>
  type === 0x8100 || type === 0x88a8 || type === 0x9100

const ARP_OPERATIONS: readonly (string | undefined)[] = [
  undefined,
  'Request',
  'Reply',
  'Reverse Request',
  'Reverse Reply',
]

/**
 * Frames as `tcpdump -n` prints them, without the time. It reads bytes, not records, so that a
 * damaged frame looks as it would on a wire. Left out: what lies above TCP, UDP and ICMP, and the
 * hexadecimal dump behind a frame of unknown type.
 */
export class PacketText {
  readonly #tcp: TcpText
  /** The layer being printed, for the mark where the bytes end. */
  #layer = 'ether'
  readonly #line: Line = { text: '' }
  readonly #tcpInUdp: number

  /** `tcpInUdp`: datagrams of this port carry TCP segments; 0: of none do. */
  constructor(options: { readonly absolute?: boolean; readonly tcpInUdp?: number } = {}) {
    this.#tcp = new TcpText(options.absolute ?? false)
    this.#tcpInUdp = options.tcpInUdp ?? 0
  }

  /** One Ethernet frame. `remember: false` leaves the relative sequence numbers as they are. */
  frame(bytes: Bytes, remember = true): string {
    this.#layer = 'ether'
    this.#line.text = ''
    try {
      this.#frame(bytes, remember)
      return this.#line.text
    } catch (cut) {
      if (!(cut instanceof Cut)) throw cut
      return `${this.#line.text} [|${this.#layer}]`
    }
  }

  #frame(b: Bytes, remember: boolean): void {
    let type = wordAt(b, 12)
    let at = ETHERNET_HEADER
    for (; isVlanType(type); at += 4) type = wordAt(b, at + 2)
    const inner = b.subarray(at)
    if (type === ETHERTYPE_ARP) this.#arp(inner)
    else if (type === ETHERTYPE_IPV4) this.#ipv4(inner, remember)
    else if (type === ETHERTYPE_IPV6) this.#ipv6(inner, remember)
    else {
      const name = type < 0x600 ? '802.3' : `ethertype Unknown (0x${hex4(type)})`
      this.#line.text = `${readMac(b, 6)} > ${readMac(b, 0)}, ${name}, length ${b.length}:`
    }
  }

  #arp(b: Bytes): void {
    this.#layer = 'arp'
    need(b, 8)
    const hardwareLength = byteAt(b, 4)
    const protocolLength = byteAt(b, 5)
    need(b, 8 + 2 * hardwareLength + 2 * protocolLength)
    const senderIp = 8 + hardwareLength
    const targetMac = senderIp + protocolLength
    const targetIp = targetMac + hardwareLength
    const operation = wordAt(b, 6)
    this.#line.text = 'ARP, '
    if (wordAt(b, 2) !== ETHERTYPE_IPV4 || protocolLength !== 4 || hardwareLength !== 6) {
      const hardware = wordAt(b, 0)
      const type = hardware === 1 ? 'Ethernet' : `Unknown Hardware (${hardware})`
      const protocol = wordAt(b, 2)
      const over = protocol === ETHERTYPE_IPV4 ? 'IPv4' : `Unknown Protocol (0x${hex4(protocol)})`
      this.#line.text += `${type} (len ${hardwareLength}), ${over} (len ${protocolLength})`
    } else {
      this.#line.text += `${ARP_OPERATIONS[operation] ?? `Unknown (${operation})`} `
      if (operation === 1) {
        const known = readMac(b, targetMac)
        const hint = known === '00:00:00:00:00:00' ? '' : ` (${known})`
        this.#line.text += `who-has ${addressAt(b, targetIp)}${hint} tell ${addressAt(b, senderIp)}`
      } else if (operation === 2) {
        this.#line.text += `${addressAt(b, senderIp)} is-at ${readMac(b, 8)}`
      } else if (operation === 3) {
        this.#line.text += `who-is ${readMac(b, targetMac)} tell ${readMac(b, 8)}`
      } else if (operation === 4) {
        this.#line.text += `${readMac(b, targetMac)} at ${addressAt(b, targetIp)}`
      }
    }
    this.#line.text += `, length ${b.length}`
  }

  #ipv4(b: Bytes, remember: boolean): void {
    this.#layer = 'ip'
    const version = byteAt(b, 0) >> 4
    if (version !== 4) {
      this.#line.text =
        version === 6 ? `IP6, wrong link-layer encapsulation (invalid)` : `IP${version} (invalid)`
      return
    }
    this.#line.text = 'IP '
    if (b.length < IPV4_HEADER) throw new Cut()
    const header = (b[0]! & 15) * 4
    if (header < IPV4_HEADER) {
      this.#line.text += `bad-hlen ${header}`
      return
    }
    const total = wordAt(b, 2)
    if (total > b.length) this.#line.text += `truncated-ip - ${total - b.length} bytes missing! `
    if (total < header) {
      this.#line.text += `bad-len ${total}`
      return
    }
    const packet = b.subarray(0, total)
    const source = addressAt(b, 12)
    const destination = addressAt(b, 16)
    const protocol = byteAt(b, 9)
    const offset = wordAt(b, 6)
    if ((offset & 0x1fff) !== 0) {
      this.#line.text += `${source} > ${destination}: ip-proto-${protocol}`
      return
    }
    const inner = packet.subarray(Math.min(header, packet.length))
    const length = total - header
    if (protocol === PROTOCOL_TCP) {
      this.#layer = 'tcp'
      this.#tcp.print(this.#line, inner, source, destination, length, remember)
    } else if (protocol === PROTOCOL_UDP) {
      this.#layer = 'udp'
      this.#udp(inner, source, destination, length, (offset & 0x2000) !== 0, remember)
    } else {
      this.#line.text += `${source} > ${destination}: `
      this.#layer = 'icmp'
      if (protocol === PROTOCOL_ICMP) this.#line.text += icmpText(inner, length)
      else if (protocol === PROTOCOL_IGMP) this.#line.text += igmpText(inner, length)
      else this.#line.text += ` ip-proto-${protocol} ${length}`
    }
  }

  #ipv6(b: Bytes, remember: boolean): void {
    this.#layer = 'ip6'
    const version = byteAt(b, 0) >> 4
    if (version !== 6) {
      this.#line.text =
        version === 4 ? 'IP, wrong link-layer encapsulation (invalid)' : `IP${version} (invalid)`
      return
    }
    this.#line.text = 'IP6 '
    need(b, IPV6_HEADER)
    const length = IPV6_HEADER + wordAt(b, 4)
    if (length > b.length) {
      this.#line.text += `truncated-ip6 - ${length - b.length} bytes missing!`
    }
    const packet = b.subarray(0, length)
    const [source, destination] = [ipv6At(b, 8), ipv6At(b, 24)]
    const chain = ipv6Chain(packet)
    const { protocol, at, words } = chain
    const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP
    if (!hasPorts || words.length > 0 || chain.cut !== null) {
      this.#line.text += `${source} > ${destination}: `
    }
    this.#line.text += words.join(' ')
    if (chain.cut !== null) {
      this.#layer = chain.cut
      throw new Cut()
    }
    if (chain.fragmentOffset > 0) return
    if (words.length > 0) this.#line.text += ' '
    const inner = packet.subarray(at)
    const rest = length - at
    if (protocol === PROTOCOL_TCP) {
      this.#layer = 'tcp'
      this.#tcp.print(this.#line, inner, source, destination, rest, remember)
    } else if (protocol === PROTOCOL_UDP) {
      this.#layer = 'udp'
      this.#udp(inner, source, destination, rest, chain.isFragment, remember)
    } else if (protocol === PROTOCOL_ICMPV6) {
      this.#layer = 'icmp6'
      this.#line.text += icmp6Text(inner, rest)
    } else if (protocol === NO_NEXT_HEADER) this.#line.text += 'no next header'
    else this.#line.text += ` ip-proto-${protocol} ${rest}`
  }

  #udp(
    b: Bytes,
    source: string,
    destination: string,
    length: number,
    fragment: boolean,
    remember: boolean,
  ): void {
    if (b.length < 4) {
      this.#line.text += `${source} > ${destination}: `
      throw new Cut()
    }
    this.#line.text += `${source}.${wordAt(b, 0)} > ${destination}.${wordAt(b, 2)}: `
    if (length < UDP_HEADER) {
      this.#line.text += `truncated-udp ${length}`
      return
    }
    const says = wordAt(b, 4)
    const there = length - UDP_HEADER
    if (says < UDP_HEADER) {
      this.#line.text += `truncated-udplength ${says}`
    } else if (says - UDP_HEADER > there && !fragment) {
      this.#line.text += `UDP, bad length ${says - UDP_HEADER} > ${there}`
    } else {
      this.#line.text += `UDP, length ${says - UDP_HEADER}`
      const port = this.#tcpInUdp
      if (port === 0 || (wordAt(b, 0) !== port && wordAt(b, 2) !== port)) return
      this.#layer = 'tcp'
      this.#line.text += ': '
      const inner = b.subarray(UDP_HEADER, says)
      this.#tcp.print(this.#line, inner, source, destination, says - UDP_HEADER, remember)
    }
  }
}

const hex4 = (n: number): string => n.toString(16).padStart(4, '0')
