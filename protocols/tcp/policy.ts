import { ms, type Nanos, s } from '../time.ts'
import type { CongestionName } from './congestion/congestion.ts'

/** What a TCP may choose. Data only: the engine reads it and never asks which system it imitates. */
export interface TcpChoices {
  /** RFC 6298 (2.1): before the first sample; the SYN's first timeout. */
  readonly rtoInitial: Nanos
  /** RFC 6298 (2.4). */
  readonly rtoMin: Nanos
  /** RFC 6298 (2.5). */
  readonly rtoMax: Nanos
  /** RFC 6298 (2.3): clock granularity G. */
  readonly rtoGranularity: Nanos
  /** How often a SYN, and anything later, is sent again before giving up (RFC 1122 §4.2.3.5, R2). */
  readonly synRetries: number
  readonly dataRetries: number
  /** From this many retransmissions on, the neighbour is under suspicion (RFC 1122 R1). */
  readonly suspectAfter: number
  /** RFC 9293 §3.8.6.3: how long an ACK may wait, and after how many full segments it may not. */
  readonly delayedAck: Nanos
  readonly ackEvery: number
  /** RFC 9293 §3.4.2; the 2 MSL of TIME-WAIT is twice this. */
  readonly msl: Nanos
  /** How long an orphan stays in FIN-WAIT-2. */
  readonly finWait2: Nanos
  /** Initial window in segments, RFC 6928. */
  readonly initialWindow: number
  /** What moves the congestion window. */
  readonly congestion: CongestionName
  /** RFC 5681 §3.2. */
  readonly dupAckThreshold: number
  /** Bytes. The receive buffer decides the window scale that is offered. */
  readonly sendBuffer: number
  readonly receiveBuffer: number
  /** The largest MSS offered; the path's own limit counts too. */
  readonly mss: number
  /** RFC 2923 §2.1: after so many timeouts of a full segment its size falls to `blackHoleMss`, a
   * size without options; 0: never. */
  readonly blackHoleAfter: number
  readonly blackHoleMss: number
  readonly windowScale: boolean
  readonly sackPermitted: boolean
  readonly timestamps: boolean
  /** RFC 9293 §3.7.4. */
  readonly nagle: boolean
}

/** Immutable; a class, so that Immer passes it through as one value. */
export class TcpPolicy implements TcpChoices {
  readonly rtoInitial: Nanos
  readonly rtoMin: Nanos
  readonly rtoMax: Nanos
  readonly rtoGranularity: Nanos
  readonly synRetries: number
  readonly dataRetries: number
  readonly suspectAfter: number
  readonly delayedAck: Nanos
  readonly ackEvery: number
  readonly msl: Nanos
  readonly finWait2: Nanos
  readonly initialWindow: number
  readonly congestion: CongestionName
  readonly dupAckThreshold: number
  readonly sendBuffer: number
  readonly receiveBuffer: number
  readonly mss: number
  readonly blackHoleAfter: number
  readonly blackHoleMss: number
  readonly windowScale: boolean
  readonly sackPermitted: boolean
  readonly timestamps: boolean
  readonly nagle: boolean

  constructor(choices: TcpChoices) {
    this.rtoInitial = choices.rtoInitial
    this.rtoMin = choices.rtoMin
    this.rtoMax = choices.rtoMax
    this.rtoGranularity = choices.rtoGranularity
    this.synRetries = choices.synRetries
    this.dataRetries = choices.dataRetries
    this.suspectAfter = choices.suspectAfter
    this.delayedAck = choices.delayedAck
    this.ackEvery = choices.ackEvery
    this.msl = choices.msl
    this.finWait2 = choices.finWait2
    this.initialWindow = choices.initialWindow
    this.congestion = choices.congestion
    this.dupAckThreshold = choices.dupAckThreshold
    this.sendBuffer = choices.sendBuffer
    this.receiveBuffer = choices.receiveBuffer
    this.mss = choices.mss
    this.blackHoleAfter = choices.blackHoleAfter
    this.blackHoleMss = choices.blackHoleMss
    this.windowScale = choices.windowScale
    this.sackPermitted = choices.sackPermitted
    this.timestamps = choices.timestamps
    this.nagle = choices.nagle
  }

  with(changes: Partial<TcpChoices>): TcpPolicy {
    return new TcpPolicy(Object.assign({}, this as TcpChoices, changes))
  }
}

export const DEFAULT_POLICY = new TcpPolicy({
  rtoInitial: s(1),
  rtoMin: s(1),
  rtoMax: s(120),
  rtoGranularity: 0,
  synRetries: 6,
  dataRetries: 15,
  suspectAfter: 3,
  delayedAck: ms(40),
  ackEvery: 2,
  msl: s(30),
  finWait2: s(60),
  initialWindow: 10,
  congestion: 'reno',
  dupAckThreshold: 3,
  sendBuffer: 4 << 20,
  receiveBuffer: 4 << 20,
  mss: 65_495,
  blackHoleAfter: 0,
  blackHoleMss: 536,
  windowScale: true,
  sackPermitted: true,
  timestamps: true,
  nagle: true,
})
