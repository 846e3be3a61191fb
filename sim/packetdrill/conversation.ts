import type { IpAddress } from '../../protocols/address.ts'
import { type Bytes, equalBytes, NO_BYTES } from '../../protocols/bytes.ts'
import { PROTOCOL_TCP, PROTOCOL_UDP, type TransportPayload } from '../../protocols/ipv4/packet.ts'
import type { IpPacket } from '../../protocols/ipv6/packet.ts'
import { seqAdd, type Seq, seqDiff } from '../../protocols/sequence.ts'
import {
  NO_OPTIONS,
  OPTION_MD5,
  OPTION_END,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
  TcpOptions,
} from '../../protocols/tcp/options.ts'
import { ACK, SYN, TcpSegment } from '../../protocols/tcp/segment.ts'
import { filled, SIGNATURE_BYTES, signatureIn, signatureOf } from '../../protocols/tcp/signature.ts'
import type { ScriptSettings } from './script-settings.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import { arrivingInUdp } from './datagram.ts'
import { arriving, type Ends, icmpArriving, quotedPorts } from './network.ts'
import type { Ports, ScriptOption, ScriptPacket, TcpPacket } from './script.ts'

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
export class Conversation implements Ends {
  readonly local: IpAddress
  readonly remote: IpAddress
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
  /** What segments are signed with. */
  readonly #secret: Bytes

  constructor(
    ends: Pick<Conversation, 'local' | 'remote' | 'localPort' | 'remotePort' | 'awaitsSyn'>,
    remoteIsn: Seq | null,
    { scaledEchoes, secret }: Pick<ScriptSettings, 'scaledEchoes' | 'secret'>,
  ) {
    this.local = ends.local
    this.remote = ends.remote
    this.localPort = ends.localPort
    this.remotePort = ends.remotePort
    this.awaitsSyn = ends.awaitsSyn
    this.#theirs = sameIsn(remoteIsn ?? 0)
    this.#knowsTheirs = remoteIsn !== null
    this.#scaledEchoes = scaledEchoes
    this.#secret = secret
  }

  /** Whether the host sent this packet in this conversation. */
  owns({ source, destination, payload }: IpPacket): boolean {
    if (source !== this.local || destination !== this.remote) return false
    if (payload.kind === 'icmp' || payload.kind === 'icmpv6') {
      const quoted = quotedPorts(payload)
      return quoted === null || this.isBetween(true, quoted)
    }
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

  /** Whether these are its ports, as the script writes them. */
  isBetween(inbound: boolean, { source, destination }: Ports): boolean {
    const [local, remote] = inbound ? [destination, source] : [source, destination]
    return this.remotePort === remote && (this.awaitsSyn || this.localPort === local)
  }

  /** A packet of the script as it arrives. */
  toLive(packet: ScriptPacket): IpPacket {
    const { remotePort, localPort } = this
    const { ip } = packet
    switch (packet.kind) {
      case 'tcp':
        return packet.udp === null
          ? arriving(this, PROTOCOL_TCP, ip, this.#segment(packet))
          : arrivingInUdp(this, ip, packet.udp, this.#segment(packet))
      case 'udp': {
        const payload = new Uint8Array(packet.length)
        return arriving(this, PROTOCOL_UDP, ip, new UdpDatagram(remotePort, localPort, payload))
      }
      case 'icmp': {
        const { quoted } = packet
        const written = quoted?.kind === 'tcp' ? quoted.seq : 0
        const seq = seqAdd(this.offsets(false).ours, written)
        return icmpArriving(this, localPort, remotePort, ip, packet, seq)
      }
    }
  }

  #segment(packet: TcpPacket): TcpSegment {
    const { flags, seq, length, ack, window, urgent, absolute } = packet
    if (flags & SYN && !this.#knowsTheirs) {
      this.#theirs = sameIsn(seq ?? 0)
      this.#knowsTheirs = true
    }
    const { ours, theirs } = this.offsets((flags & SYN) !== 0)
    const segment = new TcpSegment(
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
    const isSigned = packet.options?.some(({ kind }) => kind === 'md5') === true
    return isSigned ? this.#signed(segment) : segment
  }

  /** With the digest in the place that was kept for it. */
  #signed(segment: TcpSegment): TcpSegment {
    return filled(segment, signatureOf(segment, this.remote, this.local, this.#secret))
  }

  /** Whether what the host sent is signed with the script's key. */
  isSigned(segment: TcpSegment): boolean {
    const signature = signatureIn(segment)
    if (signature === null) return false
    return equalBytes(signature, signatureOf(segment, this.local, this.remote, this.#secret))
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
    const others = options.flatMap((option) => dataOf(option))
    return new TcpOptions(options.map(kindOf), mss, scale, value, echo, sack, others)
  }

  #echo(written: number): number {
    const known = this.#stamps.get(written | 0)
    if (known !== undefined) return known
    if (this.#scaledEchoes && this.#firstStamp !== null) return (written + this.stampOffset) | 0
    throw new ScriptMistake(`'ecr ${written}' echoes a timestamp that no line before has written`)
  }
}

/** Bytes of options that a record has no field for; a signature comes later. */
const dataOf = (option: ScriptOption): readonly Bytes[] =>
  option.kind === 'other'
    ? [option.data]
    : option.kind === 'md5'
      ? [new Uint8Array(SIGNATURE_BYTES)]
      : []

const KINDS = {
  md5: OPTION_MD5,
  eol: OPTION_END,
  nop: OPTION_NOP,
  mss: OPTION_MSS,
  wscale: OPTION_WINDOW_SCALE,
  sackOK: OPTION_SACK_PERMITTED,
  sack: OPTION_SACK,
  TS: OPTION_TIMESTAMPS,
} as const

export const kindOf = (option: ScriptOption): number =>
  option.kind === 'other' ? option.number : KINDS[option.kind]
