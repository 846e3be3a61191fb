import type { Endpoint, IpAddress } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { Errno } from '../protocols/errno.ts'
import type { ReadableOption, SocketEvent } from '../protocols/host/socket.ts'
import type { Held } from './readiness.ts'
import {
  type Data,
  type OptionValue,
  Socket,
  SocketError,
  toBytes,
  toIp,
  type Waiting,
} from './socket.ts'

export interface Datagram {
  readonly payload: Bytes
  readonly remote: Endpoint
  readonly local: Endpoint
}

/** What an ICMP error said about a datagram. */
export interface DatagramError {
  readonly error: Errno
  /** Who says so, and where the datagram was going. */
  readonly from: IpAddress
  readonly remote: IpAddress
  readonly type: number
  readonly code: number
}

const closedSocket = (): SocketError => new SocketError('EBADF', 'the socket is closed')

/** Beyond that the oldest error goes. */
const ERRORS_MAX = 64

/** A UDP socket. */
export class UdpSocket extends Socket {
  readonly #ready: Datagram[] = []
  readonly #receiving: Waiting<Datagram>[] = []
  #connected = false
  /** An error that nobody has heard yet. */
  #pending: Errno | null = null
  readonly #errors: DatagramError[] = []

  protected override hear(event: SocketEvent): void {
    switch (event.kind) {
      case 'datagram': {
        const { payload, remote, local } = event
        const receiving = this.#receiving.shift()
        if (receiving !== undefined) return receiving.resolve({ payload, remote, local })
        // It waits in the receive buffer, which may fill.
        this.#ready.push({ payload, remote, local })
        return this.node.call({ kind: 'hold', socket: this.id, size: payload.length })
      }
      case 'icmp-error':
        return this.#failed(event)
      case 'rejected':
        this.rejected = event.error
        return
      case 'closed': {
        for (const each of this.#receiving.splice(0)) each.reject(closedSocket())
        return
      }
      default:
    }
  }

  /**
   * A connected socket hears of its peer (RFC 1122 §4.1.3.3), now or at its next call; of a hint
   * that may pass no more than any other, which has `nextError` for it (as IP_RECVERR).
   */
  #failed(event: SocketEvent & { readonly kind: 'icmp-error' }): void {
    const { error, hard, from, remote, type, code } = event
    if (this.#errors.length === ERRORS_MAX) this.#errors.shift()
    this.#errors.push({ error, from, remote, type, code })
    if (!hard || !this.#connected) return
    const receiving = this.#receiving.shift()
    if (receiving === undefined) this.#pending = error
    else receiving.reject(new SocketError(error, 'the peer cannot be reached'))
  }

  protected override held(): Held {
    return { error: this.#pending !== null, waiting: this.#ready.length }
  }

  /** SO_ERROR is the name of an error that nobody has been told, once. */
  override getOption<Option extends ReadableOption>(option: Option): OptionValue<Option> {
    if (option !== 'SO_ERROR') return super.getOption(option)
    const error = this.#pending
    this.#pending = null
    return (error ?? 0) as OptionValue<Option>
  }

  /** The oldest ICMP error about a datagram of this socket that was not asked for yet. */
  nextError(): DatagramError | null {
    return this.#errors.shift() ?? null
  }

  /** Datagrams to a broadcast address are let through (SO_BROADCAST). */
  allowBroadcast(): void {
    this.setOption('SO_BROADCAST', 1)
  }

  #takeError(): SocketError | null {
    const error = this.#pending
    this.#pending = null
    return error === null ? null : new SocketError(error, 'the peer cannot be reached')
  }

  /** `address`: one of the host's own or a broadcast address; any of them where left out. */
  bind(port: number, address?: string | IpAddress): void {
    const own = address === undefined ? null : toIp(address)
    this.call({ kind: 'bind', socket: this.id, address: own, port })
  }

  /** Listens to a group, on the interface with the address `via`, or on the first one. */
  join(group: string | IpAddress, via?: string | IpAddress): void {
    const own = via === undefined ? null : toIp(via)
    this.call({ kind: 'join', socket: this.id, group: toIp(group), via: own })
  }

  /** No longer. Closing the socket does so, too. */
  leave(group: string | IpAddress): void {
    this.call({ kind: 'leave', socket: this.id, group: toIp(group) })
  }

  /** Only this peer is heard from now on, and `send` goes to it. */
  connect(remote: string | IpAddress, port: number): void {
    this.call({ kind: 'connect', socket: this.id, remote: { address: toIp(remote), port } })
    this.#connected = true
  }

  send(data: Data): void {
    const error = this.#takeError()
    if (error !== null) throw error
    this.call({ kind: 'send', socket: this.id, bytes: toBytes(data) })
  }

  sendTo(data: Data, remote: string | IpAddress, port: number): void {
    const to = { address: toIp(remote), port }
    this.call({ kind: 'send-to', socket: this.id, bytes: toBytes(data), remote: to })
  }

  /** The oldest that waits; it makes room. */
  #next(): Datagram | null {
    const ready = this.#ready.shift()
    if (ready === undefined) return null
    const size = ready.payload.length
    if (!this.closed) this.call({ kind: 'release', socket: this.id, size })
    return ready
  }

  /** The next datagram. @throws SocketError EAGAIN where none waits. */
  tryReceive(): Datagram {
    const error = this.#takeError()
    if (error !== null) throw error
    const ready = this.#next()
    if (ready !== null) return ready
    throw this.closed ? closedSocket() : new SocketError('EAGAIN', 'no datagram waits')
  }

  receive(): Promise<Datagram> {
    const ready = this.#next()
    if (ready !== null) return Promise.resolve(ready)
    const error = this.#takeError()
    if (error !== null) return Promise.reject(error)
    if (this.closed) return Promise.reject(closedSocket())
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

  protected override held(): Held {
    return { error: false, waiting: 0 }
  }

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
      case 'closed':
        for (const sequence of this.#waiting.keys()) this.giveUp(sequence)
        return
      default:
    }
  }

  /** Only this host's answers are heard from now on: the socket is bound to one stream. */
  connect(remote: IpAddress): void {
    this.call({ kind: 'connect', socket: this.id, remote: { address: remote, port: 0 } })
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
