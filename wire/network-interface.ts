import { readFileSync } from 'node:fs'
import {
  formatIp,
  type Ipv4Address,
  type Mac,
  maskOf,
  parseIpv4Text,
} from '../protocols/address.ts'
import { parseIpv6Text, parseMacText, putIpv6, readIpv6, readMac } from '../protocols/address.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { errorName } from './device.ts'
import { libc } from './native.ts'

/*
 * struct ifreq, 40 bytes (netdevice(7)), numbers in the machine's order:
 *
 *   0                               16                              40
 *   +-------------------------------+-------------------------------+
 *   | name, zero-terminated         | flags | number | sockaddr     |
 *   +-------------------------------+-------------------------------+
 */
const IFREQ = 40
const NAME_MAX = 15
const UNION = 16

const [AF_INET, AF_INET6, SOCK_DGRAM] = [2, 10, 2]
const [IFF_UP, ARPHRD_ETHER] = [1, 1]
const [EPERM, EEXIST] = [1, 17]
// linux/sockios.h
const SIOCADDRT = 0x890b
const [SIOCGIFFLAGS, SIOCSIFFLAGS] = [0x8913, 0x8914]
const [SIOCGIFADDR, SIOCSIFADDR] = [0x8915, 0x8916]
const [SIOCGIFNETMASK, SIOCSIFNETMASK] = [0x891b, 0x891c]
const [SIOCGIFMTU, SIOCSIFMTU] = [0x8921, 0x8922]
const [SIOCGIFHWADDR, SIOCSIFHWADDR] = [0x8927, 0x8924]
const [SIOCGIFINDEX, SIOCSIFTXQLEN] = [0x8933, 0x8943]

/** @throws UserError for what no interface can be called. */
export function checkInterfaceName(name: string): void {
  if (name !== '' && name.length <= NAME_MAX && !/[\s/:]/.test(name)) return
  throw new UserError(`'${name}' cannot be the name of an interface`, {
    hint: `expected 1 to ${NAME_MAX} characters without spaces, slashes and colons`,
  })
}

export function interfaceRequest(name: string): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(IFREQ)
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** A network interface of this machine, as the kernel shows it. What cannot be done throws an
 * `EnvironmentError`. */
export class NetworkInterface {
  readonly name: string

  constructor(name: string) {
    checkInterfaceName(name)
    this.name = name
  }

  /** 0 where there is none of this name. */
  get index(): number {
    const { bytes, view } = interfaceRequest(this.name)
    return withSocket(AF_INET, (fd) => libc().ioctl(fd, SIOCGIFINDEX, bytes)) < 0
      ? 0
      : view.getInt32(UNION, true)
  }

  get isUp(): boolean {
    return (this.#get(SIOCGIFFLAGS).view.getUint16(UNION, true) & IFF_UP) !== 0
  }
  set isUp(up: boolean) {
    const { bytes, view } = this.#get(SIOCGIFFLAGS)
    const flags = view.getUint16(UNION, true)
    view.setUint16(UNION, up ? flags | IFF_UP : flags & ~IFF_UP, true)
    this.#call(SIOCSIFFLAGS, bytes, up ? 'bring it up' : 'take it down')
  }

  /** Bytes. */
  get mtu(): number {
    return this.#get(SIOCGIFMTU).view.getInt32(UNION, true)
  }
  set mtu(mtu: number) {
    this.#setNumber(SIOCSIFMTU, mtu, `set its MTU to ${mtu}`)
  }

  /** Frames that wait for a reader. */
  set txQueueLength(frames: number) {
    this.#setNumber(SIOCSIFTXQLEN, frames, 'lengthen its queue')
  }

  get mac(): Mac {
    return readMac(this.#get(SIOCGIFHWADDR).bytes, UNION + 2)
  }
  set mac(mac: Mac) {
    const text = parseMacText(mac)
    if (text === null) throw new UserError(`'${mac}' is not a MAC address`)
    const { bytes, view } = interfaceRequest(this.name)
    view.setUint16(UNION, ARPHRD_ETHER, true)
    text.split(':').forEach((octet, i) => (bytes[UNION + 2 + i] = parseInt(octet, 16)))
    this.#call(SIOCSIFHWADDR, bytes, `give it the MAC address ${mac}`)
  }

  /** `10.0.0.1/24`; `null` without one. */
  get ipv4(): string | null {
    const { bytes, view } = interfaceRequest(this.name)
    if (withSocket(AF_INET, (fd) => libc().ioctl(fd, SIOCGIFADDR, bytes)) < 0) return null
    const mask = this.#get(SIOCGIFNETMASK).view.getUint32(UNION + 4, false)
    return `${formatIp(view.getInt32(UNION + 4, false))}/${Math.clz32(~mask)}`
  }
  set ipv4(text: string) {
    const [, address, prefix] = /^([\d.]+)\/(\d+)$/.exec(text) ?? []
    const ip = parseIpv4Text(address ?? '')
    if (ip === null || Number(prefix) > 32) {
      throw new UserError(`'${text}' is not an IPv4 address`, { hint: "write '10.0.0.1/24'" })
    }
    const set = (request: number, value: number, what: string) => {
      const { bytes, view } = interfaceRequest(this.name)
      putSocketAddress(view, UNION, value)
      this.#call(request, bytes, what)
    }
    set(SIOCSIFADDR, ip, `give it the address ${text}`)
    set(SIOCSIFNETMASK, maskOf(Number(prefix)), `give it the prefix length ${prefix}`)
  }

  /** The first that is not link-local, `fd00::1/64`; `null` without one. */
  get ipv6(): string | null {
    const lines = readFileSync('/proc/thread-self/net/if_inet6', 'utf8').split('\n')
    const own = lines
      .map((line) => line.trim().split(/\s+/))
      .filter((field) => field[5] === this.name && !field[0]!.startsWith('fe8'))
    const [first] = own
    if (first === undefined) return null
    const octets = Uint8Array.from(first[0]!.match(/../g)!, (pair) => parseInt(pair, 16))
    return `${readIpv6(octets, 0)}/${parseInt(first[2]!, 16)}`
  }
  set ipv6(text: string) {
    const [, address, prefix] = /^([\da-f:.]+)\/(\d+)$/i.exec(text) ?? []
    const ip = parseIpv6Text(address ?? '')
    if (ip === null || Number(prefix) > 128) {
      throw new UserError(`'${text}' is not an IPv6 address`, { hint: "write 'fd00::1/64'" })
    }
    // struct in6_ifreq: the address, the prefix length, the interface.
    const bytes = new Uint8Array(24)
    putIpv6(bytes, 0, ip)
    const view = new DataView(bytes.buffer)
    view.setUint32(16, Number(prefix), true)
    view.setInt32(20, this.index, true)
    this.#call(SIOCSIFADDR, bytes, `give it the address ${text}`, AF_INET6)
  }

  /** A route through this interface; it goes when the interface goes. */
  addRoute(destination: Ipv4Address, prefixLength: number, gateway: Ipv4Address): void {
    // struct rtentry, 120 bytes: sockaddrs at 8, 24 and 40, flags at 56. The gateway says which
    // interface.
    const bytes = new Uint8Array(120)
    const view = new DataView(bytes.buffer)
    putSocketAddress(view, 8, destination)
    putSocketAddress(view, 24, gateway)
    putSocketAddress(view, 40, maskOf(prefixLength))
    const [RTF_UP, RTF_GATEWAY] = [1, 2]
    view.setUint16(56, RTF_UP | RTF_GATEWAY, true)
    // One that is there already goes on ruling.
    this.#call(
      SIOCADDRT,
      bytes,
      `add a route to ${formatIp(destination)}/${prefixLength}`,
      AF_INET,
      EEXIST,
    )
  }

  #get(request: number): { bytes: Uint8Array; view: DataView } {
    const made = interfaceRequest(this.name)
    this.#call(request, made.bytes, 'look at it')
    return made
  }

  #setNumber(request: number, value: number, what: string): void {
    const { bytes, view } = interfaceRequest(this.name)
    view.setInt32(UNION, value, true)
    this.#call(request, bytes, what)
  }

  #call(request: number, bytes: Uint8Array, what: string, family = AF_INET, fine = 0): void {
    const errno = withSocket(family, (fd) =>
      libc().ioctl(fd, request, bytes) < 0 ? libc().errno() : 0,
    )
    if (errno === 0 || errno === fine) return
    const hint = errno === EPERM ? 'run as root, or give the process CAP_NET_ADMIN' : undefined
    throw new EnvironmentError(`${this.name}: cannot ${what} (${errorName(errno)})`, hint)
  }
}

function putSocketAddress(view: DataView, at: number, address: number): void {
  view.setUint16(at, AF_INET, true)
  view.setInt32(at + 4, address, false)
}

function withSocket(family: number, act: (fd: number) => number): number {
  const fd = libc().socket(family, SOCK_DGRAM, 0)
  try {
    return act(fd)
  } finally {
    libc().close(fd)
  }
}
