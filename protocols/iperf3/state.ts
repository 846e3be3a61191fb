import type { Endpoint } from '../address.ts'
import type { ApplicationOut } from '../application.ts'
import { type Bytes, NO_BYTES } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketId } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { Parameters } from './messages.ts'

/** A stream of a test. What is counted begins anew when the time to omit is over. */
export interface Stream {
  /** As both sides count them: 1, 3, 4, 5, … */
  readonly id: number
  /** The connection; over UDP the server's one socket. */
  readonly socket: SocketId
  readonly remote: Endpoint
  /** The server does. */
  readonly sends: boolean
  bytes: number
  /** Since the beginning, for the pace. */
  sent: number
  /** A `send` has not been answered yet, or the socket has no room. */
  waiting: boolean
  /** Segments sent again; -1: not known. Those before counting began. */
  retransmits: number
  retransmitsBefore: number
  /** UDP: the last number sent, or the highest that has come; before counting began. */
  packets: number
  packetsBefore: number
  /** UDP: numbers that have not come. */
  lost: number
  /** UDP: RFC 3550 §6.4.1, seconds; `transit`: of the last datagram, by two clocks. */
  jitter: number
  transit: number
}

/** A client has the server for itself until its test is over. */
export interface Test {
  readonly cookie: Bytes
  readonly control: SocketId
  readonly remote: Endpoint
  /** What the client is waited for: its parameters, its streams, the end, its results, its leave. */
  phase: 'parameters' | 'streams' | 'running' | 'results' | 'leave'
  parameters: Parameters | null
  streams: Stream[]
  /** Of the control connection: what has come, and what the socket has not taken yet. */
  inbox: Bytes
  outbox: Bytes
  /** Bytes of a `send` that has not been answered, or was not taken whole; 0: none. */
  asked: number
  startAt: Nanos
  /** Counting begins. */
  countAt: Nanos
  endAt: Nanos
  /** What the streams' congestion control is called, if the host says so. */
  congestion: string | null
  /** The client has said nothing for so long. */
  giveUpAt: Nanos
}

/** A connection that has not said whose it is. */
export interface Newcomer {
  readonly socket: SocketId
  readonly remote: Endpoint
  inbox: Bytes
  readonly giveUpAt: Nanos
}

/** Plain data. */
export interface Iperf3State {
  readonly port: number
  udp: SocketId
  listener: SocketId
  newcomers: Newcomer[]
  test: Test | null
}

export type Iperf3Report =
  /** A test is over. Bytes of all streams, while they were counted. */
  | {
      readonly kind: 'tested'
      readonly remote: Endpoint
      readonly protocol: 'tcp' | 'udp'
      readonly span: Nanos
      readonly received: number
      readonly sent: number
    }
  /** The client broke off, or fell silent. */
  | { readonly kind: 'broken'; readonly remote: Endpoint }
  /** The port could not be had. */
  | { readonly kind: 'refused'; readonly error: Errno }

export type Iperf3Out = ApplicationOut<Iperf3Report>

/** iperf3's own port. */
export const IPERF3_PORT = 5201

export const createIperf3Server = (port = IPERF3_PORT): Iperf3State => ({
  port,
  udp: -1,
  listener: -1,
  newcomers: [],
  test: null,
})

export const newTest = ({ socket, remote }: Newcomer, cookie: Bytes, giveUpAt: Nanos): Test => ({
  cookie,
  control: socket,
  remote,
  phase: 'parameters',
  parameters: null,
  streams: [],
  inbox: NO_BYTES,
  outbox: NO_BYTES,
  asked: 0,
  startAt: NEVER,
  countAt: NEVER,
  endAt: NEVER,
  congestion: null,
  giveUpAt,
})

export const newStream = (
  id: number,
  socket: SocketId,
  remote: Endpoint,
  sends: boolean,
): Stream => ({
  id,
  socket,
  remote,
  sends,
  bytes: 0,
  sent: 0,
  waiting: false,
  retransmits: -1,
  retransmitsBefore: 0,
  packets: 0,
  packetsBefore: 0,
  lost: 0,
  jitter: 0,
  transit: NEVER,
})
