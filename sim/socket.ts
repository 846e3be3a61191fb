import { type IpAddress, parseIpText } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { Errno } from '../protocols/errno.ts'
import type {
  SocketCall,
  SocketEvent,
  SocketId,
  SocketOption,
  FlowProtocol,
  KeyOption,
  ReadableOption,
  TextOption,
} from '../protocols/host/socket.ts'
import type { SigningKey } from '../protocols/tcp/signature.ts'
import { nextSocket } from '../protocols/host/state.ts'
import type { Node } from './node.ts'
import { type Held, type Readiness, readinessIn, readinessOf } from './readiness.ts'

/** Says that a program may go on: the clock waits until it has. */
export type Settle = () => void

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
export interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** One socket of a host, as every kind of socket needs it. */
export abstract class Socket {
  protected readonly node: Node
  protected readonly settle: Settle
  readonly id: SocketId
  /** Set once the connection broke; every later call says so. */
  protected failure: Errno | null = null
  protected closed = false
  /** The host has let it go, and its number may be another socket's by now. */
  protected isGone = false

  constructor(node: Node, settle: Settle, id: SocketId) {
    this.node = node
    this.settle = settle
    this.id = id
    node.handle(id, (event) => {
      if (event.kind === 'closed') this.isGone = true
      if (event.kind === 'option') this.#told = event.value
      this.hear(event)
    })
  }

  protected abstract hear(event: SocketEvent): void

  /** What waits here for the program, and an error that it has not been told. */
  protected abstract held(): Held

  /** What `host.poll` would find now. */
  get readiness(): Readiness {
    const socket = this.isGone ? null : (this.node.state.sockets[this.id] ?? null)
    return readinessIn(readinessOf(socket, this.held()))
  }

  /** The program has closed it. */
  get isClosed(): boolean {
    return this.closed
  }

  /** Makes a call that is answered at once; its rejection is thrown. */
  protected call(call: SocketCall): void {
    if (this.isGone) throw new SocketError(this.failure ?? 'EBADF', call.kind)
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
    if (!this.isGone) this.node.call({ kind: 'close', socket: this.id })
  }

  /** Sets an option, by Linux's name. @throws SocketError where the host does not take it. */
  setOption<Option extends SocketOption>(option: Option, value: NewValue<Option>): void {
    const written = typeof value === 'object' ? signingKeyOf(value) : value
    this.call({ kind: 'set', socket: this.id, option, value: written } as SocketCall)
  }

  /** What an option says, by Linux's name. @throws SocketError where the host has no such option. */
  getOption<Option extends ReadableOption>(option: Option): OptionValue<Option> {
    this.call({ kind: 'get', socket: this.id, option })
    return this.#told as OptionValue<Option>
  }
  #told: string | number = 0
}

export type OptionValue<Option extends ReadableOption> = Option extends TextOption ? string : number

/** TCP_MD5SIG takes a key for a peer too, or for all of a prefix; an empty one is taken away. */
export type NewValue<Option extends SocketOption> = Option extends KeyOption
  ? OptionValue<Option> | PeerKey
  : OptionValue<Option>

export interface PeerKey {
  readonly address: string | IpAddress
  /** Default: the whole address. */
  readonly prefixLength?: number
  /** At most 80 bytes. */
  readonly key: Data
}

/** @throws SocketError EINVAL for what is no address */
function signingKeyOf({ address: written, prefixLength, key }: PeerKey): SigningKey {
  const address = typeof written === 'string' ? parseIpText(written) : written
  if (address === null) throw new SocketError('EINVAL', `${written} is no address`)
  const whole = typeof address === 'number' ? 32 : 128
  return { address, prefixLength: prefixLength ?? whole, key: toBytes(key) }
}

/** Sets a new socket up; one that cannot be used is not left open. */
export function closingOnError(socket: Socket, setUp: () => void): void {
  try {
    setUp()
  } catch (error) {
    socket.close()
    throw error
  }
}

export function openSocket(node: Node, protocol: FlowProtocol): SocketId {
  const id = nextSocket(node.state)
  node.call({ kind: 'open', protocol })
  return id
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
