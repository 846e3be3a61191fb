import { createRequire } from 'node:module'
import { formatIp } from '../protocols/address.ts'
import { i32 } from '../protocols/bytes.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import {
  type DeviceStats,
  type FrameDevice,
  type TakeFrame,
  TOO_LONG,
  errorName,
} from './device.ts'
import { libc } from './native.ts'
import { LARGE_RING, Pump } from './pump.ts'

/*
 * raw(7): the IPv4 packets of one protocol that the kernel receives for this machine, and packets of
 * our own with a header of our own. Two ways: koffi, and the package raw-socket where koffi is not.
 */
const [AF_INET, RAW_NONBLOCK] = [2, 0x803]
const [IPPROTO_IP, IP_HDRINCL] = [0, 3]
const [SOL_SOCKET, SO_RCVBUFFORCE, SO_MEMINFO] = [1, 33, 55]
/** SK_MEMINFO_DROPS: the last of nine 32-bit numbers. */
const DROPS = 32
const EPERM = 1
const LONGEST = 65_535
const IPV4_DESTINATION = 16
const IPV4_HEADER = 20
/** EINVAL */
const NO_PACKET = -22

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
])

/** A name or a number. @throws UserError for any other. */
export function readProtocol(text: string): number {
  const protocol = PROTOCOLS.get(text) ?? (/^\d{1,3}$/.test(text) ? Number(text) : 256)
  if (protocol > 0 && protocol < 255) return protocol
  throw new UserError(`'${text}' is not an IP protocol`, {
    hint: `expected ${[...PROTOCOLS.keys()].join(', ')} or a number from 1 to 254`,
  })
}

/** A raw socket for one IP protocol. */
export class RawSocket implements FrameDevice {
  readonly name: string
  readonly layer = 'ip'
  readonly mtu = LONGEST
  readonly #fd: number
  /** struct sockaddr_in */
  readonly #address = new Uint8Array(16)
  #pump: Pump | null = null
  #sent = 0
  #sendErrors = 0
  #closed = false

  /** @throws EnvironmentError, with what mends it. */
  constructor(protocol: number) {
    this.name = `raw:${protocol}`
    const c = libc()
    this.#fd = c.socket(AF_INET, RAW_NONBLOCK, protocol)
    if (this.#fd < 0) throw cannotOpen(errorName(c.errno()), c.errno() === EPERM)
    const one = Uint8Array.of(1, 0, 0, 0)
    c.setsockopt(this.#fd, IPPROTO_IP, IP_HDRINCL, one, 4)
    const buffer = new Uint8Array(Int32Array.of(8 << 20).buffer)
    c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, buffer, 4)
    this.#address[0] = AF_INET
  }

  get failure(): number {
    return this.#pump?.failure ?? 0
  }
  get reader(): Pump | null {
    return this.#pump
  }

  listen(ready: () => void): void {
    this.#pump ??= new Pump(this.#fd, LARGE_RING, ready)
  }

  receive(take: TakeFrame, max: number): number {
    return this.#pump?.receive(take, max) ?? 0
  }

  send(packet: Uint8Array, length: number): number {
    const result = refusal(length) ?? this.#write(packet, length)
    if (result === length) this.#sent += 1
    else this.#sendErrors += 1
    return result
  }

  #write(packet: Uint8Array, length: number): number {
    const address = this.#address
    for (let i = 0; i < 4; i++) address[4 + i] = packet[IPV4_DESTINATION + i]!
    const written = libc().sendto(this.#fd, packet, length, 0, address, address.length)
    return written < 0 ? -libc().errno() : written
  }

  #drops(): number {
    const value = new Uint8Array(36)
    const size = Uint8Array.of(value.length, 0, 0, 0)
    if (!this.#closed) libc().getsockopt(this.#fd, SOL_SOCKET, SO_MEMINFO, value, size)
    return new DataView(value.buffer).getUint32(DROPS, true)
  }

  stats(): DeviceStats {
    return {
      received: this.#pump?.received ?? 0,
      sent: this.#sent,
      kernelDrops: this.#drops(),
      ringFull: this.#pump?.ringFull ?? 0,
      sendErrors: this.#sendErrors,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pump?.close()
    libc().close(this.#fd)
  }
}

interface PackageSocket {
  on(event: 'message' | 'error', hear: (bytes: Buffer) => void): void
  setOption(level: number, option: number, value: number): void
  send(
    bytes: Uint8Array,
    offset: number,
    length: number,
    address: string,
    sent: (error: Error | null) => void,
  ): void
  close(): void
}
interface RawSocketPackage {
  createSocket(options: { protocol: number; bufferSize: number }): PackageSocket
}

/** So many packets wait for us; later ones are dropped and counted. */
const WAITING_MAX = 4096

/** The same by way of the package raw-socket, which needs no koffi, only a compiler. */
export class PackageRawSocket implements FrameDevice {
  readonly name: string
  readonly layer = 'ip'
  readonly mtu = LONGEST
  readonly failure = 0
  // A handle that nobody holds is collected, and the process ends.
  readonly #socket: PackageSocket
  readonly #waiting: Uint8Array[] = []
  #ready: (() => void) | null = null
  #sleeping = true
  #received = 0
  #sent = 0
  #drops = 0
  #sendErrors = 0
  #closed = false

  /** @throws EnvironmentError, with what mends it. */
  constructor(protocol: number) {
    this.name = `raw:${protocol}`
    const raw = requirePackage()
    try {
      this.#socket = raw.createSocket({ protocol, bufferSize: LONGEST })
    } catch (e) {
      throw cannotOpen(String(e instanceof Error ? e.message : e), true)
    }
    this.#socket.setOption(IPPROTO_IP, IP_HDRINCL, 1)
    this.#socket.on('error', () => (this.#sendErrors += 1))
    this.#socket.on('message', (bytes) => this.#hear(bytes))
  }

  #hear(bytes: Buffer): void {
    if (this.#ready === null) return
    if (this.#waiting.length >= WAITING_MAX) {
      this.#drops += 1
      return
    }
    this.#received += 1
    // The package reads every packet into one buffer.
    this.#waiting.push(Uint8Array.from(bytes))
    if (!this.#sleeping) return
    this.#sleeping = false
    this.#ready()
  }

  listen(ready: () => void): void {
    this.#ready = ready
  }

  receive(take: TakeFrame, max: number): number {
    const now = this.#waiting.splice(0, max)
    for (const bytes of now) take(bytes, 0, bytes.length)
    this.#sleeping = now.length < max
    return now.length
  }

  send(packet: Uint8Array, length: number): number {
    const refused = refusal(length)
    if (refused !== null) {
      this.#sendErrors += 1
      return refused
    }
    const to = formatIp(i32(packet, IPV4_DESTINATION))
    const own = Buffer.from(packet.subarray(0, length))
    this.#socket.send(own, 0, length, to, (error) => {
      if (error === null) this.#sent += 1
      else this.#sendErrors += 1
    })
    return length
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

  close(): Promise<void> {
    if (!this.#closed) this.#socket.close()
    this.#closed = true
    return Promise.resolve()
  }
}

const refusal = (length: number): number | null =>
  length > LONGEST ? TOO_LONG : length < IPV4_HEADER ? NO_PACKET : null

function requirePackage(): RawSocketPackage {
  try {
    return createRequire(import.meta.url)('raw-socket') as RawSocketPackage
  } catch {
    throw new EnvironmentError(
      'the package raw-socket is missing, or was built for another Node',
      'install it: npm install raw-socket (it needs a compiler)',
    )
  }
}

function cannotOpen(why: string, forbidden: boolean): EnvironmentError {
  const hint = forbidden ? 'run as root, or give the process CAP_NET_RAW' : undefined
  return new EnvironmentError(`cannot open a raw socket (${why})`, hint)
}
