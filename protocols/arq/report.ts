import type { Endpoint } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { Nanos } from '../time.ts'
import type { PeerLoss } from './file-sender-state.ts'
import type { AbortReason } from './session-format.ts'

/** What a sender tells its user. */
export type SendReport =
  /** A line of output as the course project asks for it. */
  | { readonly kind: 'line'; readonly text: string }
  /** All receivers have so many bytes. */
  | { readonly kind: 'progress'; readonly bytes: number; readonly total: number }
  | { readonly kind: 'peer-lost'; readonly peer: number; readonly why: PeerLoss }
  /** The path takes no packets of this size: it goes on with smaller ones. */
  | { readonly kind: 'smaller'; readonly unitBytes: number }
  /** It is over. Who is left out of `losses` (`null`) has everything. */
  | ({ readonly kind: 'finished' | 'failed' } & SendSummary)

export interface SendSummary {
  readonly bytes: number
  readonly span: Nanos
  readonly units: number
  readonly timeouts: number
  /** Data packets that went to the group, once for all. */
  readonly grouped: number
  readonly peers: readonly {
    readonly sent: number
    readonly resent: number
    readonly why: PeerLoss | null
  }[]
}

/** What a receiver tells its user. */
export type ReceiveReport =
  | { readonly kind: 'line'; readonly text: string }
  /** The port cannot be had. */
  | { readonly kind: 'refused'; readonly error: Errno }
  /** Asked of a user who wants to be asked: the answer is the command `accept` or `abort`. */
  | { readonly kind: 'offered'; readonly file: OfferedFile; readonly from: Endpoint }
  /** What follows is the beginning of a file, or goes on behind `have` bytes. */
  | {
      readonly kind: 'begun'
      /** `null`: the dialect says nothing about its file. */
      readonly file: OfferedFile | null
      readonly have: number
      readonly from: Endpoint
    }
  /** The next bytes, in order. */
  | { readonly kind: 'data'; readonly chunks: readonly Bytes[]; readonly bytes: number }
  /** All has come and is right; `by`: how that is known. */
  | { readonly kind: 'finished'; readonly bytes: number; readonly by: 'hash' | 'end' | 'silence' }
  | { readonly kind: 'failed'; readonly why: ReceiveFailure }
  /** Nobody is answered any more. */
  | { readonly kind: 'closed' }

export interface OfferedFile {
  readonly name: string
  readonly size: number
  /** SHA-256 of what is carried, in hexadecimal. */
  readonly hash: string
  readonly compressed: boolean
}

export type ReceiveFailure =
  | 'wrong hash'
  /** Nothing came for too long. */
  | 'no sender'
  /** The sender began again from the start. */
  | 'started anew'
  | AbortReason

export const lossLine = (sequence: number): string => `Packet loss, sequence number = ${sequence}`
export const timeoutLine = (sequence: number): string => `Timeout, sequence number = ${sequence}`
