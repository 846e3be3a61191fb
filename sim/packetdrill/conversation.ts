import type { Ipv4Address } from '../../protocols/address.ts'
import { NO_BYTES, putI32, putU16 } from '../../protocols/bytes.ts'
import { ICMP_UNREACHABLE, IcmpMessage } from '../../protocols/icmp/message.ts'
import {
  DEFAULT_TTL,
  IPV4_HEADER,
  Ipv4Details,
  Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportPayload,
} from '../../protocols/ipv4/packet.ts'
import { seqAdd, type Seq, seqDiff } from '../../protocols/sequence.ts'
import {
  NO_OPTIONS,
  OPTION_END,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
  TcpOptions,
} from '../../protocols/tcp/options.ts'
import { ACK, SYN, TCP_HEADER, TcpSegment } from '../../protocols/tcp/segment.ts'
import { UDP_HEADER, UdpDatagram } from '../../protocols/udp/datagram.ts'
import type { IcmpPacket, IpInfo, ScriptOption, ScriptPacket, TcpPacket } from './script.ts'

/** Something that a script asks for and that cannot be: the line is added by who plays it. */
export class ScriptMistake extends Error {
  override name = 'ScriptMistake'
}

/** One side's initial sequence number, in the script and on the wire. */
interface Isn {
  readonly script: Seq
  readonly live: Seq
}

/** The script's own numbers are used as they are. */
const sameIsn = (isn: number): Isn => ({ script: isn | 0, live: isn | 0 })

/**
 * The connection that a script is about, and how its numbers differ between the script and the wire:
 * sequence numbers count from the initial ones but on SYNs, timestamps from the first that was seen.
 */
export class Conversation {
  readonly local: Ipv4Address
  readonly remote: Ipv4Address
  localPort: number
  readonly remotePort: number
  /** We connect, and the host has not said from which port. */
  awaitsSyn: boolean
  #ours: Isn = sameIsn(0)
  #theirs: Isn
  #knowsOurs = false
  #knowsTheirs: boolean
  /** Timestamps that the host sent: as written, as they were. */
  readonly #stamps = new Map<number, number>()
  #firstStamp: { readonly script: number; readonly live: number } | null = null
  /** `--tcp_ts_ecr_scaled`: echoes of what was never written are moved along. */
  readonly #scaledEchoes: boolean

  constructor(
    ends: Pick<Conversation, 'local' | 'remote' | 'localPort' | 'remotePort' | 'awaitsSyn'>,
    remoteIsn: Seq | null,
    scaledEchoes: boolean,
  ) {
    this.local = ends.local
    this.remote = ends.remote
    this.localPort = ends.localPort
    this.remotePort = ends.remotePort
    this.awaitsSyn = ends.awaitsSyn
    this.#theirs = sameIsn(remoteIsn ?? 0)
    this.#knowsTheirs = remoteIsn !== null
    this.#scaledEchoes = scaledEchoes
  }

  /** Whether the host sent this packet in this conversation. */
  owns({ source, destination, payload }: Ipv4Packet): boolean {
    if (source !== this.local || destination !== this.remote) return false
    if (payload.kind === 'icmp') return true
    if (payload.kind !== 'tcp' && payload.kind !== 'udp') return false
    if (payload.destinationPort !== this.remotePort) return false
    if (!this.awaitsSyn) return payload.sourcePort === this.localPort
    return payload.kind === 'udp' || (payload.flags & (SYN | ACK)) === SYN
  }

  /** The host's SYN, or datagram, tells its port; its first SYN its initial sequence number. */
  learn(expected: ScriptPacket, payload: TransportPayload): void {
    if (payload.kind !== 'tcp' && payload.kind !== 'udp') return
    if (this.awaitsSyn) {
      this.localPort = payload.sourcePort
      this.awaitsSyn = false
    }
    if (payload.kind !== 'tcp' || expected.kind !== 'tcp') return
    if (payload.flags & expected.flags & SYN && !this.#knowsOurs) {
      this.#ours = { script: (expected.seq ?? 0) | 0, live: payload.seq }
      this.#knowsOurs = true
    }
    const stamp = expected.options?.find((option) => option.kind === 'TS')
    if (stamp === undefined || !payload.options.hasTimestamps) return
    const live = payload.options.timestampValue
    this.#stamps.set(stamp.value | 0, live)
    this.#firstStamp ??= { script: stamp.value | 0, live }
  }

  /** What the host's sequence numbers, and its acknowledgments, are ahead of the script's by. */
  offsets(syn: boolean): { readonly ours: number; readonly theirs: number } {
    const offset = ({ script, live }: Isn): number => (syn ? seqDiff(live, script) : live)
    return { ours: offset(this.#ours), theirs: offset(this.#theirs) }
  }

  /** How far the host's timestamps are ahead of the script's. */
  get stampOffset(): number {
    return this.#firstStamp === null ? 0 : (this.#firstStamp.live - this.#firstStamp.script) | 0
  }

  /** A packet of the script as it arrives. */
  toLive(packet: ScriptPacket): Ipv4Packet {
    const { remote, local, remotePort, localPort } = this
    const { ip } = packet
    switch (packet.kind) {
      case 'tcp':
        return ipPacket(remote, local, PROTOCOL_TCP, ip, this.#segment(packet))
      case 'udp': {
        const payload = new Uint8Array(packet.length)
        const datagram = new UdpDatagram(remotePort, localPort, payload)
        return ipPacket(remote, local, PROTOCOL_UDP, ip, datagram)
      }
      case 'icmp':
        return ipPacket(remote, local, PROTOCOL_ICMP, ip, this.#message(packet))
    }
  }

  #segment(packet: TcpPacket): TcpSegment {
    const { flags, seq, length, ack, window, urgent, absolute } = packet
    if (flags & SYN && !this.#knowsTheirs) {
      this.#theirs = sameIsn(seq ?? 0)
      this.#knowsTheirs = true
    }
    const { ours, theirs } = this.offsets((flags & SYN) !== 0)
    return new TcpSegment(
      this.remotePort,
      this.localPort,
      absolute ? (seq ?? 0) | 0 : seqAdd(theirs, seq ?? 0),
      flags & ACK ? (absolute ? ack | 0 : seqAdd(ours, ack)) : ack | 0,
      flags,
      window,
      urgent,
      this.#options(packet, ours),
      length === 0 ? NO_BYTES : new Uint8Array(length),
    )
  }

  #options({ options, flags }: TcpPacket, ours: number): TcpOptions {
    if (options === null || options.length === 0) return NO_OPTIONS
    let [mss, scale, value, echo] = [-1, -1, 0, 0]
    const sack: Seq[] = []
    for (const option of options) {
      if (option.kind === 'mss') mss = option.value
      else if (option.kind === 'wscale') scale = option.value
      else if (option.kind === 'sack') sack.push(...option.edges.map((e) => seqAdd(ours, e)))
      else if (option.kind === 'TS') {
        value = option.value | 0
        echo = flags & ACK ? this.#echo(option.echo) : option.echo | 0
      }
    }
    return new TcpOptions(options.map(kindOf), mss, scale, value, echo, sack, [])
  }

  #echo(written: number): number {
    const known = this.#stamps.get(written | 0)
    if (known !== undefined) return known
    if (this.#scaledEchoes && this.#firstStamp !== null) return (written + this.stampOffset) | 0
    throw new ScriptMistake(`'ecr ${written}' echoes a timestamp that no line before has written`)
  }

  /** An error about a packet of the host's: its header, and the first eight bytes behind. */
  #message({ type, code, mtu, quoted }: IcmpPacket): IcmpMessage {
    if (quoted === null) return new IcmpMessage(type, code, mtu, NO_BYTES)
    const header = quoted.kind === 'tcp' ? TCP_HEADER : UDP_HEADER
    const quote = new Uint8Array(IPV4_HEADER + header)
    quote[0] = 0x45
    putU16(quote, 2, IPV4_HEADER + header + quoted.length)
    quote[8] = DEFAULT_TTL
    quote[9] = quoted.kind === 'tcp' ? PROTOCOL_TCP : PROTOCOL_UDP
    putI32(quote, 12, this.local)
    putI32(quote, 16, this.remote)
    putU16(quote, IPV4_HEADER, this.localPort)
    putU16(quote, IPV4_HEADER + 2, this.remotePort)
    if (quoted.kind === 'tcp') {
      putI32(quote, IPV4_HEADER + 4, seqAdd(this.offsets(false).ours, quoted.seq))
      quote[IPV4_HEADER + 12] = (TCP_HEADER / 4) << 4
    } else putU16(quote, IPV4_HEADER + 4, UDP_HEADER + quoted.length)
    return new IcmpMessage(type, code, type === ICMP_UNREACHABLE ? mtu : 0, quote)
  }
}

const ECN_BITS = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 } as const

export const trafficClassOf = ({ ecn, tos }: IpInfo): number =>
  tos >= 0 ? tos : ecn === null ? 0 : ECN_BITS[ecn]

function ipPacket(
  from: Ipv4Address,
  to: Ipv4Address,
  protocol: number,
  ip: IpInfo,
  payload: TransportPayload,
): Ipv4Packet {
  const details = new Ipv4Details(trafficClassOf(ip), false, false, 0, NO_BYTES)
  const ttl = ip.ttl < 0 ? 255 : ip.ttl
  return new Ipv4Packet(from, to, protocol, ttl, 0, details, payload)
}

const KINDS = {
  eol: OPTION_END,
  nop: OPTION_NOP,
  mss: OPTION_MSS,
  wscale: OPTION_WINDOW_SCALE,
  sackOK: OPTION_SACK_PERMITTED,
  sack: OPTION_SACK,
  TS: OPTION_TIMESTAMPS,
} as const

export const kindOf = (option: ScriptOption): number => KINDS[option.kind]
