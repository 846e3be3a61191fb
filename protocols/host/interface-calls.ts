import { type Ipv4Address, maskOf } from '../address.ts'
import { type Claims, claimAddress, unclaimAddress } from '../arp/claim.ts'
import { i32 } from '../bytes.ts'
import { addRoute, removeRoute } from '../ipv4/routes.ts'
import type { Nanos } from '../time.ts'
import { ArpPort } from './arp-port.ts'
import { forgetWays } from './ipv4-ways.ts'
import type { HostOut } from './output.ts'
import type { SocketCall } from './socket.ts'
import { BROADCAST, type HostState } from './state.ts'
import { tcpAddressLost } from './tcp.ts'

/** What an administrator of a host may ask of it: addresses that come and go while it runs. */
export type InterfaceCall =
  /**
   * The address is looked for on the link first (RFC 5227), and then used: an `address` event says
   * which of the two came true.
   */
  | {
      readonly kind: 'add-address'
      readonly port: number
      readonly address: Ipv4Address
      readonly prefixLength: number
    }
  /** Connections that use it are reset. */
  | {
      readonly kind: 'remove-address'
      readonly port: number
      readonly address: Ipv4Address
      readonly prefixLength: number
    }
  /** The way to everybody else; `null`: there is none any more. */
  | {
      readonly kind: 'set-gateway'
      readonly port: number
      readonly gateway: Ipv4Address | null
    }

export const isInterfaceCall = (call: SocketCall | InterfaceCall): call is InterfaceCall =>
  call.kind === 'add-address' || call.kind === 'remove-address' || call.kind === 'set-gateway'

export function interfaceCall(h: HostState, now: Nanos, call: InterfaceCall, out: HostOut): void {
  forgetWays(h)
  switch (call.kind) {
    case 'add-address':
      return addAddress(h, now, call, out)
    case 'remove-address':
      return removeAddress(h, now, call, out)
    case 'set-gateway': {
      const { port, gateway } = call
      if (gateway === null) removeRoute(h.routes, 0, 0)
      else addRoute(h.routes, { destination: 0, prefixLength: 0, gateway, port, source: null })
    }
  }
}

function addAddress(
  h: HostState,
  now: Nanos,
  { port, address, prefixLength }: InterfaceCall & { kind: 'add-address' },
  out: HostOut,
): void {
  const iface = h.interfaces[port]!
  if (iface.addresses.includes(address)) return
  iface.claims ??= noClaims(h, now, port)
  claimAddress(iface.claims, now, address)
  addRoute(h.routes, { destination: address, prefixLength, gateway: null, port, source: null })
  // RFC 3021: a network of two has no broadcast address.
  if (prefixLength < 31) h.addresses.set(address | ~maskOf(prefixLength), BROADCAST)
  new ArpPort(h, now, port, out).wake()
}

const noClaims = (h: HostState, now: Nanos, port: number): Claims => ({
  policy: { method: 'probe', defend: 'once', from: now },
  random: i32(h.secret, 12) ^ Math.imul(port, 0x9e3779b1),
  addresses: [],
})

function removeAddress(
  h: HostState,
  now: Nanos,
  { port, address, prefixLength }: InterfaceCall & { kind: 'remove-address' },
  out: HostOut,
): void {
  const iface = h.interfaces[port]!
  if (iface.claims !== null) unclaimAddress(iface.claims, address)
  removeRoute(h.routes, address, prefixLength)
  if (prefixLength < 31) h.addresses.delete(address | ~maskOf(prefixLength))
  if (!iface.addresses.includes(address)) return
  const arp = new ArpPort(h, now, port, out)
  arp.usable(address, false)
  tcpAddressLost(h, now, address, out)
}
