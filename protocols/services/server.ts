import type { Application, ApplicationOut } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent, SocketId, SocketProtocol } from '../host/socket.ts'
import type { Nanos } from '../time.ts'

/*
 * What the small services of RFC 862 to 867 have in common: a UDP socket and a TCP listener on one
 * port.
 */

/** The port could not be had. */
export interface ServiceRefused {
  readonly kind: 'refused'
  readonly error: Errno
}

type ServiceOut = ApplicationOut<ServiceRefused>

/** One TCP connection of a service. */
export interface ServiceConnection {
  readonly socket: SocketId
  /** What is to be sent, not yet taken by the socket. */
  pending: Bytes[]
  /** A `send` has not been answered yet, or the socket has no room. */
  waiting: boolean
  /** Bytes, or the end, can be received. */
  readable: boolean
  /** The peer sends no more, or the service has said all. */
  ending: boolean
  closed: boolean
}

/** Plain data. */
export interface ServiceState {
  readonly port: number
  /** What UDP chargen takes its lengths from (a linear congruential generator). */
  random: number
  udp: SocketId
  listener: SocketId
  connections: ServiceConnection[]
}

/** What makes one service differ from the others. */
export interface Service {
  readonly name: 'echo' | 'discard' | 'daytime' | 'chargen'
  /** As the RFC assigns it. */
  readonly port: number
  /** The datagram that answers a datagram; `null` for none. */
  answer(state: ServiceState, now: Nanos, payload: Bytes): Bytes | null
  /** What a new connection is sent at once. */
  greeting(now: Nanos): Bytes | null
  /** The service ends the connection behind its greeting. */
  readonly endsAfterGreeting: boolean
  /** Received bytes are sent back. */
  readonly sendsBack: boolean
  /** What is sent whenever there is room; `null` for nothing. */
  more(): Bytes | null
}

/** `seed`: any 32 bits. */
export const createService = (port: number, seed: number): ServiceState => ({
  port,
  random: seed | 0,
  udp: -1,
  listener: -1,
  connections: [],
})

/** The application engine of a service. */
export const serviceEngine = (
  service: Service,
): Application<ServiceState, never, ServiceRefused> => ({
  name: service.name,
  step(state, now, input, out) {
    if (input.kind === 'start') {
      // Their `opened` events bind them.
      out.call({ kind: 'open', protocol: 'udp' })
      out.call({ kind: 'open', protocol: 'tcp' })
    } else if (input.kind === 'socket') {
      socketEvent(service, state, now, input.event, out)
    }
  },
})

const BACKLOG = 128

function socketEvent(
  service: Service,
  state: ServiceState,
  now: Nanos,
  event: SocketEvent,
  out: ServiceOut,
): void {
  switch (event.kind) {
    case 'opened':
      return opened(state, event.socket, event.protocol, out)
    case 'rejected': {
      const isSetUp = event.call === 'bind' || event.call === 'listen'
      if (isSetUp) return out.report({ kind: 'refused', error: event.error })
      break
    }
    case 'datagram': {
      if (isService(event.remote.port)) return
      const bytes = service.answer(state, now, event.payload)
      if (bytes === null) return
      return out.call({ kind: 'send-to', socket: event.socket, bytes, remote: event.remote })
    }
    case 'accepted': {
      const greeting = service.greeting(now)
      const connection: ServiceConnection = {
        socket: event.socket,
        pending: greeting === null ? [] : [greeting],
        waiting: false,
        readable: false,
        ending: service.endsAfterGreeting,
        closed: false,
      }
      state.connections.push(connection)
      return goOn(service, connection, out)
    }
    case 'closed':
      state.connections = state.connections.filter(({ socket }) => socket !== event.socket)
      return
    default:
  }
  const connection = state.connections.find(({ socket }) => socket === event.socket)
  if (connection !== undefined) heard(service, connection, event, out)
}

function opened(
  state: ServiceState,
  socket: SocketId,
  protocol: SocketProtocol,
  out: ServiceOut,
): void {
  out.call({ kind: 'bind', socket, address: null, port: state.port })
  if (protocol === 'udp') {
    state.udp = socket
    return
  }
  state.listener = socket
  out.call({ kind: 'listen', socket, backlog: BACKLOG })
}

function heard(
  service: Service,
  connection: ServiceConnection,
  event: SocketEvent,
  out: ServiceOut,
): void {
  switch (event.kind) {
    case 'readable':
      connection.readable = true
      break
    case 'received':
      if (service.sendsBack) connection.pending.push(...event.chunks)
      if (event.ended) connection.ending = true
      break
    case 'queued': {
      const first = connection.pending[0]!
      if (event.bytes < first.length) {
        // `writable` follows.
        connection.pending[0] = first.subarray(event.bytes)
        return
      }
      connection.pending.shift()
      connection.waiting = false
      break
    }
    case 'writable':
      connection.waiting = false
      break
    case 'rejected':
    case 'failed':
      connection.closed = true
      return
    default:
      return
  }
  goOn(service, connection, out)
}

/** Sends before it receives: a peer that reads nothing is not read from for ever, either. */
function goOn(service: Service, connection: ServiceConnection, out: ServiceOut): void {
  const { socket, pending } = connection
  if (connection.closed) return
  // What is not sent back is read at once, whatever the sending does.
  if (connection.readable && (pending.length === 0 || !service.sendsBack)) {
    connection.readable = false
    out.call({ kind: 'receive', socket, max: Infinity })
    if (service.sendsBack) return
  }
  if (connection.waiting) return
  if (pending.length === 0 && !connection.ending) {
    const more = service.more()
    if (more !== null) pending.push(more)
  }
  const first = pending[0]
  if (first !== undefined) {
    connection.waiting = true
    out.call({ kind: 'send', socket, bytes: first })
  } else if (connection.ending) {
    connection.closed = true
    out.call({ kind: 'close', socket })
  }
}

/**
 * Two services that answer each other would never stop, so nobody answers a datagram that claims to
 * come from one (RFC 862 to 867 are older than that thought).
 */
const isService = (port: number): boolean => SERVICE_PORTS.includes(port)
const SERVICE_PORTS = [7, 9, 13, 19]
