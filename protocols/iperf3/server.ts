import type { Endpoint } from '../address.ts'
import type { Application } from '../application.ts'
import { type Bytes, concatBytes, equalBytes, NO_BYTES } from '../bytes.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import * as message from './messages.ts'
import {
  type Iperf3Out,
  type Iperf3Report,
  type Iperf3State,
  newStream,
  newTest,
  type Stream,
  type Test,
} from './state.ts'
import { beginCounting, datagramCame, nextSend, resultsOf, sendOn, streamHeard } from './streams.ts'

/*
 * A server for iperf3: one test at a time, over TCP or UDP, in either direction or both, on any
 * number of streams. Left out: SCTP, authentication, and a server's own output for the client.
 */

/** A client that does not say what it is waited for. */
const PATIENCE: Nanos = 30e9
const BACKLOG = 128
/** Answers are not held back, and a client that is gone is noticed within a minute. */
const CONTROL_OPTIONS = [
  ['TCP_NODELAY', 1],
  ['SO_KEEPALIVE', 1],
  ['TCP_KEEPIDLE', 30],
  ['TCP_KEEPINTVL', 10],
  ['TCP_KEEPCNT', 3],
] as const

export const iperf3Server: Application<Iperf3State, never, Iperf3Report> = {
  name: 'iperf3-server',
  step(state, now, input, out) {
    switch (input.kind) {
      case 'start':
        // Their `opened` events bind them.
        out.call({ kind: 'open', protocol: 'udp' })
        out.call({ kind: 'open', protocol: 'tcp' })
        break
      case 'socket':
        heard(state, now, input.event, out)
        break
      case 'timer':
        expire(state, now, out)
        break
      default:
    }
    const { test } = state
    if (test !== null) sendOn(test, now, out)
    out.wake(nextDeadline(state, now))
  },
}

function nextDeadline({ test, newcomers }: Iperf3State, now: Nanos): Nanos {
  let next = NEVER
  for (const { giveUpAt } of newcomers) next = Math.min(next, giveUpAt)
  if (test === null) return next
  if (test.phase === 'running' && test.countAt > now) next = Math.min(next, test.countAt)
  return Math.min(next, test.giveUpAt, nextSend(test))
}

function expire(state: Iperf3State, now: Nanos, out: Iperf3Out): void {
  const late = state.newcomers.filter(({ giveUpAt }) => giveUpAt <= now)
  for (const { socket } of late) leave(state, socket, out)
  const { test } = state
  if (test === null) return
  if (test.giveUpAt <= now) breakOff(state, test, out)
  else if (test.phase === 'running' && test.countAt === now) beginCounting(test, out)
}

function heard(state: Iperf3State, now: Nanos, event: SocketEvent, out: Iperf3Out): void {
  switch (event.kind) {
    case 'opened': {
      out.call({ kind: 'bind', socket: event.socket, address: null, port: state.port })
      if (event.protocol === 'udp') state.udp = event.socket
      else {
        state.listener = event.socket
        out.call({ kind: 'listen', socket: event.socket, backlog: BACKLOG })
      }
      return
    }
    case 'rejected': {
      const isSetUp = event.call === 'bind' || event.call === 'listen'
      if (isSetUp) out.report({ kind: 'refused', error: event.error })
      return
    }
    case 'accepted': {
      const { address, port } = event.remote
      const { socket } = event
      const remote = { address, port }
      state.newcomers.push({ socket, remote, inbox: NO_BYTES, giveUpAt: now + PATIENCE })
      return
    }
    case 'datagram':
      return datagram(state, now, event.payload, event.remote, out)
    default:
  }
  const { test } = state
  if (test !== null && event.socket === test.control)
    return controlHeard(state, test, now, event, out)
  const stream = test?.streams.find(({ socket }) => socket === event.socket)
  if (stream !== undefined) return streamHeard(test!, stream, event, out)
  newcomerHeard(state, now, event, out)
}

/** Somebody who has not said yet what for: it reads the cookie and no more. */
function newcomerHeard(state: Iperf3State, now: Nanos, event: SocketEvent, out: Iperf3Out): void {
  const newcomer = state.newcomers.find(({ socket }) => socket === event.socket)
  if (newcomer === undefined) return
  const { socket } = newcomer
  if (event.kind === 'readable') {
    const max = message.COOKIE_BYTES - newcomer.inbox.length
    return out.call({ kind: 'receive', socket, max })
  }
  if (event.kind === 'failed' || event.kind === 'closed') return forget(state, socket)
  if (event.kind !== 'received') return
  newcomer.inbox = concatBytes([newcomer.inbox, ...event.chunks])
  if (newcomer.inbox.length < message.COOKIE_BYTES) {
    if (event.ended) leave(state, socket, out)
    return
  }
  const { test } = state
  if (test === null) {
    forget(state, socket)
    state.test = newTest(newcomer, newcomer.inbox, now + PATIENCE)
    for (const [option, value] of CONTROL_OPTIONS) out.call({ kind: 'set', socket, option, value })
    say(state.test, Uint8Array.of(message.PARAM_EXCHANGE), out)
  } else if (test.phase === 'streams' && equalBytes(newcomer.inbox, test.cookie)) {
    forget(state, socket)
    addConnection(test, now, newcomer, out)
  } else {
    out.call({ kind: 'send', socket, bytes: Uint8Array.of(message.ACCESS_DENIED) })
    leave(state, socket, out)
  }
}

function forget(state: Iperf3State, socket: SocketId): void {
  state.newcomers = state.newcomers.filter((each) => each.socket !== socket)
}

function leave(state: Iperf3State, socket: SocketId, out: Iperf3Out): void {
  forget(state, socket)
  out.call({ kind: 'close', socket })
}

function addConnection(
  test: Test,
  now: Nanos,
  { socket, remote }: { readonly socket: SocketId; readonly remote: Endpoint },
  out: Iperf3Out,
): void {
  const { noDelay, congestion, window, protocol } = test.parameters!
  if (protocol !== 'tcp') return out.call({ kind: 'close', socket })
  if (noDelay) out.call({ kind: 'set', socket, option: 'TCP_NODELAY', value: 1 })
  // What the host does not have is seen by the client in the results.
  if (congestion !== null) {
    out.call({ kind: 'set', socket, option: 'TCP_CONGESTION', value: congestion })
  }
  if (window > 0) {
    out.call({ kind: 'set', socket, option: 'SO_SNDBUF', value: window })
    out.call({ kind: 'set', socket, option: 'SO_RCVBUF', value: window })
  }
  addStream(test, now, socket, remote, out)
}

/** The client's own streams come first. */
function addStream(
  test: Test,
  now: Nanos,
  socket: SocketId,
  remote: Endpoint,
  out: Iperf3Out,
): void {
  const { parallel, clientSends, serverSends, omit } = test.parameters!
  const count = test.streams.length
  const sends = !clientSends || count >= parallel
  test.streams.push(newStream(count === 0 ? 1 : count + 2, socket, remote, sends))
  if (count + 1 < parallel * (clientSends && serverSends ? 2 : 1)) return
  test.phase = 'running'
  test.startAt = now
  test.countAt = now + omit
  test.giveUpAt = NEVER
  say(test, Uint8Array.of(message.TEST_START, message.TEST_RUNNING), out)
}

function datagram(
  state: Iperf3State,
  now: Nanos,
  payload: Bytes,
  from: Endpoint,
  out: Iperf3Out,
): void {
  const { test, udp } = state
  if (test?.parameters?.protocol !== 'udp') return
  const known = test.streams.find(
    ({ remote }) => remote.port === from.port && remote.address === from.address,
  )
  if (equalBytes(payload, message.UDP_HELLO)) {
    const remote = { address: from.address, port: from.port }
    if (known === undefined && test.phase !== 'streams') return
    // Also again, where the first answer was lost.
    out.call({ kind: 'send-to', socket: udp, bytes: message.UDP_WELCOME, remote })
    if (known === undefined) addStream(test, now, udp, remote, out)
  } else if (known !== undefined && !known.sends) datagramCame(test, known, payload, now)
}

function controlHeard(
  state: Iperf3State,
  test: Test,
  now: Nanos,
  event: SocketEvent,
  out: Iperf3Out,
): void {
  switch (event.kind) {
    case 'readable':
      return out.call({ kind: 'receive', socket: test.control, max: Infinity })
    case 'received':
      test.inbox = concatBytes([test.inbox, ...event.chunks])
      while (state.test === test && understand(state, test, now, out));
      if (event.ended && state.test === test) breakOff(state, test, out)
      return
    case 'queued':
      test.outbox = test.outbox.subarray(event.bytes)
      if (event.bytes < test.asked) return // `writable` follows
      test.asked = 0
      return say(test, NO_BYTES, out)
    case 'writable':
      test.asked = 0
      return say(test, NO_BYTES, out)
    case 'failed':
    case 'closed':
      return breakOff(state, test, out)
    default:
  }
}

/** One message of the client. @returns whether there may be another. */
function understand(state: Iperf3State, test: Test, now: Nanos, out: Iperf3Out): boolean {
  if (test.phase === 'parameters' || test.phase === 'results') {
    const text = message.readText(test.inbox)
    if (text === null) return false
    if (text === 'malformed') return refuse(state, test, out)
    test.inbox = test.inbox.subarray(text.next)
    test.giveUpAt = now + PATIENCE
    if (test.phase === 'results') {
      test.phase = 'leave'
      say(test, message.textMessage(resultsOf(test)), out)
      say(test, Uint8Array.of(message.DISPLAY_RESULTS), out)
      return true
    }
    test.parameters = message.readParameters(text.value)
    if (test.parameters === null) return refuse(state, test, out)
    test.phase = 'streams'
    say(test, Uint8Array.of(message.CREATE_STREAMS), out)
    return true
  }
  const first = test.inbox[0]
  if (first === undefined) return false
  test.inbox = test.inbox.subarray(1)
  if (first === message.TEST_END && test.phase === 'running') endTest(test, now, out)
  else if (first === message.IPERF_DONE && test.phase === 'leave') finish(state, test, out)
  else breakOff(state, test, out) // CLIENT_TERMINATE, or what no client says
  return true
}

function endTest(test: Test, now: Nanos, out: Iperf3Out): void {
  test.phase = 'results'
  test.endAt = now
  test.giveUpAt = now + PATIENCE
  if (test.parameters!.protocol === 'tcp') {
    const first = test.streams[0]!.socket
    out.call({ kind: 'get', socket: first, option: 'TCP_CONGESTION' })
    for (const { socket, sends } of test.streams) {
      if (!sends) continue
      out.call({ kind: 'info', socket })
      // A client reads whole blocks, and looks at nothing else until it has one or the end.
      out.call({ kind: 'shutdown', socket })
    }
  }
  say(test, Uint8Array.of(message.EXCHANGE_RESULTS), out)
}

/** Says it behind what has not been said yet. */
function say(test: Test, bytes: Bytes, out: Iperf3Out): void {
  test.outbox = test.outbox.length === 0 ? bytes : concatBytes([test.outbox, bytes])
  if (test.asked > 0 || test.outbox.length === 0) return
  test.asked = test.outbox.length
  out.call({ kind: 'send', socket: test.control, bytes: test.outbox })
}

function refuse(state: Iperf3State, test: Test, out: Iperf3Out): boolean {
  say(test, message.refusal(), out)
  breakOff(state, test, out)
  return false
}

function breakOff(state: Iperf3State, test: Test, out: Iperf3Out): void {
  const { address, port } = test.remote
  out.report({ kind: 'broken', remote: { address, port } })
  closeAll(state, test, out)
}

function finish(state: Iperf3State, test: Test, out: Iperf3Out): void {
  const { address, port } = test.remote
  const sum = (streams: readonly Stream[]) => streams.reduce((n, { bytes }) => n + bytes, 0)
  out.report({
    kind: 'tested',
    remote: { address, port },
    protocol: test.parameters!.protocol,
    span: Math.max(test.endAt - test.countAt, 0),
    received: sum(test.streams.filter(({ sends }) => !sends)),
    sent: sum(test.streams.filter(({ sends }) => sends)),
  })
  closeAll(state, test, out)
}

function closeAll(state: Iperf3State, test: Test, out: Iperf3Out): void {
  state.test = null
  for (const { socket } of test.streams) {
    if (socket !== state.udp) out.call({ kind: 'close', socket })
  }
  out.call({ kind: 'close', socket: test.control })
}
