import { type Endpoint } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { SocketCall } from '../protocols/host/socket.ts'
import type { Node } from './node.ts'
import { openSocket } from './socket.ts'
import { UserError } from './user-error.ts'

// Applications for load: no promises, no program, a call for each event. What a bulk sender sends
// is one constant pattern, never copied.

const PATTERN_BYTES = 1 << 16
let pattern: Bytes | null = null

function patternBytes(): Bytes {
  return (pattern ??= Uint8Array.from({ length: PATTERN_BYTES }, (_, i) => (i * 167 + 13) & 255))
}

/** Figures of a sink, live. */
export interface Sink {
  bytes: number
  connections: number
}

/** Accepts every connection on a port and reads it to its end. */
export function startSink(node: Node, port: number): Sink {
  const sink: Sink = { bytes: 0, connections: 0 }
  const listener = openSocket(node, 'tcp')
  node.handle(listener, (event) => {
    if (event.kind !== 'accepted') return
    sink.connections += 1
    const { socket } = event
    const receive: SocketCall = { kind: 'receive', socket, max: Infinity }
    node.handle(socket, (happened) => {
      if (happened.kind === 'readable') node.call(receive)
      else if (happened.kind === 'received') {
        sink.bytes += happened.bytes
        if (happened.ended) node.call({ kind: 'close', socket })
      }
    })
  })
  node.call({ kind: 'bind', socket: listener, address: null, port })
  node.call({ kind: 'listen', socket: listener, backlog: 1024 })
  return sink
}

/**
 * Connects and keeps the connection's buffer full: `total` bytes (`Infinity`: for ever).
 *
 * @throws UserError where that is no number of bytes.
 */
export function startBulk(node: Node, remote: Endpoint, total: number): void {
  if (total !== Infinity && !(Number.isSafeInteger(total) && total >= 0)) {
    throw new UserError(`${total} is not a number of bytes`, { where: 'bulk' })
  }
  const socket = openSocket(node, 'tcp')
  const bytes = patternBytes()
  let left = total
  let full = false
  const fill = () => {
    full = false
    while (left > 0 && !full) {
      const piece = left < bytes.length ? bytes.subarray(0, left) : bytes
      node.call({ kind: 'send', socket, bytes: piece })
    }
    if (left === 0) node.call({ kind: 'close', socket })
  }
  node.handle(socket, (event) => {
    switch (event.kind) {
      case 'connected':
      case 'writable':
        return fill()
      case 'queued':
        left -= event.bytes
        full = event.bytes < Math.min(bytes.length, left + event.bytes)
        return
      case 'rejected':
      case 'failed':
        full = true
        return
      default:
    }
  })
  node.call({ kind: 'connect', socket, remote })
}
