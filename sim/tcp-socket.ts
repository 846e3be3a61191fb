import { ANY_IPV4, type Endpoint, formatIp, type IpAddress } from '../protocols/address.ts'
import { type Bytes, concatBytes, NO_BYTES } from '../protocols/bytes.ts'
import type { Errno } from '../protocols/errno.ts'
import type {
  ReadableOption,
  SocketCall,
  ShutdownHow,
  SocketEvent,
  SocketId,
} from '../protocols/host/socket.ts'
import type { TcpInfo } from '../protocols/tcp/info.ts'
import type { Node } from './node.ts'
import type { Held } from './readiness.ts'
import {
  type Data,
  type OptionValue,
  type Settle,
  Socket,
  SocketError,
  toBytes,
  toIp,
  type Waiting,
} from './socket.ts'

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

/** How far a socket has come: `standing` is one that stands, and `tryConnect` has not said so. */
type Stage = 'new' | 'connecting' | 'standing' | 'connected'

/** The peer of a socket that has none. */
const NOBODY: Endpoint = { address: ANY_IPV4, port: 0 }

/** A TCP socket that is nothing yet: it can be bound, and connected. */
export const newTcpSocket = (node: Node, settle: Settle, id: SocketId, to = NOBODY): TcpSocket =>
  new TcpSocket(node, settle, id, NOBODY, to, 'new')

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
  #stage: Stage
  /** SO_ERROR: why it broke, until somebody has been told. */
  #untold: Errno | null = null

  /** `remote`: of a connection that was accepted, or that is about to be made; `NOBODY`: of none. */
  constructor(
    node: Node,
    settle: Settle,
    id: SocketId,
    local: Endpoint,
    remote: Endpoint,
    stage: Stage,
  ) {
    super(node, settle, id)
    this.local = local
    this.remote = remote
    this.#stage = stage
  }

  protected override hear(event: SocketEvent): void {
    switch (event.kind) {
      case 'connected':
        this.local = event.local
        this.#stage = this.#connecting === null ? 'standing' : 'connected'
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
        this.#untold = event.error
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
    this.#untold = null
    if (this.failure !== null) throw new SocketError(this.failure, this.#name())
    if (this.closed) throw new SocketError('EBADF', this.#name())
  }

  /** Resolves when the connection stands, and `first` is in the send buffer. Called by `Host.connect`. */
  async connect(first?: Data): Promise<void> {
    const { id: socket, remote } = this
    const bytes = first === undefined ? NO_BYTES : toBytes(first)
    const piece = { remote, bytes: bytes.subarray(0, PIECE_BYTES), waits: true }
    await this.waitFor<void>((waiting) => {
      this.#connecting = waiting
      try {
        if (first === undefined) this.call({ kind: 'connect', socket, remote })
        else this.call({ kind: 'send-to', socket, ...piece })
      } catch (error) {
        this.#connecting = null
        waiting.reject(error as Error)
      }
    })
    if (this.#queued < bytes.length) await this.send(bytes.subarray(this.#queued))
  }

  /**
   * Resolves when all of it is in the send buffer. The bytes must not be written afterwards. `urgent`: the peer
   * is told at once that urgent data is ahead, up to the last of these bytes (MSG_OOB). `more`: what is less
   * than a full segment waits for the next `send`, as long as under a cork (MSG_MORE).
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

  /**
   * `write`: no more sending; the peer reads to the end, and receiving goes on. `read`: whoever reads finds
   * the end behind what has come; the peer does not hear of it. `both`: both.
   */
  shutdown(how: ShutdownHow = 'write'): void {
    this.#check()
    const which = how === 'write' ? null : { how }
    this.call({ kind: 'shutdown', socket: this.id, ...which })
  }

  // Calls that never wait, with Linux's errors: as with O_NONBLOCK.

  /** Says why the connection broke, once. */
  #tell(): void {
    const error = this.#untold
    this.#untold = null
    if (error !== null) throw new SocketError(error, this.#name())
    if (this.closed) throw new SocketError('EBADF', this.#name())
  }

  /** Binds a socket of `host.tcp()`. `address`: one of the host's own; any of them where left out. */
  bind(port: number, address?: string | IpAddress): void {
    const own = address === undefined ? null : toIp(address)
    this.call({ kind: 'bind', socket: this.id, address: own, port })
  }

  /**
   * Begins to connect a socket of `host.tcp()`, or looks how far that is. `poll` says when it is over.
   *
   * @throws SocketError EINPROGRESS at first, EALREADY while it is under way, the reason where it has failed;
   * afterwards nothing once, then EISCONN
   */
  tryConnect(remote: string | IpAddress, port: number): void {
    this.#tell()
    if (this.isGone) throw new SocketError('ECONNABORTED', this.#name())
    switch (this.#stage) {
      case 'connecting':
        throw new SocketError('EALREADY', this.#name())
      case 'standing':
        this.#stage = 'connected'
        return
      case 'connected':
        throw new SocketError('EISCONN', this.#name())
      case 'new': {
        const to = { address: toIp(remote), port }
        if (this.#begin({ kind: 'connect', socket: this.id, remote: to })) return
        throw new SocketError('EINPROGRESS', this.#name())
      }
    }
  }

  /** `true`: it may be used at once (TCP_FASTOPEN_CONNECT). */
  #begin(call: SocketCall & { readonly remote: Endpoint }): boolean {
    this.call(call)
    this.remote = call.remote
    this.#stage = this.#stage === 'standing' ? 'connected' : 'connecting'
    return this.#stage === 'connected'
  }

  /**
   * The same with bytes (MSG_FASTOPEN, RFC 7413): how many go with the SYN. @throws SocketError EINPROGRESS
   * where none do; EOPNOTSUPP where the host is no client of Fast Open
   */
  trySendTo(data: Data, remote: string | IpAddress, port: number): number {
    this.#tell()
    const over = this.#stage === 'connecting' ? 'EALREADY' : 'EISCONN'
    if (this.#stage !== 'new') throw new SocketError(over, this.#name())
    const to = { address: toIp(remote), port }
    this.#begin({ kind: 'send-to', socket: this.id, remote: to, bytes: toBytes(data) })
    if (this.#queued === 0) throw new SocketError('EINPROGRESS', this.#name())
    return this.#queued
  }

  /**
   * Sends what there is room for now; how many bytes that was.
   *
   * @throws SocketError EAGAIN where there is no room for any
   */
  trySend(data: Data, how: SendOptions = {}): number {
    this.#tell()
    if (this.isGone) throw new SocketError('EPIPE', this.#name())
    if (this.#stage === 'connecting') throw new SocketError('EAGAIN', this.#name())
    const bytes = toBytes(data)
    let taken = 0
    do {
      const piece = bytes.subarray(taken, taken + PIECE_BYTES)
      this.call({ kind: 'send', socket: this.id, bytes: piece, ...how })
      taken += this.#queued
      if (this.#queued < piece.length) break
    } while (taken < bytes.length)
    if (taken === 0 && bytes.length > 0) throw new SocketError('EAGAIN', 'the send buffer is full')
    return taken
  }

  /**
   * The next bytes in order, at most `max`; `null` at the end of the peer's stream.
   *
   * @throws SocketError EAGAIN where there are none yet
   */
  tryReceive(max = Infinity): Bytes | null {
    if (this.isGone) {
      const left = this.#received
      this.#received = []
      if (left.length > 0) return concatBytes(left)
      this.#tell()
      return null
    }
    this.#tell()
    if (this.#stage === 'connecting') throw new SocketError('EAGAIN', this.#name())
    const chunks = this.#receiveNow(max)
    if (chunks.length > 0) return concatBytes(chunks)
    if (this.#ended) return null
    throw new SocketError('EAGAIN', 'nothing has come')
  }

  protected override held(): Held {
    return { error: this.#untold !== null, waiting: 0 }
  }

  /** SO_ERROR is the name of the error that broke the connection, once; before that, of one that may pass. */
  override getOption<Option extends ReadableOption>(option: Option): OptionValue<Option> {
    if (option !== 'SO_ERROR' || (!this.isGone && this.#untold === null)) {
      return super.getOption(option)
    }
    const error = this.#untold
    this.#untold = null
    return (error ?? 0) as OptionValue<Option>
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
