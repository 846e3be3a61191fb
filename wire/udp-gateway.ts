import { createSocket, type Socket } from 'node:dgram'
import { type Ipv4Address, formatIp, isIpv4, parseIpv4Text } from '../protocols/address.ts'
import { emitIpv4, parseIpv4 } from '../protocols/ipv4/codec.ts'
import { DONT_FRAGMENT, Ipv4Packet, PROTOCOL_UDP } from '../protocols/ipv4/packet.ts'
import { UdpDatagram } from '../protocols/udp/datagram.ts'
import type { Outlet } from '../sim/binding.ts'
import type { Network } from '../sim/topology.ts'
import { UserError } from '../sim/user-error.ts'
import type { DeviceStats, FrameDevice, TakeFrame } from './device.ts'
import { TOO_LONG } from './device.ts'

/** This machine, as the kernel's sockets know it. */
const LOOPBACK = '127.0.0.1'
const WAITING_MAX = 4096
const HEADERS = 28
/** EPROTONOSUPPORT, EINVAL */
const [NO_UDP, NO_PACKET] = [-93, -22]

/**
 * The kernel's own UDP sockets in the place of a host: no rights needed. A datagram to an address of
 * that host goes to this machine, one to any other address goes there, each sender by a socket of
 * its own; answers come back the same way. Ports named behind `udp:` are open on 127.0.0.1, and what
 * comes to them goes to the same port of the host at the other end of the link.
 */
export class UdpGateway implements FrameDevice {
  readonly name: string
  readonly layer = 'ip'
  readonly mtu: number
  readonly failure = 0
  readonly #own: readonly Ipv4Address[]
  readonly #peer: Ipv4Address | null
  /** By the sender in the world, `10.0.0.1:5000`. */
  readonly #sockets = new Map<string, Socket>()
  /** By port, for clients of this machine. */
  readonly #listeners = new Map<number, Socket>()
  readonly #waiting: Uint8Array[] = []
  #ready: () => void = () => {}
  #sleeping = true
  #received = 0
  #sent = 0
  #drops = 0
  #sendErrors = 0
  #identification = 0

  /** @throws UserError for anything but `udp` and `udp:PORT,PORT`. */
  constructor(name: string, outlet: Outlet, network: Network) {
    const where = `--bind ${outlet.place}=kernel:${name}`
    this.name = `kernel:${name}`
    this.mtu = outlet.interface.mtu
    this.#own = outlet.interface.addresses.map(({ address }) => address).filter(isIpv4)
    this.#peer = peerOf(outlet, network)
    const [, ports] = /^udp(?::([\d,]+))?$/.exec(name) ?? [undefined, null]
    if (ports === null) throw new UserError('the kernel has udp', { where, hint: 'kernel:udp' })
    for (const port of (ports ?? '').split(',').filter((each) => each !== '')) {
      if (Number(port) < 1 || Number(port) > 65_535) {
        throw new UserError(`${port} is not a port`, { where })
      }
      this.#listeners.set(Number(port), createSocket('udp4'))
    }
  }

  listen(ready: () => void): void {
    this.#ready = ready
    for (const [port, socket] of this.#listeners) {
      socket.on('error', () => (this.#sendErrors += 1))
      socket.on('message', (bytes, from) => {
        if (this.#peer === null || this.#own.length === 0) return
        this.#hear(this.#own[0]!, from.port, this.#peer, port, bytes)
      })
      socket.bind(port, LOOPBACK)
    }
  }

  #hear(from: Ipv4Address, fromPort: number, to: Ipv4Address, port: number, bytes: Buffer): void {
    if (this.#waiting.length >= WAITING_MAX || bytes.length + HEADERS > this.mtu) {
      this.#drops += 1
      return
    }
    this.#received += 1
    this.#identification = (this.#identification + 1) & 0xffff
    const datagram = new UdpDatagram(fromPort, port, Uint8Array.from(bytes))
    const number = this.#identification
    const packet = new Ipv4Packet(from, to, PROTOCOL_UDP, 64, number, DONT_FRAGMENT, datagram)
    this.#waiting.push(emitIpv4(packet))
    if (!this.#sleeping) return
    this.#sleeping = false
    this.#ready()
  }

  receive(take: TakeFrame, max: number): number {
    const now = this.#waiting.splice(0, max)
    for (const bytes of now) take(bytes, 0, bytes.length)
    this.#sleeping = now.length < max
    return now.length
  }

  send(packet: Uint8Array, length: number): number {
    const result = length > this.mtu ? TOO_LONG : this.#forward(packet.slice(0, length))
    if (result < 0) this.#sendErrors += 1
    else this.#sent += 1
    return result
  }

  #forward(bytes: Uint8Array): number {
    const read = parseIpv4(bytes)
    if (!read.ok) return NO_PACKET
    const { source, destination, payload } = read.value
    if (payload.kind !== 'udp') return NO_UDP
    const own = this.#own.includes(destination)
    const to = own ? LOOPBACK : formatIp(destination)
    const answering = own ? this.#listeners.get(payload.sourcePort) : undefined
    const socket = answering ?? this.#socketOf(source, payload.sourcePort, destination)
    socket.send(payload.payload as Uint8Array, payload.destinationPort, to, (error) => {
      if (error !== null) this.#sendErrors += 1
    })
    return bytes.length
  }

  #socketOf(source: Ipv4Address, port: number, destination: Ipv4Address): Socket {
    const key = `${formatIp(source)}:${port}`
    const known = this.#sockets.get(key)
    if (known !== undefined) return known
    const socket = createSocket('udp4')
    this.#sockets.set(key, socket)
    socket.on('error', () => (this.#sendErrors += 1))
    socket.on('message', (answer, from) => {
      // Behind 127.0.0.1 stands the host whose place this is.
      const sender = from.address === LOOPBACK ? this.#own[0] : parseIpv4Text(from.address)
      this.#hear(sender ?? destination, from.port, source, port, answer)
    })
    return socket
  }

  stats(): DeviceStats {
    return {
      received: this.#received,
      sent: this.#sent,
      kernelDrops: this.#drops,
      ringFull: 0,
      sendErrors: this.#sendErrors,
    }
  }

  async close(): Promise<void> {
    const all = [...this.#sockets.values(), ...this.#listeners.values()]
    this.#sockets.clear()
    this.#listeners.clear()
    await Promise.all(all.map((socket) => new Promise<void>((done) => socket.close(() => done()))))
  }
}

/** The host at the other end of the cable; `null` where a switch stands there. */
function peerOf(outlet: Outlet, network: Network): Ipv4Address | null {
  const link = network.links[outlet.interface.link]!
  const far = outlet.interface.end === 'a' ? link.b : link.a
  const addresses = network.nodes[far.node]!.interfaces[far.port]!.addresses
  return addresses.map(({ address }) => address).find(isIpv4) ?? null
}
