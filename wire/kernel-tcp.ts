import { createServer, type Server, Socket } from 'node:net'
import type { Endpoint } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { SocketId } from '../protocols/host/socket.ts'
import {
  anyAddress,
  errnoOf,
  fromNode,
  type Hear,
  type KernelPlace,
  type KernelSocket,
  type NamedCall,
  toNode,
} from './kernel-socket.ts'

/** So many bytes wait in the process for the kernel; `SO_SNDBUF` changes it. */
const SEND_BUFFER = 256 * 1024

/** A TCP socket of the kernel: first nothing, then a listener or one end of a connection. */
export class KernelTcp implements KernelSocket {
  readonly #place: KernelPlace
  readonly #hear: Hear
  #id: SocketId = -1
  #address: string | null = null
  #port = 0
  #server: Server | null = null
  #stream: Socket | null = null
  #sendBuffer = SEND_BUFFER
  #noDelay = false
  /** A `send` was not taken whole. */
  #wantsSpace = false
  /** `readable` was said and nothing received since. */
  #saidReadable = false
  /** The peer has ended its side, and all before that can be read. */
  #ended = false
  /** The application knows of the end. */
  #saidEnd = false
  /** Nobody reads any more. */
  #orphan = false
  #broken = false
  /** Both sides have ended, and Node has let the stream go. */
  #over = false
  #gone = false

  constructor(place: KernelPlace, hear: Hear) {
    this.#place = place
    this.#hear = hear
  }

  /** The number that its events carry. */
  named(id: SocketId): this {
    this.#id = id
    return this
  }

  local(): Endpoint | null {
    const stream = this.#stream
    if (stream !== null) return endpoint(stream.localAddress, stream.localPort)
    const address = this.#server?.address()
    if (address === null || address === undefined || typeof address === 'string') return null
    return endpoint(address.address, address.port)
  }

  call(call: NamedCall): void {
    switch (call.kind) {
      case 'bind':
        this.#address = call.address === null ? null : toNode(call.address)
        this.#port = call.port
        return
      case 'listen':
        return this.#listen(call.backlog)
      case 'connect':
        return this.#connect(call.remote)
      case 'send':
        return this.#send(call.bytes)
      case 'receive':
        return this.#receive(call.max)
      case 'shutdown':
        this.#stream?.end()
        return
      case 'close':
        return this.#close()
      case 'abort':
        return this.#abort()
      case 'set':
        return this.#set(call)
      default:
        this.#reject(call.kind, 'EOPNOTSUPP')
    }
  }

  destroy(): void {
    this.#gone = true
    this.#server?.close()
    this.#stream?.destroy()
  }

  #listen(backlog: number): void {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: false })
    this.#server = server
    server.on('connection', (stream) => this.#accepted(stream))
    server.on('error', (error) => this.#reject('listen', errnoOf(error)))
    const host = this.#address ?? anyAddress(this.#place.family)
    server.listen({ host, port: this.#port, backlog, exclusive: true })
  }

  #accepted(stream: Socket): void {
    const accepted = new KernelTcp(this.#place, this.#hear)
    const id = this.#place.add(accepted)
    accepted.named(id).#adopt(stream)
    const { localAddress, localPort, remoteAddress, remotePort } = stream
    const local = endpoint(localAddress, localPort)
    const remote = endpoint(remoteAddress, remotePort)
    this.#hear({ kind: 'accepted', socket: id, listener: this.#id, local, remote })
  }

  #connect(remote: Endpoint): void {
    if (this.#stream !== null) return this.#reject('connect', 'EISCONN')
    const stream = new Socket({ allowHalfOpen: true })
    this.#adopt(stream)
    stream.once('connect', () => {
      const local = endpoint(stream.localAddress, stream.localPort)
      this.#hear({ kind: 'connected', socket: this.#id, local, remote })
    })
    stream.connect({
      host: toNode(remote.address),
      port: remote.port,
      ...(this.#address === null ? {} : { localAddress: this.#address }),
      ...(this.#port === 0 ? {} : { localPort: this.#port }),
    })
  }

  #adopt(stream: Socket): void {
    this.#stream = stream
    stream.setNoDelay(this.#noDelay)
    stream.on('readable', () => this.#readable())
    stream.on('end', () => {
      this.#ended = true
      this.#readable()
    })
    stream.on('error', (error) => {
      this.#broken = true
      if (!this.#gone && !this.#orphan)
        this.#hear({ kind: 'failed', socket: this.#id, error: errnoOf(error) })
    })
    stream.on('close', () => {
      this.#over = true
      this.#goWhenHeard()
    })
  }

  #readable(): void {
    const stream = this.#stream
    if (stream === null || this.#gone) return
    if (this.#orphan) {
      stream.resume()
      return
    }
    const available = stream.readableLength
    if (this.#saidReadable) return
    if (available === 0 && !this.#ended) {
      stream.read(0) // lets Node find the end of the stream
      return
    }
    this.#saidReadable = true
    this.#hear({ kind: 'readable', socket: this.#id, available })
  }

  #receive(max: number): void {
    const stream = this.#stream
    if (stream === null) return this.#reject('receive', 'ENOTCONN')
    this.#saidReadable = false
    const length = Math.min(max, stream.readableLength)
    const read = length === 0 ? null : (stream.read(length) as Uint8Array | null)
    const chunks: Bytes[] = read === null ? [] : [read]
    const ended = this.#ended && stream.readableLength === 0
    const bytes = read?.length ?? 0
    this.#hear({ kind: 'received', socket: this.#id, chunks, bytes, ended })
    if (!ended) {
      setImmediate(() => this.#readable())
      return
    }
    this.#saidEnd = true
    this.#goWhenHeard()
  }

  /** A socket is not gone before its user has heard of the end of the stream. */
  #goWhenHeard(): void {
    if (this.#over && (this.#saidEnd || this.#orphan || this.#broken)) this.#closed()
  }

  #send(bytes: Bytes): void {
    const stream = this.#stream
    if (stream === null) return this.#reject('send', 'ENOTCONN')
    if (stream.destroyed || stream.writableEnded) return this.#reject('send', 'EPIPE')
    const room = Math.max(this.#sendBuffer - stream.writableLength, 0)
    const taken = Math.min(bytes.length, room)
    if (taken > 0) stream.write(bytes.subarray(0, taken) as Uint8Array, () => this.#written())
    this.#wantsSpace = taken < bytes.length
    this.#hear({ kind: 'queued', socket: this.#id, bytes: taken })
  }

  /** The kernel has taken a piece. (`drain` is not said where it takes all of it at once.) */
  #written(): void {
    const stream = this.#stream
    if (!this.#wantsSpace || this.#gone || stream === null || stream.destroyed) return
    const space = this.#sendBuffer - stream.writableLength
    if (space < this.#sendBuffer / 2) return
    this.#wantsSpace = false
    this.#hear({ kind: 'writable', socket: this.#id, space })
  }

  #close(): void {
    const stream = this.#stream
    this.#server?.close()
    if (stream === null || this.#over) return this.#closed()
    this.#orphan = true
    // As Linux does it: what was not read and will not be is answered by a reset.
    if (stream.readableLength > 0) {
      stream.resetAndDestroy()
      return
    }
    stream.end()
    stream.resume()
  }

  #abort(): void {
    this.#server?.close()
    if (this.#stream === null) return this.#closed()
    this.#orphan = true
    this.#stream.resetAndDestroy()
  }

  #closed(): void {
    if (this.#gone) return
    this.#gone = true
    this.#place.remove(this.#id)
    this.#hear({ kind: 'closed', socket: this.#id })
  }

  #set(call: NamedCall & { kind: 'set' }): void {
    switch (call.option) {
      case 'TCP_NODELAY':
        this.#noDelay = call.value !== 0
        this.#stream?.setNoDelay(this.#noDelay)
        return
      case 'SO_SNDBUF':
        this.#sendBuffer = call.value
        return
      case 'SO_KEEPALIVE' as typeof call.option:
        this.#stream?.setKeepAlive(call.value !== 0)
        return
      default:
        this.#reject('set', 'ENOPROTOOPT')
    }
  }

  #reject(call: NamedCall['kind'], error: ReturnType<typeof errnoOf>): void {
    if (!this.#gone) this.#hear({ kind: 'rejected', socket: this.#id, call, error })
  }
}

const endpoint = (address: string | undefined, port: number | undefined): Endpoint => ({
  address: fromNode(address ?? ''),
  port: port ?? 0,
})
