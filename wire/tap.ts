import { readFileSync } from 'node:fs'
import type { Mac } from '../protocols/address.ts'
import { ETHERNET_HEADER } from '../protocols/ethernet/frame.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import { type DeviceStats, type FrameDevice, type LargeFrames } from './device.ts'
import { type TakeFrame, TOO_LONG, errorName } from './device.ts'
import { libc } from './native.ts'
import { NetworkInterface, checkInterfaceName, interfaceRequest } from './network-interface.ts'
import { COMPLETE, OFFLOAD_HEADER, eachFrame } from './offload.ts'
import { Pump, type RingSize, LARGE_RING, SMALL_RING } from './pump.ts'

/*
 * The Linux TUN/TAP driver: https://docs.kernel.org/networking/tuntap.html. Ending the process
 * removes the interface, unless it was made persistent by its owner.
 */
const DEVICE = '/dev/net/tun'
const O_RDWR_NONBLOCK = 0x802
const TUNSETIFF = 0x400454ca
const [IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR] = [1, 2, 0x1000, 0x4000]
const [TUNSETOFFLOAD, TUNSETVNETHDRSZ] = [0x400454d0, 0x400454d8]
/** TUN_F_CSUM, TSO4, TSO6 and TSO_ECN. */
const OFFLOADS = 0x0f
const UNION = 16
/** What waits for a reader that is late: the kernel's 500 or 1000 are 10 ms of small frames. */
const QUEUE_FRAMES = 10_000
const [EPERM, EACCES, ENOENT, EBUSY, EINVAL] = [1, 13, 2, 16, 22]
/** IEEE 802.1Q. */
const VLAN_TAG = 4

/** What `Tap` and `Tun` have in common. The properties are those of the package `tuntap2`. */
class TunTap {
  readonly name: string
  /** There was none of this name before: it goes when this is closed. */
  readonly created: boolean
  readonly #fd: number
  readonly #interface: NetworkInterface
  readonly #header: number
  /** Frames stand behind an offload header; `null`: they do not. */
  readonly large?: LargeFrames
  readonly #out = new Uint8Array(OFFLOAD_HEADER + 65_600)
  /** So long a frame may be that is sent, where that is more than the MTU. */
  longest = 0
  #take: TakeFrame = () => {}
  #received = 0
  #mtu: number
  #pump: Pump | null = null
  #sent = 0
  #sendErrors = 0
  #closed = false

  /**
   * Attaches to the interface of this name, or makes it; without a name, the kernel chooses one.
   *
   * @throws EnvironmentError, with the command that mends it.
   */
  constructor(kind: 'tap' | 'tun', name: string) {
    if (name !== '') checkInterfaceName(name)
    this.created = name === '' || new NetworkInterface(name).index === 0
    // One that somebody prepared keeps its features.
    const offload = kind === 'tap' && this.created
    const { fd, given } = attach(kind, name, offload)
    this.name = given
    this.#fd = fd
    this.#header = kind === 'tap' ? ETHERNET_HEADER : 0
    this.#interface = new NetworkInterface(given)
    this.#mtu = this.#interface.mtu
    // Whoever prepared one for us may not have given us the right to change it.
    if (this.created) this.#interface.txQueueLength = QUEUE_FRAMES
    if (offload) {
      const send: LargeFrames['send'] = (bytes, length) =>
        this.#count(this.#write(bytes, length), length)
      this.large = { largest: 0, send }
      this.#out.set(COMPLETE)
    }
  }

  get mtu(): number {
    return this.#mtu
  }
  set mtu(mtu: number) {
    this.#interface.mtu = mtu
    this.#mtu = mtu
  }
  get isUp(): boolean {
    return this.#interface.isUp
  }
  set isUp(up: boolean) {
    this.#interface.isUp = up
  }
  /** The kernel's own address on it, `10.0.0.1/24`. */
  get ipv4(): string | null {
    return this.#interface.ipv4
  }
  set ipv4(address: string) {
    this.#interface.ipv4 = address
  }
  get ipv6(): string | null {
    return this.#interface.ipv6
  }
  set ipv6(address: string) {
    this.#interface.ipv6 = address
  }
  get mac(): Mac {
    return this.#interface.mac
  }
  set mac(mac: Mac) {
    this.#interface.mac = mac
  }

  get failure(): number {
    return this.#pump?.failure ?? 0
  }
  get reader(): Pump | null {
    return this.#pump
  }

  listen(ready: () => void): void {
    const size = this.large === undefined ? this.#mtu + this.#header + VLAN_TAG : Infinity
    this.#pump ??= new Pump(this.#fd, ringFor(size), ready)
  }

  receive(take: TakeFrame, max: number): number {
    this.#take = take
    return this.#pump?.receive(this.large === undefined ? this.#counted : this.#expand, max) ?? 0
  }

  readonly #counted: TakeFrame = (slab, offset, length) => {
    this.#received += 1
    this.#take(slab, offset, length)
  }

  readonly #expand: TakeFrame = (slab, offset, length) =>
    eachFrame(slab, offset, length, this.#counted, this.large!.largest)

  send(frame: Uint8Array, length: number): number {
    // The driver takes what is longer than its MTU.
    const tag = this.#header > 0 && frame[12] === 0x81 ? VLAN_TAG : 0
    if (length > Math.max(this.#mtu + this.#header + tag, this.longest))
      return this.#count(TOO_LONG, length)
    if (this.large === undefined) return this.#count(this.#write(frame, length), length)
    const out = this.#out
    out.set(length === frame.length ? frame : frame.subarray(0, length), OFFLOAD_HEADER)
    const result = this.#write(out, OFFLOAD_HEADER + length)
    return this.#count(result < 0 ? result : result - OFFLOAD_HEADER, length)
  }

  #count(result: number, length: number): number {
    if (result === length) this.#sent += 1
    else this.#sendErrors += 1
    return result
  }

  #write(frame: Uint8Array, length: number): number {
    const result = libc().write(this.#fd, frame, length)
    return result < 0 ? -libc().errno() : result
  }

  stats(): DeviceStats {
    return {
      received: this.#received,
      sent: this.#sent,
      kernelDrops: transmitDrops(this.name),
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

/** An Ethernet interface of this machine, whose cable ends in this process. */
export class Tap extends TunTap implements FrameDevice {
  readonly layer = 'ethernet'

  constructor(name = '') {
    super('tap', name)
  }
}

/** A point-to-point interface of this machine that carries IP packets. */
export class Tun extends TunTap implements FrameDevice {
  readonly layer = 'ip'

  constructor(name = '') {
    super('tun', name)
  }
}

function attach(
  kind: 'tap' | 'tun',
  name: string,
  offload: boolean,
): { fd: number; given: string } {
  const c = libc()
  const fd = c.open(DEVICE, O_RDWR_NONBLOCK)
  if (fd < 0) throw cannotOpen(c.errno())
  const { bytes, view } = interfaceRequest(name)
  const flags = (kind === 'tap' ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0)
  view.setUint16(UNION, flags, true)
  if (c.ioctl(fd, TUNSETIFF, bytes) < 0) {
    const errno = c.errno()
    c.close(fd)
    throw cannotAttach(kind, name, errno)
  }
  if (offload) {
    c.ioctl(fd, TUNSETVNETHDRSZ, Uint8Array.of(OFFLOAD_HEADER, 0, 0, 0))
    c.ioctlValue(fd, TUNSETOFFLOAD, OFFLOADS)
  }
  const end = bytes.indexOf(0)
  return { fd, given: String.fromCharCode(...bytes.subarray(0, end)) }
}

function cannotOpen(errno: number): EnvironmentError {
  const hints = new Map([
    [EACCES, `run as root, or let root open it to you: chmod 0666 ${DEVICE}`],
    [ENOENT, 'as root: modprobe tun; mkdir -p /dev/net; mknod /dev/net/tun c 10 200'],
  ])
  return new EnvironmentError(`cannot open ${DEVICE} (${errorName(errno)})`, hints.get(errno))
}

function cannotAttach(kind: string, name: string, errno: number): EnvironmentError {
  const shown = name === '' ? `a ${kind}` : name
  const prepare = `ip tuntap add dev ${name || `${kind}0`} mode ${kind} user $USER`
  const hints = new Map([
    [EPERM, `run as root, or let root prepare it: ${prepare}`],
    [EBUSY, `another process has it; see: ip -d link show ${name}`],
    [EINVAL, `it is no ${kind}; see: ip -d link show ${name}`],
  ])
  return new EnvironmentError(`cannot attach to ${shown} (${errorName(errno)})`, hints.get(errno))
}

const ringFor = (bytes: number): RingSize =>
  bytes <= SMALL_RING.slotBytes ? SMALL_RING : LARGE_RING

/** What the kernel wanted to send and nobody read. */
function transmitDrops(name: string): number {
  // Of the namespace of this thread, whatever /sys is mounted.
  const lines = readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n')
  const line = lines.find((each) => each.trim().startsWith(`${name}:`))
  return line === undefined
    ? 0
    : Number(
        line
          .slice(line.indexOf(':') + 1)
          .trim()
          .split(/\s+/)[11],
      )
}
