import type { Bytes } from '../../protocols/bytes.ts'
import type { Nanos } from '../../protocols/time.ts'

// What a packetdrill script says, as data. Times are in nanoseconds, rounded down to microseconds.

/** When an event is due. */
export type When =
  | { readonly kind: 'any' }
  | {
      readonly kind: 'at'
      /** From the event before, not from the start of the script. */
      readonly relative: boolean
      readonly time: Nanos
      /** The end of a range `a~b`; the same as `time` where one instant is meant. */
      readonly latest: Nanos
      /** When a blocking call returns, `t...u`, on the same base; `null` for one that does not block. */
      readonly returns: Nanos | null
    }

export interface ScriptEvent {
  readonly line: number
  readonly when: When
  readonly action: Action
  /** The action as it is written. */
  readonly text: string
}

export type Action =
  | { readonly kind: 'packet'; readonly inbound: boolean; readonly packet: ScriptPacket }
  | SystemCall
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }

export interface SystemCall {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expression[]
  /** `null`: whatever comes. */
  readonly result: number | null
  readonly errno: string | null
}

export type Expression =
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'fields'; readonly fields: readonly Field[] }
  | { readonly kind: 'apply'; readonly name: string; readonly args: readonly Expression[] }

/** A member of `{name=value, value}`. */
export interface Field {
  readonly name: string | null
  readonly value: Expression
}

/** The family of a script's packets. */
export type Family = 'ipv4' | 'ipv6'

/** What is written about the IP header; -1 where nothing is. */
export interface IpInfo {
  readonly ecn: 'noecn' | 'ect0' | 'ect1' | 'ce' | 'ect01' | null
  /** The whole octet: `tos` of IPv4, `class` of IPv6. */
  readonly tos: number
  readonly ttl: number
  readonly flowLabel: number
}

/** `(2000 > 8080)`: a script with several connections names each by its ports. */
export interface Ports {
  readonly source: number
  readonly destination: number
}

export type ScriptPacket = { readonly ip: IpInfo } & (TcpPacket | UdpPacket | IcmpPacket)

export interface TcpPacket {
  readonly kind: 'tcp'
  /** `null`: those of the connection that the script is about. */
  readonly ports: Ports | null
  /** As `protocols/tcp/segment.ts` numbers the bits. */
  readonly flags: number
  /** `null`: not looked at. */
  readonly seq: number | null
  readonly length: number
  readonly ack: number
  /** -1: not looked at. */
  readonly window: number
  readonly urgent: number
  /** The numbers are the wire's own, not counted from the initial ones. */
  readonly absolute: boolean
  /** `null`: any. */
  readonly options: readonly ScriptOption[] | null
  /** `/udp(9811 > 1)`: the datagram that the segment is in; `null`: in none. */
  readonly udp: Ports | null
}

export type ScriptOption =
  | { readonly kind: 'nop' | 'eol' | 'sackOK' }
  | { readonly kind: 'mss' | 'wscale'; readonly value: number }
  | { readonly kind: 'sack'; readonly edges: readonly number[] }
  | { readonly kind: 'TS'; readonly value: number; readonly echo: number }
  /** A signature (RFC 2385) by the script's key: right in what comes in, and to be right in what goes out. */
  | { readonly kind: 'md5' }
  /** One that the host need not know: its kind on the wire, and its data. */
  | { readonly kind: 'other'; readonly number: number; readonly data: Bytes }

export interface UdpPacket {
  readonly kind: 'udp'
  readonly ports: Ports | null
  readonly length: number
}

export interface IcmpPacket {
  readonly kind: 'icmp'
  readonly type: number
  readonly code: number
  readonly mtu: number
  /** Of an echo. */
  readonly identifier: number
  /** The packet that the message is about, or the bytes that an echo carries. */
  readonly quoted:
    | {
        readonly kind: 'tcp'
        readonly seq: number
        readonly length: number
        readonly udp: Ports | null
      }
    | { readonly kind: 'udp' | 'raw'; readonly length: number }
    | null
}

export interface Script {
  readonly options: ReadonlyMap<string, string>
  readonly init: { readonly line: number; readonly text: string } | null
  readonly events: readonly ScriptEvent[]
  /** What is to be done at the end, pass or fail. */
  readonly cleanup: { readonly line: number; readonly text: string } | null
}

/** A place of a script that cannot be read. */
export class ScriptSyntaxError extends Error {
  override name = 'ScriptSyntaxError'
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

/** A word of the language, or of a dialect, that this interpreter does not know how to play. */
export class Unsupported extends Error {
  override name = 'Unsupported'
  readonly line: number
  readonly word: string

  constructor(word: string, line: number) {
    super(`unsupported: ${word}`)
    this.line = line
    this.word = word
  }
}
