import type { Endpoint } from '../address.ts'
import { type Bytes, NO_BYTES } from '../bytes.ts'
import type { SocketId } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { Dialect } from './dialect.ts'
import type { ArqPolicy } from './policy.ts'
import type { Seal } from './seal.ts'
import { type ArqSender, arqSenderNextDue, createArqSender } from './sender-state.ts'
import type { AbortReason } from './session-format.ts'

/** What packets travel in: UDP datagrams, or IP packets of a protocol number of their own. */
export type Carrier =
  | { readonly protocol: 'udp' }
  | { readonly protocol: 'raw'; readonly number: number }

export interface FileSenderConfig {
  readonly carrier: Carrier
  /** Who is to get the file. With raw IP the ports are 0. */
  readonly peers: readonly Endpoint[]
  /**
   * Of UDP: what goes for the first time goes to this group, once; what somebody misses goes to him
   * alone. `null`: to each of them. Sealed packets are each receiver's own, and never go to a group.
   */
  readonly group: Endpoint | null
  readonly policy: ArqPolicy
  /** Bytes of each unit but the last (the MSS). */
  readonly unitBytes: number
  /** What is carried: the file, or its compressed form. */
  readonly content: Bytes
  readonly wire:
    | { readonly kind: 'plain'; readonly dialect: Dialect }
    | ({ readonly kind: 'session' } & SenderSession)
}

export interface SenderSession {
  /** 32 bits that no other session of these two has. */
  readonly session: number
  readonly name: string
  /** Of the file itself. */
  readonly size: number
  readonly hash: Bytes
  readonly compressed: boolean
  /** Shared with the receivers; `null`: packets are not authenticated. */
  readonly key: Bytes | null
  /** Grows with every start of the program: counters of earlier ones are not used again. */
  readonly epoch: number
}

export interface SenderPeer {
  socket: SocketId
  stage: 'greeting' | 'sending' | 'finishing' | 'done' | 'lost'
  /** Of the hello or fin that is unanswered. */
  attempts: number
  dueAt: Nanos
  /** Of hello and welcome, and of all that follows; `null`: packets are not authenticated. */
  helloSeal: Seal | null
  seal: Seal | null
  /** What it has acknowledged, or said that it had. */
  has: number
  /** Units that went to it, and how many of those more than once. */
  sent: number
  resent: number
  why: PeerLoss | null
}

/** Why a receiver did not get the file. */
export type PeerLoss =
  | 'no answer'
  /** ICMP says that nobody listens there, or that there is no way. */
  | 'unreachable'
  | 'wrong hash'
  | 'too big'
  | AbortReason

/** Plain data. */
export interface FileSender {
  readonly config: FileSenderConfig
  unitBytes: number
  session: number
  phase: 'opening' | 'running' | 'over'
  peers: SenderPeer[]
  arq: ArqSender
  /** Nothing is asked before all have answered the hello. */
  begun: boolean
  startedAt: Nanos
  timeouts: number
  /** Packets that went to the group. */
  grouped: number
  /** Hundredths that were reported. */
  progress: number
}

export const createFileSender = (config: FileSenderConfig): FileSender => ({
  config,
  unitBytes: config.unitBytes,
  session: config.wire.kind === 'session' ? config.wire.session >>> 0 : 0,
  phase: 'opening',
  peers: config.peers.map(() => ({
    socket: -1,
    stage: 'greeting',
    attempts: 0,
    dueAt: NEVER,
    helloSeal: null,
    seal: null,
    has: 0,
    sent: 0,
    resent: 0,
    why: null,
  })),
  arq: createArqSender(config.policy, config.peers.length),
  begun: false,
  startedAt: 0,
  timeouts: 0,
  grouped: 0,
  progress: 0,
})

/** All deadlines of the state. */
export function fileSenderNextDue(s: FileSender): Nanos {
  if (s.phase !== 'running') return NEVER
  let due = arqSenderNextDue(s.arq)
  for (const { dueAt } of s.peers) due = Math.min(due, dueAt)
  return due
}

/** Units that carry something of the file. */
export const dataUnits = (s: FileSender): number => Math.ceil(s.config.content.length / s.unitBytes)

/** With the one that only says that this was all, where the dialect has one. */
export function totalUnits(s: FileSender): number {
  const units = dataUnits(s)
  const { wire, content } = s.config
  if (wire.kind === 'session') return units
  const { end } = wire.dialect
  if (end.kind === 'type') return units + 1
  // A file of one unit does not say how long a full one would be.
  const isFull = content.length % s.unitBytes === 0
  return end.kind === 'short' && (isFull || units === 1) ? units + 1 : units
}

export function unitContent(s: FileSender, unit: number): Bytes {
  const from = unit * s.unitBytes
  const { content } = s.config
  if (from >= content.length) return NO_BYTES
  return content.subarray(from, Math.min(from + s.unitBytes, content.length))
}
