import type { Bytes } from '../bytes.ts'
import { s, type Nanos } from '../time.ts'
import { OPTION_NOP } from './options.ts'

/** What a TCP may choose about Fast Open, RFC 7413. It is off unless somebody asks for it. */
export interface FastOpenChoices {
  /** Sockets may ask for cookies and put text on a SYN; listeners may take it. */
  readonly client: boolean
  readonly server: boolean
  /** §7.3: text without a cookie, where a SYN cannot come from a forged address. */
  readonly clientNeedsCookie: boolean
  readonly serverNeedsCookie: boolean
  /** TCP_FASTOPEN: so many requests of a listener may wait for the end of their handshake (§5.1). */
  readonly pending: number
  /** Listeners take text without having been asked to; as many requests as their backlog wait. */
  readonly everyListener: boolean
  /** TCP_FASTOPEN_CONNECT: `connect` waits for the first bytes, where they could go with the SYN. */
  readonly connects: boolean
  /** TCP_FASTOPEN, set on a socket that connects, is for its SYN. */
  readonly setToConnect: boolean
  /** Sending to somebody connects a socket in any case, and takes all bytes that the buffer holds. */
  readonly sendConnects: boolean
  /** What cookies are made with, 16 bytes; `null`: the host has one of its own. */
  readonly key: Bytes | null
  /** A cookie is for a pair of addresses, not for the peer's alone. */
  readonly hashesBoth: boolean
  /** The option of before RFC 7413 (RFC 6994) is answered, and tried where the other had no answer. */
  readonly experimental: boolean
  /** What fills the last word of the options: NOP or END. */
  readonly padding: number
  /** §4.1.3.1: so long a server that said no, or nothing, is not asked again; 0: it is. */
  readonly refusedFor: Nanos
  /** After timeouts in a row nobody is asked for so long, longer each time; 0: never that. */
  readonly pausedFor: Nanos
  /** §5.1: a request that was reset counts as pending for so long. */
  readonly resetCounts: Nanos
}

/** As RFC 7413 has it; both sides off. */
export const FAST_OPEN: FastOpenChoices = {
  client: false,
  server: false,
  clientNeedsCookie: true,
  serverNeedsCookie: true,
  pending: 0,
  everyListener: false,
  connects: false,
  setToConnect: false,
  sendConnects: false,
  key: null,
  hashesBoth: true,
  experimental: false,
  padding: OPTION_NOP,
  refusedFor: s(600),
  pausedFor: 0,
  resetCounts: s(60),
}

/** Which sides of it a host has, in a word. */
export const FAST_OPEN_SIDES = ['off', 'client', 'server', 'both'] as const

export type FastOpenSides = (typeof FAST_OPEN_SIDES)[number]
