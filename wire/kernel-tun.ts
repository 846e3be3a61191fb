import {
  ANY_IPV4,
  type Endpoint,
  type IpAddress,
  readIpv4,
  readIpv6,
} from '../protocols/address.ts'
import type { SocketId } from '../protocols/host/socket.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import { TOO_LONG } from './device.ts'
import type { SocketMaker } from './kernel-host.ts'
import type { Hear, KernelPlace, KernelSocket, NamedCall } from './kernel-socket.ts'
import type { Tap, Tun } from './tap.ts'

/** A program's end of a TUN or TAP of the kernel's, with the calls and events of a TUN of ours. */
class KernelTun implements KernelSocket {
  readonly #place: KernelPlace
  readonly #id: SocketId
  readonly #hear: Hear
  readonly #device: Tap | Tun
  #closed = false

  constructor(place: KernelPlace, id: SocketId, hear: Hear, device: Tap | Tun) {
    this.#place = place
    this.#id = id
    this.#hear = hear
    this.#device = device
    device.listen(() => this.#receive())
  }

  local(): Endpoint | null {
    return null
  }

  destroy(): void {
    this.#closed = true
    void this.#device.close()
  }

  call(call: NamedCall): void {
    switch (call.kind) {
      case 'send': {
        const bytes = Uint8Array.from(call.bytes)
        const result = this.#device.send(bytes, bytes.length)
        if (result < 0) this.#reject('send', result === TOO_LONG ? 'EMSGSIZE' : 'EINVAL')
        return
      }
      case 'set':
        if (call.option !== 'SIOCSIFMTU') return this.#reject('set', 'ENOPROTOOPT')
        return this.#setMtu(call.value)
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

  /** Whoever prepared the interface may not have given us the right to change it. */
  #setMtu(mtu: number): void {
    try {
      if (this.#device.mtu !== mtu) this.#device.mtu = mtu
    } catch (e) {
      if (!(e instanceof EnvironmentError)) throw e
      this.#reject('set', 'EACCES')
    }
  }

  #receive(): void {
    const packets: Uint8Array[] = []
    const take = (slab: Uint8Array, offset: number, length: number): void => {
      packets.push(slab.slice(offset, offset + length))
    }
    while (!this.#closed && this.#device.receive(take, BATCH) > 0) {
      for (const payload of packets.splice(0)) {
        const [remote, local] = this.#device.layer === 'ip' ? addressesOf(payload) : NOBODY
        this.#hear({ kind: 'datagram', socket: this.#id, payload, remote, local })
      }
    }
    if (this.#closed || this.#device.failure === 0) return
    this.#hear({ kind: 'failed', socket: this.#id, error: 'ENODEV' })
  }

  #reject(
    call: NamedCall['kind'],
    error: 'EMSGSIZE' | 'EINVAL' | 'ENOPROTOOPT' | 'EACCES' | 'EOPNOTSUPP',
  ): void {
    this.#hear({ kind: 'rejected', socket: this.#id, call, error })
  }
}

const BATCH = 64
const endpoint = (address: IpAddress): Endpoint => ({ address, port: 0 })
const NOBODY: readonly [Endpoint, Endpoint] = [endpoint(ANY_IPV4), endpoint(ANY_IPV4)]

/** Where a packet goes, and whence. */
function addressesOf(b: Uint8Array): readonly [Endpoint, Endpoint] {
  const version = (b[0] ?? 0) >> 4
  if (version === 4 && b.length >= 20) return [endpoint(readIpv4(b, 16)), endpoint(readIpv4(b, 12))]
  if (version === 6 && b.length >= 40) return [endpoint(readIpv6(b, 24)), endpoint(readIpv6(b, 8))]
  return NOBODY
}

/** For the makers of a `KernelHost`: its TUN is this device, which is closed with it. */
export const kernelTun =
  (device: Tap | Tun): SocketMaker =>
  (place, _call, id, hear) =>
    new KernelTun(place, id, hear, device)
