import { type Endpoint, formatIp } from '../protocols/address.ts'
import { type Bytes, concatBytes, NO_BYTES } from '../protocols/bytes.ts'
import type { SocketEvent, SocketId } from '../protocols/host/socket.ts'
import type { TcpInfo } from '../protocols/tcp/info.ts'
import type { Node } from './node.ts'
import { type Data, type Settle, Socket, SocketError, toBytes, type Waiting } from './socket.ts'

/** A call offers no more than this: the trace reads all that was offered, taken or not. */
const PIECE_BYTES = 1 << 16

/** All who wait look again; who finds nothing left waits on. */
function wake(waiting: Waiting<void>[]): void {
  for (const each of waiting.splice(0)) each.resolve()
}

/** How bytes are sent. */
export interface SendOptions {
  readonly urgent?: true
  readonly more?: true
}

/** A TCP connection. Reading and writing wait; everything else happens at once. */
export class TcpSocket extends Socket {
  local: Endpoint
  remote: Endpoint
  #connecting: Waiting<void> | null = null
  readonly #reading: Waiting<void>[] = []
  readonly #writing: Waiting<void>[] = []
  readonly #ending: Waiting<void>[] = []
  readonly #hearing: Waiting<void>[] = []
  #urgent = false
  #queued = 0
  #received: readonly Bytes[] = []
  #ended = false
  #info: TcpInfo | null = null

  constructor(node: Node, settle: Settle, id: SocketId, local: Endpoint, remote: Endpoint) {
    super(node, settle, id)
    this.local = local
    this.remote = remote
  }

  protected override hear(event: SocketEvent): void {
    switch (event.kind) {
      case 'connected':
        this.local = event.local
        return this.#connected()?.resolve()
      case 'queued':
        this.#queued = event.bytes
        return
      case 'writable':
        return wake(this.#writing)
      case 'readable':
        return wake(this.#reading)
      case 'urgent':
        this.#urgent = this.#hearing.length === 0
        return wake(this.#hearing)
      case 'received':
        // Unasked: the connection has ended, and this is what was left to read.
        this.#received = event.chunks
        this.#ended = event.ended
        return
      case 'info':
        this.#info = event.info
        return
      case 'rejected':
        this.rejected = event.error
        return
      case 'failed':
        this.failure = event.error
        return
      case 'closed':
        return this.#end()
      default:
    }
  }

  #connected(): Waiting<void> | null {
    const waiting = this.#connecting
    this.#connecting = null
    return waiting
  }

  #end(): void {
    const error = this.#over()
    this.#connected()?.reject(error)
    for (const each of this.#writing.splice(0)) each.reject(error)
    for (const each of this.#hearing.splice(0)) each.reject(error)
    // A reader learns of an orderly end as the end of the stream.
    for (const each of this.#reading.splice(0)) {
      if (this.failure === null) each.resolve()
      else each.reject(error)
    }
    wake(this.#ending)
  }

  #over(): SocketError {
    return new SocketError(this.failure ?? 'ECONNABORTED', this.#name())
  }

  #name(): string {
    return `connection to ${formatIp(this.remote.address)}:${this.remote.port}`
  }

  #check(): void {
    if (this.failure !== null) throw new SocketError(this.failure, this.#name())
    if (this.closed) throw new SocketError('EBADF', this.#name())
  }

  /** Resolves when the connection stands. Called by `Host.connect`. */
  connect(): Promise<void> {
    return this.waitFor<void>((waiting) => {
      this.#connecting = waiting
      try {
        this.call({ kind: 'connect', socket: this.id, remote: this.remote })
      } catch (error) {
        this.#connecting = null
        waiting.reject(error as Error)
      }
    })
  }

  /**
   * Resolves when all of it is in the send buffer. The bytes must not be written afterwards. `urgent`: the peer
   * is told at once that urgent data is ahead, up to the last of these bytes (MSG_OOB). `more`: what is less
   * than a full segment waits for the next `send`, 200 ms at most (MSG_MORE).
   */
  async send(data: Data, how: SendOptions = {}): Promise<void> {
    let left = toBytes(data)
    while (left.length > 0) {
      this.#check()
      if (this.isGone) throw new SocketError('EPIPE', this.#name())
      const bytes = left.length > PIECE_BYTES ? left.subarray(0, PIECE_BYTES) : left
      this.call({ kind: 'send', socket: this.id, bytes, ...how })
      left = left.subarray(this.#queued)
      if (this.#queued === bytes.length) continue
      await this.waitFor<void>((waiting) => this.#writing.push(waiting))
    }
  }

  /** The next bytes in order, at most `max`; `null` at the end of the peer's stream. */
  async receive(max = Infinity): Promise<Bytes | null> {
    for (;;) {
      const chunks = this.#receiveNow(max)
      if (chunks.length > 0) return chunks.length === 1 ? chunks[0]! : concatBytes(chunks)
      if (this.#ended || this.isGone) return null
      await this.waitFor<void>((waiting) => this.#reading.push(waiting))
    }
  }

  /**
   * Resolves when the peer says that urgent data is ahead, also if it said so since this was last asked.
   * Urgent bytes stay in their order in the stream; `receive` ends before the last of them once.
   */
  urgent(): Promise<void> {
    if (this.#urgent) {
      this.#urgent = false
      return Promise.resolve()
    }
    if (this.isGone) return Promise.reject(this.#over())
    return this.waitFor<void>((waiting) => this.#hearing.push(waiting))
  }

  /** The next byte that `receive` gives is the last urgent one. */
  get atMark(): boolean {
    return !this.isGone && this.getOption('SIOCATMARK') === 1
  }

  #receiveNow(max: number): readonly Bytes[] {
    if (this.isGone) {
      const left = this.#received
      this.#received = []
      if (left.length === 0) this.#check()
      return left
    }
    this.#check()
    this.#received = []
    this.call({ kind: 'receive', socket: this.id, max })
    const received = this.#received
    this.#received = []
    return received
  }

  /** Everything up to the end of the stream. */
  async receiveAll(): Promise<Bytes> {
    const parts: Bytes[] = []
    for await (const part of this) parts.push(part)
    return parts.length === 0 ? NO_BYTES : concatBytes(parts)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void> {
    for (;;) {
      const part = await this.receive()
      if (part === null) return
      yield part
    }
  }

  /** No more sending; the peer reads to the end. Receiving goes on. */
  shutdown(): void {
    this.#check()
    this.call({ kind: 'shutdown', socket: this.id })
  }

  /** Resets the connection. */
  abort(): void {
    if (this.isGone) return
    this.closed = true
    this.node.call({ kind: 'abort', socket: this.id })
  }

  /** Resolves when the connection is gone from this host, TIME-WAIT included. */
  gone(): Promise<void> {
    if (this.isGone) return Promise.resolve()
    return this.waitFor<void>((waiting) => this.#ending.push(waiting))
  }

  info(): TcpInfo {
    this.#info = null
    this.call({ kind: 'info', socket: this.id })
    return this.#info!
  }
}

/** A listening TCP socket: connections come out in the order in which they were made. */
export class TcpListener extends Socket {
  #ready: TcpSocket[] = []
  #accepting: Waiting<TcpSocket>[] = []

  protected override hear(event: SocketEvent): void {
    if (event.kind === 'rejected') this.rejected = event.error
    if (event.kind !== 'accepted') return
    const { socket, local, remote } = event
    const connection = new TcpSocket(this.node, this.settle, socket, local, remote)
    const accepting = this.#accepting.shift()
    if (accepting === undefined) {
      this.#ready.push(connection)
      return
    }
    this.#taken()
    accepting.resolve(connection)
  }

  listen(port: number, backlog: number): void {
    this.call({ kind: 'bind', socket: this.id, address: null, port })
    this.call({ kind: 'listen', socket: this.id, backlog, queues: true })
  }

  /** Connections that nobody accepted are reset, and nobody waits for one any more. */
  override close(): void {
    super.close()
    const ready = this.#ready
    this.#ready = []
    for (const connection of ready) connection.abort()
    const accepting = this.#accepting
    this.#accepting = []
    for (const each of accepting) each.reject(new SocketError('ECONNABORTED', 'listener closed'))
  }

  /** One less waits: there is room for another. */
  #taken(): void {
    if (!this.closed) this.call({ kind: 'accept', socket: this.id })
  }

  /** The next connection. As many as the backlog wait for this; more are not let in. */
  accept(): Promise<TcpSocket> {
    const ready = this.#ready.shift()
    if (ready !== undefined) {
      this.#taken()
      return Promise.resolve(ready)
    }
    if (this.closed) return Promise.reject(new SocketError('EBADF', 'listener closed'))
    return this.waitFor<TcpSocket>((waiting) => this.#accepting.push(waiting))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TcpSocket, void> {
    for (;;) yield await this.accept()
  }
}
