import type { Endpoint, IpAddress } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { SocketId } from '../host/socket.ts'
import { Sha256 } from '../sha256.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { Dialect } from './dialect.ts'
import type { Carrier } from './file-sender-state.ts'
import { createLoss, type Loss } from './loss.ts'
import type { Acknowledgement } from './policy.ts'
import { type ArqReceiver, createArqReceiver } from './receiver.ts'
import type { Seal } from './seal.ts'
import type { Offer, Verdict } from './session-format.ts'

export interface FileReceiverConfig {
  readonly carrier: Carrier
  /** Of UDP. */
  readonly port: number
  /** Of UDP: listened to as well; `null`: there is none. */
  readonly group: IpAddress | null
  /** Packets of the course projects are read in this dialect. */
  readonly dialect: Dialect
  /** What is said about them. In a session it is always `selective`. */
  readonly acknowledgement: Acknowledgement
  /** Units out of order that are kept, outside of a session. */
  readonly window: number
  /** Sessions are taken as well. */
  readonly sessions: boolean
  readonly key: Bytes | null
  /** Makes nonces; with `key` it has to be one that nobody can guess. */
  readonly random: Bytes
  readonly epoch: number
  readonly loss: Loss
  /** The user is asked about an offer, and says how much of the file there is already. */
  readonly asks: boolean
  /** After so long without a packet a file has come to its end, or its sender is gone. */
  readonly idle: Nanos
  /** How long copies are answered behind the end. */
  readonly linger: Nanos
}

/** One file that comes in. */
export interface Incoming {
  readonly remote: Endpoint
  /** `null`: packets of a course project. */
  readonly session: { readonly id: number; readonly offer: Offer } | null
  /** Bytes of each unit but the last; 0: not known before the first has come. */
  unitBytes: number
  /** The number of the packet that ended the file; -1: none did. */
  endSequence: number
  /** Units that the user had. */
  have: number
  /** What the key makes of this session. */
  helloSeal: Seal | null
  seal: Seal | null
  nonce: Bytes
  /** The user has yet to answer the offer. */
  asked: boolean
  receiver: ArqReceiver
  /** Over all that came, the user's part included. An immutable value. */
  hash: Sha256
  bytes: number
  /** In order, and not handed over yet. */
  pending: Bytes[]
  pendingBytes: number
  verdict: Verdict | null
}

/** Plain data. */
export interface FileReceiver {
  readonly config: FileReceiverConfig
  socket: SocketId
  incoming: Incoming | null
  loss: Loss
  /** How many nonces were made. */
  nonces: number
  /** How often somebody was told that his session is not known. */
  forgotten: number
  heardAt: Nanos
  timers: { idle: Nanos; linger: Nanos }
  over: boolean
}

export const createFileReceiver = (config: FileReceiverConfig): FileReceiver => ({
  config,
  socket: -1,
  incoming: null,
  loss: createLoss(config.loss.probability, config.loss.random, config.loss.listed),
  nonces: 0,
  forgotten: 0,
  heardAt: 0,
  timers: { idle: NEVER, linger: NEVER },
  over: false,
})

export const createIncoming = (
  remote: Endpoint,
  session: Incoming['session'],
  acknowledgement: Acknowledgement,
  window: number,
): Incoming => ({
  remote,
  session,
  unitBytes: session?.offer.unitBytes ?? 0,
  endSequence: -1,
  have: 0,
  helloSeal: null,
  seal: null,
  nonce: new Uint8Array(0),
  asked: false,
  receiver: createArqReceiver(acknowledgement, window),
  hash: new Sha256(),
  bytes: 0,
  pending: [],
  pendingBytes: 0,
  verdict: null,
})
