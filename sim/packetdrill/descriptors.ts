import type { Endpoint } from '../../protocols/address.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketId } from '../../protocols/host/socket.ts'
import type { Socket } from '../../protocols/host/state.ts'
import type { Nanos } from '../../protocols/time.ts'
import { createErrorQueue, type ErrorQueue, look } from './error-queue.ts'
import type { OtherFile } from './other-files.ts'
import type { Stage } from './stage.ts'

/** One open file of the script's program. */
export interface Descriptor {
  readonly protocol: 'tcp' | 'udp'
  /** `null`: the host has let the socket go; what is left is what the program has not heard yet. */
  id: SocketId | null
  nonblocking: boolean
  /** SO_ERROR */
  error: string | null
  /** The connection has stood; `standing`: and no `connect` has said so. */
  connected: boolean
  standing: boolean
  connecting: boolean
  /** Bytes that were handed over when the connection ended. */
  left: number
  /** SO_RCVTIMEO and SO_SNDTIMEO: a call that waits gives up then; 0: it does not. */
  receiveTimeout: Nanos
  sendTimeout: Nanos
  /** TCP_INQ */
  tellsQueue: boolean
  /** What MSG_ERRQUEUE tells. */
  readonly errors: ErrorQueue
  /** IP_RECVERR: what may pass is told as an error at once. */
  tellsIcmp: boolean
  /** Closed, and `close` has not been told how that ended. */
  lingering: boolean
  /** Connections of a listener that wait for `accept`. */
  readonly ready: Descriptor[]
  /** Lengths of datagrams that wait. */
  readonly datagrams: { readonly length: number; readonly from: Endpoint }[]
}

function createDescriptor(protocol: 'tcp' | 'udp', id: SocketId, nonblocking: boolean): Descriptor {
  return {
    protocol,
    id,
    nonblocking,
    error: null,
    connected: false,
    standing: false,
    connecting: false,
    left: 0,
    receiveTimeout: 0,
    sendTimeout: 0,
    tellsQueue: false,
    errors: createErrorQueue(),
    tellsIcmp: false,
    lingering: false,
    ready: [],
    datagrams: [],
  }
}

/** The program's files, by the numbers that the script gives them, and what the host says of each. */
export class Descriptors {
  readonly stage: Stage
  readonly #open = new Map<number, Descriptor>()
  readonly #others = new Map<number, OtherFile>()
  readonly #bySocket = new Map<SocketId, Descriptor>()
  /** `receive` is under way, and what it answers is not left over. */
  #receiving = false

  constructor(stage: Stage) {
    this.stage = stage
    stage.listener = (event) => {
      this.#hear(event)
      this.#updateEpolls()
    }
    stage.stepped = () => this.#stepped()
  }

  #updateEpolls(): void {
    for (const each of this.#others.values()) if (each.kind === 'epoll') each.update()
  }

  #stepped(): void {
    for (const d of this.#open.values()) if (d.errors.calls.length > 0) this.settle(d)
  }

  /** What has become of the bytes of a socket's calls goes into its error queue. */
  settle(d: Descriptor): void {
    const { length } = d.errors.records
    const s = this.socketOf(d)
    look(d.errors, s?.kind === 'connection' ? s : null, this.stage.now)
    if (d.errors.records.length !== length) this.#updateEpolls()
  }

  get(fd: number): Descriptor | undefined {
    return this.#open.get(fd)
  }

  get gone(): number {
    return [...this.#open.values()].filter((d) => d.id === null).length
  }

  put(fd: number, descriptor: Descriptor): void {
    this.#open.set(fd, descriptor)
  }

  /** What is no socket. */
  other(fd: number): OtherFile | undefined {
    return this.#others.get(fd)
  }

  putOther(fd: number, file: OtherFile): void {
    this.#others.set(fd, file)
  }

  /** `false`: there is no such file. */
  remove(fd: number): boolean {
    return this.#open.delete(fd) || this.#others.delete(fd)
  }

  /** Gives a descriptor another socket, as new. */
  renew(d: Descriptor): void {
    if (d.id !== null) {
      this.stage.call({ kind: 'abort', socket: d.id })
      this.#bySocket.delete(d.id)
    }
    const [event] = this.stage.call({ kind: 'open', protocol: d.protocol })
    d.id = event?.kind === 'opened' ? event.socket : -1
    d.connected = d.standing = d.connecting = false
    d.error = null
    d.left = 0
    this.#bySocket.set(d.id, d)
  }

  open(protocol: 'tcp' | 'udp', nonblocking: boolean): Descriptor {
    const [event] = this.stage.call({ kind: 'open', protocol })
    const id = event?.kind === 'opened' ? event.socket : -1
    const descriptor = createDescriptor(protocol, id, nonblocking)
    this.#bySocket.set(id, descriptor)
    return descriptor
  }

  socketOf({ id }: Descriptor): Socket | null {
    return id === null ? null : (this.stage.state.sockets[id] ?? null)
  }

  /** Takes up to `max` bytes that the host holds; how many there were. */
  take(id: SocketId, max: number): number {
    this.#receiving = true
    const events = this.stage.call({ kind: 'receive', socket: id, max })
    this.#receiving = false
    const answer = events.find((event) => event.kind === 'received')
    return answer?.bytes ?? 0
  }

  #hear(event: HostEvent): void {
    if (event.kind === 'accepted') return this.#accepted(event)
    const descriptor = 'socket' in event ? this.#bySocket.get(event.socket) : undefined
    if (descriptor === undefined) return
    switch (event.kind) {
      case 'connected':
        descriptor.connected = descriptor.standing = true
        descriptor.connecting = false
        return
      case 'failed':
        descriptor.error = event.error
        descriptor.connecting = false
        return
      case 'lingered':
        descriptor.lingering = false
        return
      case 'icmp-error':
        if (descriptor.protocol === 'udp' ? event.hard : descriptor.tellsIcmp) {
          descriptor.error = event.error
        }
        return
      case 'received':
        if (!this.#receiving) descriptor.left += event.bytes
        return
      case 'datagram':
        return this.#holds(descriptor, event)
      case 'closed':
        this.#bySocket.delete(event.socket)
        descriptor.lingering = false
        descriptor.id = null
        descriptor.connecting = false
        return
      default:
    }
  }

  /** The program reads later. */
  #holds(
    { datagrams }: Descriptor,
    { socket, payload, remote: from }: HostEvent & { kind: 'datagram' },
  ): void {
    const { length } = payload
    datagrams.push({ length, from })
    this.stage.call({ kind: 'hold', socket, size: length })
  }

  #accepted(event: HostEvent & { kind: 'accepted' }): void {
    const descriptor = createDescriptor('tcp', event.socket, false)
    descriptor.connected = true
    this.#bySocket.set(event.socket, descriptor)
    const listener = this.#bySocket.get(event.listener)
    if (listener === undefined) return
    descriptor.errors.stamps = listener.errors.stamps
    descriptor.errors.zeroCopy = listener.errors.zeroCopy
    listener.ready.push(descriptor)
  }
}
