import { type Endpoint, formatIp, type IpAddress, parseIpText } from '../protocols/address.ts'
import { type Bytes, concatBytes, NO_BYTES } from '../protocols/bytes.ts'
import type { Errno } from '../protocols/errno.ts'
import type {
  SocketCall,
  SocketEvent,
  SocketId,
  SocketOption,
  SocketProtocol,
} from '../protocols/host/socket.ts'
import { nextSocket } from '../protocols/host/state.ts'
import type { TcpInfo } from '../protocols/tcp/info.ts'
import type { Node } from './node.ts'
import type { Settle } from './programs.ts'

/** A socket call that failed, with the name that Linux gives the error. */
export class SocketError extends Error {
  override name = 'SocketError'
  readonly code: Errno
  constructor(code: Errno, what: string) {
    super(`${code}: ${what}`)
    this.code = code
  }
}

/** Bytes, or text that is sent as UTF-8. */
export type Data = Bytes | string

/** A promise that a socket settles, once. */
interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** One socket of a host, as every kind of socket needs it. */
abstract class Socket {
  protected readonly node: Node
  protected readonly settle: Settle
  readonly id: SocketId
  /** Set once the connection broke; every later call says so. */
  protected failure: Errno | null = null
  protected closed = false

  constructor(node: Node, settle: Settle, id: SocketId) {
    this.node = node
    this.settle = settle
    this.id = id
    node.handle(id, (event) => this.hear(event))
  }

  protected abstract hear(event: SocketEvent): void

  /** Makes a call that is answered at once; its rejection is thrown. */
  protected call(call: SocketCall): void {
    this.rejected = null
    this.node.call(call)
    const error = this.rejected as Errno | null
    if (error !== null) throw new SocketError(error, call.kind)
  }
  protected rejected: Errno | null = null

  protected waitFor<T>(put: (waiting: Waiting<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      put({
        resolve: (value) => {
          this.settle()
          resolve(value)
        },
        reject: (error) => {
          this.settle()
          reject(error)
        },
      })
    })
  }

  /** Lets the socket go. A connection sends what is queued, and ends in order. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.node.call({ kind: 'close', socket: this.id })
  }

  setOption(option: SocketOption, value: number): void {
    this.call({ kind: 'set', socket: this.id, option, value })
  }
}

export function openSocket(node: Node, protocol: SocketProtocol): SocketId {
  const id = nextSocket(node.state)
  node.call({ kind: 'open', protocol })
  return id
}

/** A TCP connection. Reading and writing wait; everything else happens at once. */
export class TcpSocket extends Socket {
  local: Endpoint
  remote: Endpoint
  #connecting: Waiting<void> | null = null
  #reading: Waiting<void> | null = null
  #writing: Waiting<void> | null = null
  #ending: Waiting<void>[] = []
  #gone = false
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
        return this.#take('connecting')?.resolve()
      case 'queued':
        this.#queued = event.bytes
        return
      case 'writable':
        return this.#take('writing')?.resolve()
      case 'readable':
        return this.#take('reading')?.resolve()
      case 'received':
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

  #take(what: 'connecting' | 'reading' | 'writing'): Waiting<void> | null {
    let waiting: Waiting<void> | null = null
    if (what === 'connecting') [waiting, this.#connecting] = [this.#connecting, null]
    else if (what === 'reading') [waiting, this.#reading] = [this.#reading, null]
    else [waiting, this.#writing] = [this.#writing, null]
    return waiting
  }

  #end(): void {
    this.#gone = true
    const error = new SocketError(this.failure ?? 'ECONNABORTED', this.#name())
    this.#take('connecting')?.reject(error)
    this.#take('writing')?.reject(error)
    // A reader learns of an orderly end as the end of the stream.
    const reading = this.#take('reading')
    if (this.failure === null) reading?.resolve()
    else reading?.reject(error)
    const ending = this.#ending
    this.#ending = []
    for (const each of ending) each.resolve()
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

  /** Resolves when all of it is in the send buffer. The bytes must not be written afterwards. */
  async send(data: Data): Promise<void> {
    let bytes = toBytes(data)
    while (bytes.length > 0) {
      this.#check()
      if (this.#gone) throw new SocketError('EPIPE', this.#name())
      this.call({ kind: 'send', socket: this.id, bytes })
      bytes = bytes.subarray(this.#queued)
      if (bytes.length > 0) await this.waitFor<void>((waiting) => (this.#writing = waiting))
    }
  }

  /** The next bytes in order, at most `max`; `null` at the end of the peer's stream. */
  async receive(max = Infinity): Promise<Bytes | null> {
    for (;;) {
      const chunks = this.#receiveNow(max)
      if (chunks.length > 0) return chunks.length === 1 ? chunks[0]! : concatBytes(chunks)
      if (this.#ended || this.#gone) return null
      await this.waitFor<void>((waiting) => (this.#reading = waiting))
    }
  }

  #receiveNow(max: number): readonly Bytes[] {
    this.#check()
    if (this.#gone) return []
    this.#received = []
    this.call({ kind: 'receive', socket: this.id, max })
    return this.#received
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
    if (this.#gone) return
    this.closed = true
    this.node.call({ kind: 'abort', socket: this.id })
  }

  /** Resolves when the connection is gone from this host, TIME-WAIT included. */
  gone(): Promise<void> {
    if (this.#gone) return Promise.resolve()
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
  readonly #ready: TcpSocket[] = []
  #accepting: Waiting<TcpSocket>[] = []

  protected override hear(event: SocketEvent): void {
    if (event.kind === 'rejected') this.rejected = event.error
    if (event.kind !== 'accepted') return
    const { socket, local, remote } = event
    const connection = new TcpSocket(this.node, this.settle, socket, local, remote)
    const accepting = this.#accepting.shift()
    if (accepting === undefined) this.#ready.push(connection)
    else accepting.resolve(connection)
  }

  listen(port: number, backlog: number): void {
    this.call({ kind: 'bind', socket: this.id, address: null, port })
    this.call({ kind: 'listen', socket: this.id, backlog })
  }

  accept(): Promise<TcpSocket> {
    const ready = this.#ready.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return this.waitFor<TcpSocket>((waiting) => this.#accepting.push(waiting))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TcpSocket, void> {
    for (;;) yield await this.accept()
  }
}

export interface Datagram {
  readonly payload: Bytes
  readonly remote: Endpoint
  readonly local: Endpoint
}

/** A UDP socket. */
export class UdpSocket extends Socket {
  readonly #ready: Datagram[] = []
  #receiving: Waiting<Datagram>[] = []

  protected override hear(event: SocketEvent): void {
    switch (event.kind) {
      case 'datagram': {
        const { payload, remote, local } = event
        const receiving = this.#receiving.shift()
        if (receiving === undefined) this.#ready.push({ payload, remote, local })
        else receiving.resolve({ payload, remote, local })
        return
      }
      case 'icmp-error':
        // A connected socket hears of its peer (RFC 1122 §4.1.3.3).
        this.#receiving
          .shift()
          ?.reject(new SocketError('ECONNREFUSED', 'the peer has no such port'))
        return
      case 'rejected':
        this.rejected = event.error
        return
      default:
    }
  }

  bind(port: number): void {
    this.call({ kind: 'bind', socket: this.id, address: null, port })
  }

  /** Only this peer is heard from now on, and `send` goes to it. */
  connect(remote: string | IpAddress, port: number): void {
    this.call({ kind: 'connect', socket: this.id, remote: { address: toIp(remote), port } })
  }

  send(data: Data): void {
    this.call({ kind: 'send', socket: this.id, bytes: toBytes(data) })
  }

  sendTo(data: Data, remote: string | IpAddress, port: number): void {
    const to = { address: toIp(remote), port }
    this.call({ kind: 'send-to', socket: this.id, bytes: toBytes(data), remote: to })
  }

  receive(): Promise<Datagram> {
    const ready = this.#ready.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return this.waitFor<Datagram>((waiting) => this.#receiving.push(waiting))
  }
}

/** What became of an echo request. */
export type EchoAnswer =
  | { readonly kind: 'reply'; readonly from: IpAddress; readonly ttl: number }
  | {
      readonly kind: 'error'
      readonly from: IpAddress
      readonly type: number
      readonly code: number
    }

/** An ICMP echo socket: one request, one answer. */
export class EchoSocket extends Socket {
  readonly #waiting = new Map<number, Waiting<EchoAnswer | null>>()

  protected override hear(event: SocketEvent): void {
    switch (event.kind) {
      case 'echo-reply':
        return this.#answer(event.sequence, { kind: 'reply', from: event.remote, ttl: event.ttl })
      case 'icmp-error': {
        const { from, type, code } = event
        return this.#answer(event.sequence, { kind: 'error', from, type, code })
      }
      case 'rejected':
        this.rejected = event.error
        return
      default:
    }
  }

  /** Nobody waits for this one any longer: its request resolves to `null`. */
  giveUp(sequence: number): void {
    this.#answer(sequence, null)
  }

  #answer(sequence: number, answer: EchoAnswer | null): void {
    const waiting = this.#waiting.get(sequence)
    this.#waiting.delete(sequence)
    waiting?.resolve(answer)
  }

  request(
    remote: IpAddress,
    sequence: number,
    bytes: Bytes,
    ttl: number,
  ): Promise<EchoAnswer | null> {
    this.call({ kind: 'send-echo', socket: this.id, remote, sequence, bytes, ttl })
    return this.waitFor<EchoAnswer | null>((waiting) => this.#waiting.set(sequence, waiting))
  }
}

export function toBytes(data: Data): Bytes {
  return typeof data === 'string' ? utf8(data) : data
}

/** UTF-8 by hand: the core asks nothing of its platform. */
function utf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000)
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      )
  }
  return Uint8Array.from(bytes)
}

/** An address as people write it. Throws a `RangeError` for any other text. */
export function toIp(address: string | IpAddress): IpAddress {
  if (typeof address === 'number') return address
  const parsed = parseIpText(address)
  if (parsed === null) throw new RangeError(`not an IP address: ${address}`)
  return parsed
}
