import { ETHERNET_HEADER } from '../protocols/ethernet/frame.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import { type DeviceStats, type FrameDevice, type LargeFrames } from './device.ts'
import { type TakeFrame, TOO_LONG, errorName } from './device.ts'
import { libc } from './native.ts'
import { NetworkInterface } from './network-interface.ts'
import { COMPLETE, OFFLOAD_HEADER, eachFrame } from './offload.ts'
import { LARGE_RING, Pump } from './pump.ts'

/*
 * packet(7): every frame that an interface receives, and frames of our own out of it. The kernel's
 * own stack stays on the interface: use addresses that are not its own.
 */
const AF_PACKET = 17
const RAW_NONBLOCK = 0x803
/** ETH_P_ALL in network order. */
const EVERY_PROTOCOL = 0x0300
const SOL_PACKET = 263
const [ADD_MEMBERSHIP, STATISTICS, VNET_HEADER, IGNORE_OUTGOING] = [1, 6, 15, 23]
const MR_PROMISC = 1
const [SOL_SOCKET, SO_RCVBUFFORCE] = [1, 33]
const RECEIVE_BUFFER = 8 << 20
const EPERM = 1
/** IEEE 802.1Q. */
const VLAN_TAG = 4

/** A network interface of this machine, hardware or not. */
export class PacketSocket implements FrameDevice {
  readonly name: string
  readonly layer = 'ethernet'
  readonly mtu: number
  readonly #fd: number
  readonly #out = new Uint8Array(OFFLOAD_HEADER + 65_600)
  readonly large: LargeFrames = {
    largest: 0,
    send: (bytes, length) => this.#count(this.#writeOut(bytes, length), length),
  }
  #pump: Pump | null = null
  #take: TakeFrame = () => {}
  #received = 0
  #sent = 0
  #sendErrors = 0
  #drops = 0
  #closed = false

  /** @throws EnvironmentError, with the command that mends it. */
  constructor(name: string) {
    const link = new NetworkInterface(name)
    const { index } = link
    if (index === 0) {
      throw new EnvironmentError(`there is no interface ${name}`, 'ip link shows all')
    }
    this.name = name
    this.mtu = link.mtu
    this.#fd = openSocket()
    this.#out.set(COMPLETE)
    this.#set(SOL_SOCKET, SO_RCVBUFFORCE, numbers(RECEIVE_BUFFER))
    this.#set(SOL_PACKET, IGNORE_OUTGOING, numbers(1))
    // Large segments come whole, and with a header that says how a card would cut them.
    this.#set(SOL_PACKET, VNET_HEADER, numbers(1))
    this.#set(SOL_PACKET, ADD_MEMBERSHIP, numbers(index, MR_PROMISC, 0, 0))
    const address = new Uint8Array(20) // struct sockaddr_ll
    const view = new DataView(address.buffer)
    view.setUint16(0, AF_PACKET, true)
    view.setUint16(2, EVERY_PROTOCOL, true)
    view.setInt32(4, index, true)
    if (libc().bind(this.#fd, address, address.length) < 0) {
      throw new EnvironmentError(`cannot listen on ${name} (${errorName(libc().errno())})`)
    }
  }

  #set(level: number, option: number, value: Uint8Array): void {
    libc().setsockopt(this.#fd, level, option, value, value.length)
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
    this.#take = take
    return this.#pump?.receive(this.#expand, max) ?? 0
  }

  readonly #counted: TakeFrame = (slab, offset, length) => {
    this.#received += 1
    this.#take(slab, offset, length)
  }

  readonly #expand: TakeFrame = (slab, offset, length) => {
    if (length >= OFFLOAD_HEADER + ETHERNET_HEADER) {
      eachFrame(slab, offset, length, this.#counted, this.large.largest)
    }
  }

  send(frame: Uint8Array, length: number): number {
    if (length > this.mtu + ETHERNET_HEADER + VLAN_TAG) return this.#count(TOO_LONG, length)
    const out = this.#out
    out.set(length === frame.length ? frame : frame.subarray(0, length), OFFLOAD_HEADER)
    const result = this.#writeOut(out, OFFLOAD_HEADER + length)
    return this.#count(result < 0 ? result : result - OFFLOAD_HEADER, length)
  }

  #writeOut(bytes: Uint8Array, length: number): number {
    const written = libc().write(this.#fd, bytes, length)
    return written < 0 ? -libc().errno() : written
  }

  #count(result: number, length: number): number {
    if (result === length) this.#sent += 1
    else this.#sendErrors += 1
    return result
  }

  stats(): DeviceStats {
    // struct tpacket_stats: received and dropped since the last look.
    const value = new Uint8Array(8)
    if (!this.#closed) libc().getsockopt(this.#fd, SOL_PACKET, STATISTICS, value, numbers(8))
    this.#drops += new DataView(value.buffer).getUint32(4, true)
    return {
      received: this.#received,
      sent: this.#sent,
      kernelDrops: this.#drops,
      ringFull: this.#pump?.ringFull ?? 0,
      sendErrors: this.#sendErrors,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.stats()
    this.#closed = true
    await this.#pump?.close()
    libc().close(this.#fd)
  }
}

function openSocket(): number {
  const fd = libc().socket(AF_PACKET, RAW_NONBLOCK, EVERY_PROTOCOL)
  if (fd >= 0) return fd
  const errno = libc().errno()
  const hint = errno === EPERM ? 'run as root, or give the process CAP_NET_RAW' : undefined
  throw new EnvironmentError(`cannot open a packet socket (${errorName(errno)})`, hint)
}

/** 32-bit numbers in the machine's order. */
const numbers = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer)
