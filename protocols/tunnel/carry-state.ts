import { ip, type IpAddress, type Ipv4Address } from '../address.ts'
import type { ArqPolicy } from '../arq/policy.ts'
import { type Seal, SEAL_BYTES } from '../arq/seal.ts'
import { type Bytes, i32, NO_BYTES, putI32 } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketId } from '../host/socket.ts'
import { IPV4_HEADER } from '../ipv4/packet.ts'
import { Sha256 } from '../sha256.ts'
import { ms, NEVER, type Nanos, s as seconds } from '../time.ts'
import { CARRY_HEADER, DATA_HEADER, type Incarnation, NONCE } from './carry-format.ts'
import { createInbound, type Inbound } from './inbound.ts'
import {
  type CarryOrder,
  createOutbound,
  type Outbound,
  type OutboundCounters,
} from './outbound.ts'

export interface CarryConfig {
  readonly peer: IpAddress
  /** `null`: the system chooses. */
  readonly local: IpAddress | null
  /** What comes out of the device: IP packets, or Ethernet frames. */
  readonly layer: 'ip' | 'ethernet'
  readonly policy: ArqPolicy
  readonly order: CarryOrder
  /** The largest IP packet outside; what the path takes of it is found out. */
  readonly outerMtu: number
  /** Packets that wait for the window; more are lost. */
  readonly queue: number
  /** So long a packet waits and is tried. */
  readonly persist: Nanos
  /** After so long without a word the other end is asked whether it is there. */
  readonly keepalive: Nanos
  /** After so long without a word it is taken for dead. */
  readonly dead: Nanos
  readonly key: Bytes | null
  /** Different for each run; with a key, bytes that nobody can guess. */
  readonly random: Bytes
  /** Higher than in any run before. */
  readonly epoch: number
  readonly compress: boolean
  /** Whom errors to those inside are from. */
  readonly inside: Ipv4Address
}

/**
 * A window as large as a fast path takes, and nothing that grows or falls: what is carried has a
 * congestion control of its own, which hears of a queue that is full. No unit counts against the
 * other end, which is given up by what is heard of it.
 */
export const CARRY_POLICY: ArqPolicy = {
  window: 256,
  acknowledgement: 'selective',
  timer: 'packet',
  timeout: { initial: ms(500), fixed: false, min: ms(50), max: seconds(1), backOff: true },
  pace: 0,
  retries: Infinity,
  exhausted: 'fail',
  fastResend: 3,
  congestion: false,
}

export const CARRY_DEFAULTS: Omit<CarryConfig, 'peer'> = {
  local: null,
  layer: 'ip',
  policy: CARRY_POLICY,
  order: 'flow',
  outerMtu: 1500,
  queue: 512,
  persist: seconds(2),
  keepalive: seconds(10),
  dead: seconds(30),
  key: null,
  random: NO_BYTES,
  epoch: 0,
  compress: false,
  inside: ip('192.0.0.8') as Ipv4Address,
}

/** Where a tunnel is in its life. */
export type CarryPhase =
  | 'opening'
  /** Says hello, and nobody has answered. */
  | 'greeting'
  /** Somebody has: which sizes come through? */
  | 'probing'
  | 'up'
  | 'over'

export interface CarryCounters extends OutboundCounters {
  /** Packets from inside, and their bytes. */
  taken: number
  takenBytes: number
  /** Packets handed over inside, and their bytes. */
  handedOver: number
  handedOverBytes: number
  /** Units that had come before. */
  copies: number
  /** From inside, larger than the tunnel carries: cut, answered, or dropped. */
  tooBig: number
  /** From outside: damaged, of another session, or not made with the key. */
  refused: number
}

export interface CarryState {
  readonly config: CarryConfig
  phase: CarryPhase
  outside: SocketId
  inside: SocketId
  /** How often it has begun. */
  begun: number
  self: Incarnation
  /** `null`: nobody has been heard of. */
  peer: Incarnation | null
  /** Of the session with this peer, where there is a key. */
  seal: Seal | null
  /** Of our hellos and welcomes. */
  helloSeal: Seal | null
  /** Of the round of hellos that is going on; from 0. */
  attempt: number
  /** Bytes behind the IP header that were seen to come through. */
  largest: number
  /** What inside has been told; 0: nothing. */
  mtu: number
  /** The user knows that it is up. */
  announced: boolean
  outbound: Outbound
  inbound: Inbound
  heardAt: Nanos
  /** Probes in a row that nobody has answered. */
  probes: number
  /** The path was measured again. */
  measuredAt: Nanos
  timers: { hello: Nanos; probe: Nanos; dead: Nanos }
  counters: CarryCounters
}

export function createCarry(config: CarryConfig): CarryState {
  const { policy, order, queue, persist } = config
  return {
    config,
    phase: 'opening',
    outside: -1,
    inside: -1,
    begun: 0,
    self: incarnationOf(config, 0),
    peer: null,
    seal: null,
    helloSeal: null,
    attempt: 0,
    largest: 0,
    mtu: 0,
    announced: false,
    outbound: createOutbound(policy, order, queue, persist),
    inbound: createInbound(policy.window),
    heardAt: 0,
    probes: 0,
    measuredAt: 0,
    timers: { hello: NEVER, probe: NEVER, dead: NEVER },
    counters: {
      sent: 0,
      resent: 0,
      queueDrops: 0,
      givenUp: 0,
      taken: 0,
      takenBytes: 0,
      handedOver: 0,
      handedOverBytes: 0,
      copies: 0,
      tooBig: 0,
      refused: 0,
    },
  }
}

/** A number, a nonce and an epoch that no other beginning has. */
export function incarnationOf({ random, epoch }: CarryConfig, begun: number): Incarnation {
  const count = new Uint8Array(4)
  putI32(count, 0, begun)
  const hash = new Sha256().update(random).update(count).digest()
  const id = i32(hash, 0) >>> 0
  return { id: id === 0 ? 1 : id, epoch: epoch + begun, nonce: hash.subarray(4, 4 + NONCE) }
}

/** The largest datagram outside, behind its IP header. */
export const largestOf = ({ outerMtu }: CarryConfig): number => outerMtu - IPV4_HEADER

const ETHERNET = 14

/** The MTU inside, where datagrams of so many bytes come through outside. */
export const innerMtu = ({ key, layer }: CarryConfig, largest: number): number =>
  largest -
  CARRY_HEADER -
  DATA_HEADER -
  (key === null ? 0 : SEAL_BYTES) -
  (layer === 'ethernet' ? ETHERNET : 0)

/** What comes out of the device may be so long: a frame counts with its header. */
export const innerBytes = (config: CarryConfig, largest: number): number =>
  innerMtu(config, largest) + (config.layer === 'ethernet' ? ETHERNET : 0)

export type CarryReport =
  | { readonly kind: 'refused'; readonly side: 'outside' | 'inside'; readonly error: Errno }
  /** Packets go through; those inside may be so long. */
  | { readonly kind: 'up'; readonly mtu: number }
  /** The path takes larger ones now, or only smaller ones. */
  | { readonly kind: 'mtu'; readonly mtu: number }
  | { readonly kind: 'down'; readonly why: CarryLoss }
  /** It was told to stop. */
  | { readonly kind: 'closed'; readonly counters: CarryCounters }

export type CarryLoss =
  /** Nothing has been heard for too long. */
  | 'silence'
  /** The other end was told to stop. */
  | 'left'
  /** The other end has begun anew. */
  | 'restarted'
