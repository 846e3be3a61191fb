import { formatIp, isIpv4 } from '../protocols/address.ts'
import type { Outlet } from '../sim/binding.ts'
import { subnetOf, isInside, sameFamily, type Subnet } from '../sim/subnet.ts'
import { nearest } from '../sim/suggest.ts'
import type { Network } from '../sim/topology.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import type { FrameDevice } from './device.ts'
import { UdpGateway } from './udp-gateway.ts'
import { NetworkInterface } from './network-interface.ts'
import { PacketSocket } from './packet-socket.ts'
import { PackageRawSocket, RawSocket, readProtocol } from './raw-socket.ts'
import { Tap, Tun } from './tap.ts'

/** One `--bind place=kind:name`. */
export interface Binding {
  readonly place: string
  readonly kind: DeviceKind
  readonly name: string
}

const KINDS = ['tap', 'tun', 'packet', 'raw', 'kernel'] as const
type DeviceKind = (typeof KINDS)[number]

/** @throws UserError for what is no binding. */
export function readBinding(text: string): Binding {
  const where = `--bind ${text}`
  const [, place = '', device = ''] = /^([^=]*)=(.*)$/.exec(text) ?? []
  const [, word = '', name = ''] = /^([^:]*):(.*)$/.exec(device) ?? []
  if (place === '' || name === '') {
    throw new UserError('binds nothing', { where, hint: 'write --bind b=tap:tap0' })
  }
  const kind = KINDS.find((each) => each === word)
  if (kind === undefined) {
    const near = nearest(word, KINDS)
    const all = 'expected tap:NAME, tun:NAME, packet:IF, raw:PROTO or kernel:udp'
    const hint = near === null ? all : `did you mean '${near}:${name}'? ${all}`
    throw new UserError(`there is no device '${word}'`, { where, word, hint })
  }
  if (kind === 'raw') readProtocol(name)
  return { place, kind, name }
}

/** Opens a binding's device. One that did not exist before gets what the scenario says. */
export function openBinding(binding: Binding, outlet: Outlet, network: Network): FrameDevice {
  const { kind, name } = binding
  switch (kind) {
    case 'tap':
    case 'tun': {
      const device = kind === 'tap' ? new Tap(name) : new Tun(name)
      if (device.created) configure(device, outlet, network)
      return device
    }
    case 'packet':
      return new PacketSocket(name)
    case 'raw':
      return openRaw(readProtocol(name))
    case 'kernel':
      return new UdpGateway(name, outlet, network)
    default:
      return kind satisfies never
  }
}

/** By koffi, or where that is missing by the package raw-socket. */
function openRaw(protocol: number): FrameDevice {
  try {
    return new RawSocket(protocol)
  } catch (e) {
    if (!(e instanceof EnvironmentError) || !e.message.includes('koffi')) throw e
    return new PackageRawSocket(protocol)
  }
}

/** The kernel takes the place of what stood there: its addresses, and its way to the others. */
function configure(device: Tap | Tun, outlet: Outlet, network: Network): void {
  const { mtu, addresses } = outlet.interface
  if (device.mtu !== mtu) device.mtu = mtu
  for (const { address, prefixLength } of addresses) {
    const text = `${formatIp(address)}/${prefixLength}`
    if (isIpv4(address)) device.ipv4 = text
    else device.ipv6 = text
  }
  device.isUp = true
  const link = new NetworkInterface(device.name)
  for (const { to, gateway } of routesBehind(outlet, network)) {
    if (isIpv4(to.network) && isIpv4(gateway)) link.addRoute(to.network, to.prefixLength, gateway)
  }
}

/**
 * The scenario's other networks, by the gateways that the node in this place would have used. Never
 * a default route: that would take the whole machine along.
 */
function routesBehind(outlet: Outlet, network: Network) {
  const subnets = new Map<string, Subnet>()
  for (const { interfaces } of network.nodes) {
    for (const address of interfaces.flatMap((each) => each.addresses)) {
      const subnet = subnetOf(address)
      subnets.set(`${subnet.network}/${subnet.prefixLength}`, subnet)
    }
  }
  const byLength = outlet.routes.toSorted((a, b) => b.prefixLength - a.prefixLength)
  return [...subnets.values()].flatMap((to) => {
    const route = byLength.find(({ destination, prefixLength }) => {
      const inside = { network: destination, prefixLength }
      return sameFamily(destination, to.network) && isInside(to.network, inside)
    })
    const gateway = route?.gateway ?? null
    return gateway === null ? [] : [{ to, gateway }]
  })
}
