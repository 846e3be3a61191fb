import type { IpAddress } from '../../protocols/address.ts'
import type { Application } from '../../protocols/application.ts'
import type { SocketId } from '../../protocols/host/socket.ts'

/** Connects from a port that it names; a program on a host gets one that the host chooses. */
export interface DialerState {
  readonly port: number
  readonly remote: { readonly address: IpAddress; readonly port: number }
  /** Sent once connected. */
  readonly bytes: number
  socket: SocketId
  left: number
  received: number
}

export const createDialer = (
  port: number,
  remote: { readonly address: IpAddress; readonly port: number },
  bytes = 0,
): DialerState => ({ port, remote, bytes, socket: -1, left: bytes, received: 0 })

const CHUNK = new Uint8Array(64 * 1024).fill(0x61)

export const dialer: Application<DialerState, 'abort' | 'close', 'connected' | 'over'> = {
  name: 'dialer',
  step(state, _now, input, out) {
    if (input.kind === 'start') return out.call({ kind: 'open', protocol: 'tcp' })
    const { socket } = state
    if (input.kind === 'command') return out.call({ kind: input.command, socket })
    if (input.kind !== 'socket') return
    const { event } = input
    const send = () => {
      if (state.left === 0) return out.call({ kind: 'close', socket: state.socket })
      const bytes = CHUNK.subarray(0, Math.min(CHUNK.length, state.left))
      out.call({ kind: 'send', socket: state.socket, bytes })
    }
    switch (event.kind) {
      case 'opened': {
        state.socket = event.socket
        const { address, port } = state.remote
        out.call({ kind: 'bind', socket: event.socket, address: null, port: state.port })
        return out.call({ kind: 'connect', socket: event.socket, remote: { address, port } })
      }
      case 'connected':
        out.report('connected')
        if (state.bytes > 0) send()
        return
      case 'queued':
        state.left -= event.bytes
        if (event.bytes > 0) send()
        return
      case 'writable':
        return send()
      case 'readable':
        return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
      case 'closed':
        return out.report('over')
      default:
    }
  },
}
