import type { Endpoint, IpAddress } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import type { Errno } from '../protocols/errno.ts'
import type { SocketCall, SocketId } from '../protocols/host/socket.ts'
import { emitIpv4, parseIpv4 } from '../protocols/ipv4/codec.ts'
import {
  DEFAULT_TTL,
  DONT_FRAGMENT,
  IPV4_HEADER,
  Ipv4Packet,
  MAY_FRAGMENT,
} from '../protocols/ipv4/packet.ts'
import { Opaque } from '../protocols/payload.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import { type FrameDevice, TOO_LONG } from './device.ts'
import type { SocketMaker } from './kernel-host.ts'
import type { Hear, KernelPlace, KernelSocket, NamedCall } from './kernel-socket.ts'
import { RawSocket } from './raw-socket.ts'

/** Packets of one IP protocol of the kernel's, with the calls and events of a raw socket of ours. */
class KernelRaw implements KernelSocket {
  readonly #place: KernelPlace
  readonly #id: SocketId
  readonly #hear: Hear
  readonly #device: FrameDevice
  readonly #protocol: number
  #remote: IpAddress | null = null
  #address: IpAddress | null = null
  #ttl = DEFAULT_TTL
  #dontFragment = false
  #hasHeader = false
  #closed = false

  constructor(
    place: KernelPlace,
    call: SocketCall & { kind: 'open'; protocol: 'raw' },
    id: SocketId,
    hear: Hear,
  ) {
    this.#place = place
    this.#id = id
    this.#hear = hear
    this.#protocol = call.number
    this.#device = new RawSocket(call.number)
    this.#device.listen(() => this.#receive())
  }

  local(): Endpoint | null {
    return this.#address === null ? null : { address: this.#address, port: 0 }
  }

  destroy(): void {
    this.#closed = true
    void this.#device.close()
  }

  call(call: NamedCall): void {
    switch (call.kind) {
      case 'bind':
        this.#address = call.address
        return
      case 'connect':
        this.#remote = call.remote.address
        return
      case 'send':
        if (this.#remote === null) return this.#reject('send', 'EDESTADDRREQ')
        return this.#send('send', call.bytes, this.#remote)
      case 'send-to':
        return this.#send('send-to', call.bytes, call.remote.address)
      case 'set':
        if (call.option === 'IP_TTL') this.#ttl = call.value
        else if (call.option === 'IP_HDRINCL') this.#hasHeader = call.value !== 0
        else if (call.option === 'IP_MTU_DISCOVER') this.#dontFragment = call.value === 2
        else this.#reject('set', 'ENOPROTOOPT')
        return
      case 'close':
      case 'abort':
        if (this.#closed) return
        this.destroy()
        this.#place.remove(this.#id)
        return this.#hear({ kind: 'closed', socket: this.#id })
      default:
        this.#reject(call.kind, 'EOPNOTSUPP')
    }
  }

  /** What the kernel hands over has been put together, and begins with its header. */
  #receive(): void {
    const packets: Uint8Array[] = []
    const take = (slab: Uint8Array, offset: number, length: number): void => {
      packets.push(slab.slice(offset, offset + length))
    }
    while (!this.#closed && this.#device.receive(take, BATCH) > 0) {
      for (const packet of packets.splice(0)) this.#packet(packet)
    }
  }

  #packet(bytes: Uint8Array): void {
    const parsed = parseIpv4(bytes)
    if (!parsed.ok || this.#closed) return
    const { source, destination, payload } = parsed.value
    if (this.#remote !== null && this.#remote !== source) return
    if (this.#address !== null && this.#address !== destination) return
    const inner = payload.kind === 'opaque' ? payload.bytes : bytes.subarray(IPV4_HEADER)
    this.#hear({
      kind: 'datagram',
      socket: this.#id,
      payload: this.#hasHeader ? bytes : inner,
      remote: { address: source, port: 0 },
      local: { address: destination, port: 0 },
    })
  }

  /** The kernel fills in length and checksum, and a source and an identification of 0. */
  #send(call: NamedCall['kind'], bytes: Bytes, to: IpAddress): void {
    if (typeof to !== 'number') return this.#reject(call, 'EINVAL')
    const details = this.#dontFragment ? DONT_FRAGMENT : MAY_FRAGMENT
    const source = typeof this.#address === 'number' ? this.#address : 0
    const packet = this.#hasHeader
      ? Uint8Array.from(bytes)
      : emitIpv4(
          new Ipv4Packet(source, to, this.#protocol, this.#ttl, 0, details, new Opaque(bytes)),
        )
    const result = this.#device.send(packet, packet.length)
    if (result < 0) this.#reject(call, result === TOO_LONG ? 'EMSGSIZE' : 'ENETUNREACH')
  }

  #reject(call: NamedCall['kind'], error: Errno): void {
    this.#hear({ kind: 'rejected', socket: this.#id, call, error })
  }
}

const BATCH = 64

/** For the makers of a `KernelHost`. @throws EnvironmentError where the system does not allow it. */
export const kernelRaw: SocketMaker = (place, call, id, hear) => {
  if (call.protocol !== 'raw') throw new EnvironmentError('raw sockets are IP sockets')
  return new KernelRaw(place, call, id, hear)
}
