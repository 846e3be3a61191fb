import { type Bytes, i32, putI32 } from '../bytes.ts'
import type { SocketEvent } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import { type Parameters, UDP_HEADER, UDP_HEADER_64 } from './messages.ts'
import type { Iperf3Out, Stream, Test } from './state.ts'

/*
 * The streams of a test: what is sent, at which pace, and what is counted.
 */

/** Zeros: nobody looks at them. */
const BLOCK: Bytes = new Uint8Array(1 << 17)
/** UDP has no room that runs out: where no rate is asked for, it is sent at this one, bits a second. */
const UDP_RATE = 1e9
/** Of datagrams that are late, so many leave at once. */
const UDP_BURST = 64

/** Sends what may be sent now. */
export function sendOn(test: Test, now: Nanos, out: Iperf3Out): void {
  const { parameters, phase } = test
  if (parameters === null || phase !== 'running') return
  for (const stream of test.streams) {
    if (!stream.sends) continue
    if (parameters.protocol === 'udp') sendDatagrams(test, parameters, stream, now, out)
    else sendBlock(test, parameters, stream, now, out)
  }
}

/** When the next stream that is paced may send. */
export function nextSend({ streams, phase, parameters, startAt }: Test): Nanos {
  let next = NEVER
  if (phase !== 'running' || parameters === null) return next
  for (const stream of streams) {
    if (stream.sends && !stream.waiting) next = Math.min(next, dueAt(startAt, parameters, stream))
  }
  return next
}

/** What was sent is spread evenly over the time since the start. */
function dueAt(startAt: Nanos, { rate, protocol }: Parameters, { sent }: Stream): Nanos {
  const pace = rate > 0 ? rate : protocol === 'udp' ? UDP_RATE : Infinity
  return startAt + Math.ceil((sent * 8e9) / pace)
}

function sendBlock(
  test: Test,
  parameters: Parameters,
  stream: Stream,
  now: Nanos,
  out: Iperf3Out,
): void {
  if (stream.waiting || dueAt(test.startAt, parameters, stream) > now) return
  stream.waiting = true
  const bytes = BLOCK.subarray(0, Math.min(parameters.block, BLOCK.length))
  out.call({ kind: 'send', socket: stream.socket, bytes })
}

function sendDatagrams(
  test: Test,
  parameters: Parameters,
  stream: Stream,
  now: Nanos,
  out: Iperf3Out,
): void {
  const { socket, remote } = stream
  for (let i = 0; i < UDP_BURST && dueAt(test.startAt, parameters, stream) <= now; i++) {
    stream.packets += 1
    stream.sent += parameters.block
    stream.bytes += parameters.block
    const bytes = datagram(parameters, stream.packets, now)
    const to = { address: remote.address, port: remote.port }
    out.call({ kind: 'send-to', socket, bytes, remote: to })
  }
}

function datagram({ block, wide }: Parameters, number: number, now: Nanos): Bytes {
  const bytes = new Uint8Array(block)
  const seconds = Math.floor(now / 1e9)
  putI32(bytes, 0, seconds)
  putI32(bytes, 4, Math.floor((now - seconds * 1e9) / 1000))
  if (wide) putI32(bytes, 8, Math.floor(number / 2 ** 32))
  putI32(bytes, wide ? 12 : 8, number | 0)
  return bytes
}

/** An event of one of the test's connections. */
export function streamHeard(test: Test, stream: Stream, event: SocketEvent, out: Iperf3Out): void {
  switch (event.kind) {
    case 'readable':
      return out.call({ kind: 'receive', socket: stream.socket, max: Infinity })
    case 'received':
      if (test.phase === 'running') stream.bytes += event.bytes
      return
    case 'queued':
      stream.bytes += event.bytes
      stream.sent += event.bytes
      // Where there was less room, `writable` follows.
      stream.waiting = event.bytes < Math.min(test.parameters!.block, BLOCK.length)
      return
    case 'writable':
      stream.waiting = false
      return
    case 'info': {
      const { tcpi_total_retrans: retransmits } = event.info
      if (test.phase === 'running') stream.retransmitsBefore = retransmits
      else stream.retransmits = retransmits - stream.retransmitsBefore
      return
    }
    case 'option':
      if (typeof event.value === 'string') test.congestion = event.value
      return
    default:
  }
}

/** A datagram of a stream on which the client sends. */
export function datagramCame(test: Test, stream: Stream, payload: Bytes, now: Nanos): void {
  const { wide } = test.parameters!
  if (test.phase !== 'running' || payload.length < (wide ? UDP_HEADER_64 : UDP_HEADER)) return
  stream.bytes += payload.length
  const number = wide
    ? (i32(payload, 8) >>> 0) * 2 ** 32 + (i32(payload, 12) >>> 0)
    : i32(payload, 8) >>> 0
  if (number > stream.packets) {
    stream.lost += number - stream.packets - 1
    stream.packets = number
  } else if (stream.lost > 0) stream.lost -= 1 // it was only late
  const sentAt = (i32(payload, 0) >>> 0) + (i32(payload, 4) >>> 0) / 1e6
  const transit = now / 1e9 - sentAt
  if (stream.transit !== NEVER) {
    stream.jitter += (Math.abs(transit - stream.transit) - stream.jitter) / 16
  }
  stream.transit = transit
}

/** The time to omit is over. */
export function beginCounting(test: Test, out: Iperf3Out): void {
  for (const stream of test.streams) {
    stream.bytes = 0
    stream.packetsBefore = stream.packets
    stream.lost = 0
    if (stream.sends && test.parameters!.protocol === 'tcp') {
      out.call({ kind: 'info', socket: stream.socket })
    }
  }
}

/** What the server says of a test. A host of ours does not know what its processor does: 0. */
export function resultsOf({ streams, parameters, congestion, countAt, endAt }: Test): object {
  const seconds = Math.max(endAt - countAt, 0) / 1e9
  const counted = streams.some(({ retransmits }) => retransmits >= 0)
  return {
    cpu_util_total: 0,
    cpu_util_user: 0,
    cpu_util_system: 0,
    sender_has_retransmits: parameters!.serverSends && counted ? 1 : -1,
    ...(congestion === null ? {} : { congestion_used: congestion }),
    streams: streams.map((stream) => ({
      id: stream.id,
      bytes: stream.bytes,
      retransmits: stream.retransmits,
      jitter: stream.jitter,
      errors: stream.lost,
      packets: stream.packets - stream.packetsBefore,
      start_time: 0,
      end_time: seconds,
    })),
  }
}
