import type { Endpoint, IpAddress } from '../address.ts'
import { type Bytes, NO_BYTES } from '../bytes.ts'
import { Sha256 } from '../sha256.ts'
import { s as seconds, type Nanos } from '../time.ts'
import type { Dialect } from './dialect.ts'
import { createFileReceiver, type FileReceiver } from './file-receiver-state.ts'
import { type Carrier, createFileSender, type FileSender } from './file-sender-state.ts'
import { type Loss, NO_LOSS } from './loss.ts'
import type { ArqPolicy } from './policy.ts'

/** A way to carry files: whose bytes, and whose timing. */
export interface TransferProfile {
  readonly name: string
  /** With hello, hash and fin; `false`: packets of the dialect and nothing else. */
  readonly sessions: boolean
  readonly dialect: Dialect
  readonly policy: ArqPolicy
}

export interface SendOptions {
  readonly carrier?: Carrier
  readonly peers: readonly Endpoint[]
  /** Where data packets go for the first time, in the place of each receiver. Not with a key. */
  readonly group?: Endpoint | null
  readonly unitBytes: number
  /** The file, or its compressed form with the size of the file. */
  readonly content: Bytes
  readonly compressedFrom?: number
  readonly name?: string
  /** Any 32 bits, different for each run. */
  readonly session?: number
  readonly key?: Bytes | null
  readonly epoch?: number
}

/** The state of a sender of this profile. */
export function sendAs(profile: TransferProfile, options: SendOptions): FileSender {
  const { carrier = { protocol: 'udp' }, peers, unitBytes, content, compressedFrom } = options
  const { name = '', session = 1, key = null, epoch = 0, group = null } = options
  const { policy, dialect } = profile
  const common = { carrier, peers, group, policy, unitBytes, content }
  if (!profile.sessions) return createFileSender({ ...common, wire: { kind: 'plain', dialect } })
  const size = compressedFrom ?? content.length
  const compressed = compressedFrom !== undefined
  const hash = new Sha256().update(content).digest()
  return createFileSender({
    ...common,
    wire: { kind: 'session', session, name, size, hash, compressed, key, epoch },
  })
}

export interface ReceiveOptions {
  readonly carrier?: Carrier
  readonly port: number
  /** Joined, so that its packets are heard. */
  readonly group?: IpAddress | null
  readonly loss?: Loss
  readonly key?: Bytes | null
  /** Any bytes, different for each run; with a key, bytes that nobody can guess. */
  readonly random?: Bytes
  readonly epoch?: number
  readonly asks?: boolean
  readonly idle?: Nanos
  readonly linger?: Nanos
}

const IDLE = seconds(30)
const LINGER = seconds(3)

/**
 * The state of a receiver of this profile. One that takes sessions takes packets of the dialect as
 * well, unless there is a key.
 */
export function receiveAs(profile: TransferProfile, options: ReceiveOptions): FileReceiver {
  const { carrier = { protocol: 'udp' }, port, loss = NO_LOSS, key = null } = options
  const { random = NO_BYTES, epoch = 0, asks = false, idle = IDLE, linger = LINGER } = options
  const { group = null } = options
  const { policy, dialect, sessions } = profile
  // A session brings its own; what comes without one is acknowledged as the course asks for it.
  const acknowledgement =
    policy.acknowledgement === 'selective' ? 'last-in-order' : policy.acknowledgement
  const { window } = policy
  return createFileReceiver({
    carrier,
    port,
    group,
    dialect,
    acknowledgement,
    window,
    sessions,
    key,
    random,
    epoch,
    loss,
    asks,
    idle,
    linger,
  })
}
