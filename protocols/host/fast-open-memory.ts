import type { IpAddress } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'

// What a host remembers of servers, RFC 7413 §4.1.3; see `fast-open.ts`.

/** What a client remembers. */
export interface FastOpenMemory {
  /** By server, oldest first. */
  peers: Map<IpAddress, FastOpenPeer>
  /** Nobody is asked before, for timeouts came in a row; how often that has been so. */
  pausedUntil: Nanos
  pauses: number
}

/** One server. */
export interface FastOpenPeer {
  /** Empty: none. */
  readonly cookie: Bytes
  /** The MSS of its SYN,ACK; 0: it has said none. */
  readonly mss: number
  /** The cookie is of the option's old form; without a cookie: that form is asked with next. */
  readonly experimental: boolean
  /** Without a cookie, both forms have been tried. */
  readonly triedBoth: boolean
  /** Ports that are left in peace, and until when. */
  readonly refusals: readonly { readonly port: number; readonly until: Nanos }[]
}

export const createFastOpenMemory = (): FastOpenMemory => ({
  peers: new Map(),
  pausedUntil: 0,
  pauses: 0,
})
