import { createSocket, type Socket } from 'node:dgram'
import { type Endpoint, isIpv4 } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { SocketId } from '../protocols/host/socket.ts'
import { ICMP_UNREACHABLE, UNREACHABLE_PORT } from '../protocols/icmp/message.ts'
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

/** A UDP socket of the kernel. */
export class KernelUdp implements KernelSocket {
  readonly id: SocketId
  readonly #place: KernelPlace
  readonly #hear: Hear
  readonly #socket: Socket
  #bound = false
  /** The peer of a connected socket. */
  #remote: Endpoint | null = null
  /** What waits for the connection to be made: Node makes it a little later. */
  #waiting: Bytes[] | null = null
  #closed = false

  constructor(place: KernelPlace, id: SocketId, hear: Hear) {
    this.#place = place
    this.id = id
    this.#hear = hear
    this.#socket = createSocket({ type: place.family === 4 ? 'udp4' : 'udp6' })
    this.#socket.on('message', (payload, from) => {
      const remote = { address: fromNode(from.address), port: from.port }
      const local = this.local() ?? { address: 0, port: 0 }
      hear({ kind: 'datagram', socket: id, payload, remote, local })
    })
    this.#socket.on('error', (error) => this.#failed(error))
  }

  local(): Endpoint | null {
    try {
      const { address, port } = this.#socket.address()
      return { address: fromNode(address), port }
    } catch {
      return null // not bound yet
    }
  }

  call(call: NamedCall): void {
    switch (call.kind) {
      case 'bind': {
        const address =
          call.address === null ? anyAddress(this.#place.family) : toNode(call.address)
        this.#bound = true
        this.#socket.bind({ address, port: call.port, exclusive: true })
        return
      }
      case 'connect':
        this.#remote = call.remote
        this.#waiting = []
        this.#socket.connect(call.remote.port, toNode(call.remote.address), () => this.#connected())
        return
      case 'send':
        return this.#send(call.bytes)
      case 'send-to': {
        this.#bound = true
        const { address, port } = call.remote
        const to = toNode(address)
        this.#socket.send(call.bytes as Uint8Array, port, to, this.#sent('send-to'))
        return
      }
      case 'join':
      case 'leave':
        return this.#whenBound(() => this.#membership(call))
      case 'set':
        return this.#set(call)
      case 'close':
      case 'abort':
        return this.#close()
      default:
        this.#reject(call.kind, 'EOPNOTSUPP')
    }
  }

  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #close(): void {
    if (this.#closed) return
    // What was sent goes out first: Node looks up even numbers a turn later.
    this.#closed = true
    setImmediate(() => this.#socket.close())
    this.#place.remove(this.id)
    this.#hear({ kind: 'closed', socket: this.id })
  }

  /** Node binds a turn later, and would choose a port of its own for what comes before that. */
  #whenBound(act: () => void): void {
    if (this.local() === null && this.#bound) this.#socket.once('listening', act)
    else act()
  }

  /** `via`: an address of the interface; IPv6 wants its name, and the kernel chooses here. */
  #membership(call: NamedCall & { kind: 'join' | 'leave' }): void {
    if (this.#closed) return
    const group = toNode(call.group)
    try {
      if (call.kind === 'leave') this.#socket.dropMembership(group)
      else if (call.via === null || !isIpv4(call.via)) this.#socket.addMembership(group)
      else this.#socket.addMembership(group, toNode(call.via))
    } catch (e) {
      this.#reject(call.kind, errnoOf(e))
    }
  }

  #send(bytes: Bytes): void {
    if (this.#remote === null) return this.#reject('send', 'EDESTADDRREQ')
    if (this.#waiting !== null) this.#waiting.push(bytes)
    else this.#socket.send(bytes as Uint8Array, this.#sent('send'))
  }

  #connected(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    this.#bound = true
    for (const bytes of waiting) this.#send(bytes)
  }

  #sent(call: NamedCall['kind']): (error: Error | null) => void {
    return (error) => {
      if (error === null || this.#closed) return
      if (errnoOf(error) === 'ECONNREFUSED') this.#failed(error)
      else this.#reject(call, errnoOf(error))
    }
  }

  #failed(error: Error): void {
    if (this.#closed) return
    const errno = errnoOf(error)
    if (errno !== 'ECONNREFUSED' || this.#remote === null) {
      return this.#reject(this.#bound ? 'bind' : 'connect', errno)
    }
    // The kernel says no more of the ICMP error than its name.
    const { address } = this.#remote
    this.#hear({
      kind: 'icmp-error',
      socket: this.id,
      from: address,
      remote: address,
      type: ICMP_UNREACHABLE,
      code: UNREACHABLE_PORT,
      sequence: 0,
      error: errno,
      hard: true,
    })
  }

  #set(call: NamedCall & { kind: 'set' }): void {
    const { option, value } = call
    try {
      if (option === 'SO_BROADCAST') this.#socket.setBroadcast(value !== 0)
      else if (option === 'IP_TTL') this.#socket.setTTL(value)
      else if (option === 'IP_MULTICAST_TTL') this.#socket.setMulticastTTL(value)
      else if (option === 'SO_RCVBUF') this.#socket.setRecvBufferSize(value)
      else if (option === 'SO_SNDBUF') this.#socket.setSendBufferSize(value)
      else this.#reject('set', 'ENOPROTOOPT')
    } catch (e) {
      this.#reject('set', errnoOf(e))
    }
  }

  #reject(call: NamedCall['kind'], error: ReturnType<typeof errnoOf>): void {
    this.#hear({ kind: 'rejected', socket: this.id, call, error })
  }
}
