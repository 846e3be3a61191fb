import { type Bytes, i32, putBytes, putI32 } from '../bytes.ts'
import type { Nanos } from '../time.ts'

/*
 * What goes over an iperf3 control connection: first the client's cookie, then single bytes that say
 * what comes next, and texts of JSON behind their length. There is no RFC: this is what iperf 3.12
 * and 3.17 say and understand.
 */

/** 36 characters and a zero byte. */
export const COOKIE_BYTES = 37

export const [TEST_START, TEST_RUNNING, TEST_END] = [1, 2, 4]
export const [PARAM_EXCHANGE, CREATE_STREAMS, CLIENT_TERMINATE] = [9, 10, 12]
export const [EXCHANGE_RESULTS, DISPLAY_RESULTS, IPERF_DONE] = [13, 14, 16]
/** -1: another test is going on. */
export const ACCESS_DENIED = 0xff
/** -2: two numbers follow, of iperf3's own list of errors and of the system's. */
const SERVER_ERROR = 0xfe
/** An option that the server does not have. */
const IEUNIMP = 13

/** What a UDP stream begins with, and what it is answered. */
export const UDP_HELLO: Bytes = Uint8Array.of(0x39, 0x38, 0x37, 0x36)
export const UDP_WELCOME: Bytes = Uint8Array.of(0x36, 0x37, 0x38, 0x39)
/** Before the payload of each datagram: seconds and microseconds of the sender, and its number. */
export const [UDP_HEADER, UDP_HEADER_64] = [12, 16]

/** iperf3's own limits. */
const [STREAMS_MAX, BLOCK_MAX, UDP_BLOCK_MAX] = [128, 1 << 20, 65_507]
const [TCP_BLOCK, UDP_BLOCK] = [1 << 17, 1460]
/** Longer than any that a client of 128 streams writes. */
const TEXT_MAX = 1 << 16

/** What the client asks for. */
export interface Parameters {
  readonly protocol: 'tcp' | 'udp'
  /** Streams in each direction. */
  readonly parallel: number
  /** Who sends. */
  readonly clientSends: boolean
  readonly serverSends: boolean
  /** Bytes of a write, or of a datagram with its header. */
  readonly block: number
  /** Bits a second of each stream; 0: as much as there is room for. */
  readonly rate: number
  /** So long at first nothing is counted. */
  readonly omit: Nanos
  readonly noDelay: boolean
  readonly congestion: string | null
  /** Bytes of the socket's buffers; 0: the host's own choice. */
  readonly window: number
  /** Datagrams are numbered with 64 bits. */
  readonly wide: boolean
}

/** @returns `null` where the text is none that a client writes, or asks for what is not there. */
export function readParameters(text: unknown): Parameters | null {
  if (typeof text !== 'object' || text === null) return null
  const given = text as { readonly [name: string]: unknown }
  const number = (name: string, otherwise: number): number => {
    const value = given[name]
    return typeof value === 'number' && value >= 0 ? Math.floor(value) : otherwise
  }
  const udp = given['udp'] === true
  if (udp === (given['tcp'] === true)) return null
  const parallel = number('parallel', 1)
  const block = number('len', 0) || (udp ? UDP_BLOCK : TCP_BLOCK)
  const wide = number('udp_counters_64bit', 0) > 0
  if (parallel < 1 || parallel > STREAMS_MAX || block > (udp ? UDP_BLOCK_MAX : BLOCK_MAX)) {
    return null
  }
  if (udp && block < (wide ? UDP_HEADER_64 : UDP_HEADER)) return null
  const reverse = given['reverse'] === true
  const both = given['bidirectional'] === true
  const { congestion } = given
  return {
    protocol: udp ? 'udp' : 'tcp',
    parallel,
    clientSends: both || !reverse,
    serverSends: both || reverse,
    block,
    rate: number('bandwidth', 0),
    omit: number('omit', 0) * 1e9,
    noDelay: given['nodelay'] === true,
    congestion: typeof congestion === 'string' ? congestion : null,
    window: number('window', 0),
    wide,
  }
}

/** A text of JSON from the front of what has come; `null`: it is not whole yet. */
export function readText(
  inbox: Bytes,
): { readonly value: unknown; readonly next: number } | 'malformed' | null {
  if (inbox.length < 4) return null
  const length = i32(inbox, 0)
  if (length < 0 || length > TEXT_MAX) return 'malformed'
  if (inbox.length < 4 + length) return null
  const text = new TextDecoder().decode(inbox.subarray(4, 4 + length) as Uint8Array)
  try {
    return { value: JSON.parse(text) as unknown, next: 4 + length }
  } catch {
    return 'malformed'
  }
}

export function textMessage(value: unknown): Bytes {
  const text = new TextEncoder().encode(JSON.stringify(value))
  const bytes = new Uint8Array(4 + text.length)
  putI32(bytes, 0, text.length)
  putBytes(bytes, 4, text)
  return bytes
}

/** What was asked for cannot be had. */
export function refusal(): Bytes {
  const bytes = new Uint8Array(9)
  bytes[0] = SERVER_ERROR
  putI32(bytes, 1, IEUNIMP)
  return bytes
}
