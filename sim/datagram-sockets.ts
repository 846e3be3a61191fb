import type { Endpoint, IpAddress } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { Errno } from '../protocols/errno.ts'
import { errnoOf } from '../protocols/host/icmp-input.ts'
import { ICMP_UNREACHABLE } from '../protocols/icmp/message.ts'
import type { SocketEvent } from '../protocols/host/socket.ts'
import { type Data, Socket, SocketError, toBytes, toIp, type Waiting } from './socket.ts'

export interface Datagram {
  readonly payload: Bytes
  readonly remote: Endpoint
  readonly local: Endpoint
}

/** A UDP socket. */
export class UdpSocket extends Socket {
  readonly #ready: Datagram[] = []
  #receiving: Waiting<Datagram>[] = []
  #connected = false
  /** An error that nobody has heard yet. */
  #pending: Errno | null = null

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
        return this.#peerFailed(event.type === ICMP_UNREACHABLE ? errnoOf(event.code) : null)
      case 'rejected':
        this.rejected = event.error
        return
      default:
    }
  }

  /** Only a connected socket hears of its peer (RFC 1122 §4.1.3.3), now or at its next call. */
  #peerFailed(error: Errno | null): void {
    if (error === null || !this.#connected) return
    const receiving = this.#receiving.shift()
    if (receiving === undefined) this.#pending = error
    else receiving.reject(new SocketError(error, 'the peer cannot be reached'))
  }

  #takeError(): SocketError | null {
    const error = this.#pending
    this.#pending = null
    return error === null ? null : new SocketError(error, 'the peer cannot be reached')
  }

  bind(port: number): void {
    this.call({ kind: 'bind', socket: this.id, address: null, port })
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

  receive(): Promise<Datagram> {
    const ready = this.#ready.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    const error = this.#takeError()
    if (error !== null) return Promise.reject(error)
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
