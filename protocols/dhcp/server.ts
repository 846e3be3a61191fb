import type { Application, ApplicationOut } from '../application.ts'
import {
  ANY_IPV4,
  BROADCAST_IPV4,
  type Endpoint,
  type Ipv4Address,
  type Mac,
  maskOf,
} from '../address.ts'
import { toHex } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { Nanos } from '../time.ts'
import { s } from '../time.ts'
import { emitDhcp, parseDhcp } from './codec.ts'
import {
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  type DhcpMessage,
  type DhcpOptions,
  type DhcpType,
  NO_DHCP_OPTIONS,
} from './message.ts'

/*
 * The DHCP server of RFC 2131 §4.3 for one network: a pool, reservations, leases. Left out: probing
 * an address before it is offered (its clients do that, §3.1.5), and options nobody asked it for.
 */

/** So long an offered address is kept for whom it was offered to. */
export const OFFER_TIME: Nanos = s(60)
/** So long an address that a client declined is left alone. */
export const DECLINED_TIME: Nanos = s(600)

export interface DhcpServerConfig {
  /** The server's own, which it is known by (option 54). */
  readonly address: Ipv4Address
  readonly prefixLength: number
  /** The first and the last address of the pool. */
  readonly from: Ipv4Address
  readonly to: Ipv4Address
  readonly routers: readonly Ipv4Address[]
  readonly dns: readonly Ipv4Address[]
  readonly domainName: string | null
  /** Whole seconds. */
  readonly leaseSeconds: number
  readonly reservations: readonly { readonly hardware: Mac; readonly address: Ipv4Address }[]
}

/** Who has an address, and until when. */
export interface Binding {
  /** The client's identifier in hexadecimal, or its hardware address; '' where it was declined. */
  readonly client: string
  readonly address: Ipv4Address
  /** `false`: only offered. */
  readonly leased: boolean
  readonly until: Nanos
}

/** Plain data. */
export interface DhcpServerState {
  readonly config: DhcpServerConfig
  socket: number
  bindings: Binding[]
}

export type DhcpServerReport =
  | { readonly kind: 'leased'; readonly binding: Binding; readonly hardware: Mac }
  | {
      readonly kind: 'released' | 'declined'
      readonly address: Ipv4Address
      readonly hardware: Mac
    }
  | { readonly kind: 'exhausted'; readonly hardware: Mac }
  | { readonly kind: 'refused'; readonly error: Errno }

type Out = ApplicationOut<DhcpServerReport>

/** `bindings`: what the server still knows from before a restart. */
export const createDhcpServer = (
  config: DhcpServerConfig,
  bindings: readonly Binding[] = [],
): DhcpServerState => ({ config, socket: -1, bindings: [...bindings] })

export const dhcpServer: Application<DhcpServerState, never, DhcpServerReport> = {
  name: 'dhcp-server',

  step(state, now, input, out) {
    if (input.kind === 'start') return out.call({ kind: 'open', protocol: 'udp' })
    if (input.kind !== 'socket') return
    const { event } = input
    if (event.kind === 'opened') {
      const { socket } = event
      state.socket = socket
      out.call({ kind: 'set', socket, option: 'SO_BROADCAST', value: 1 })
      out.call({ kind: 'bind', socket, address: null, port: DHCP_SERVER_PORT })
    } else if (event.kind === 'rejected' && event.call === 'bind') {
      out.report({ kind: 'refused', error: event.error })
    } else if (event.kind === 'datagram') {
      const message = parseDhcp(event.payload)
      if (message.ok && !message.value.reply) messageArrives(state, now, message.value, out)
    }
  },
}

function messageArrives(state: DhcpServerState, now: Nanos, m: DhcpMessage, out: Out): void {
  state.bindings = state.bindings.filter(({ until }) => until > now)
  switch (m.type) {
    case 'discover':
      return discovered(state, now, m, out)
    case 'request':
      return requested(state, now, m, out)
    case 'decline': {
      if (m.options.serverId !== state.config.address) return
      const address = m.options.requestedAddress
      if (address === null || !holds(state, m, address)) return
      bind(state, { client: '', address, leased: true, until: now + DECLINED_TIME })
      return out.report({ kind: 'declined', address, hardware: m.hardware })
    }
    case 'release':
      if (!holds(state, m, m.clientAddress)) return
      state.bindings = state.bindings.filter(({ address }) => address !== m.clientAddress)
      return out.report({ kind: 'released', address: m.clientAddress, hardware: m.hardware })
    case 'inform':
      // §4.3.5: parameters only, no lease.
      return answer(state, m, 'ack', ANY_IPV4, { ...parametersOf(state), leaseSeconds: null }, out)
    case 'offer':
    case 'ack':
    case 'nak':
  }
}

function discovered(state: DhcpServerState, now: Nanos, m: DhcpMessage, out: Out): void {
  const address = choose(state, m)
  if (address === null) return out.report({ kind: 'exhausted', hardware: m.hardware })
  const known = state.bindings.find((each) => each.address === address)
  const until = Math.max(now + OFFER_TIME, known?.until ?? 0)
  bind(state, { client: clientOf(m), address, leased: known?.leased ?? false, until })
  answer(state, m, 'offer', address, parametersOf(state), out)
}

/** §4.3.2: what a request means depends on what it names. */
function requested(state: DhcpServerState, now: Nanos, m: DhcpMessage, out: Out): void {
  const { serverId, requestedAddress } = m.options
  const { config } = state
  if (serverId !== null && serverId !== config.address) {
    // It has chosen another server: what was offered here is free.
    const client = clientOf(m)
    state.bindings = state.bindings.filter((each) => each.client !== client || each.leased)
    return
  }
  const address = requestedAddress ?? m.clientAddress
  const isKnown = holds(state, m, address)
  if (!isKnown) {
    // No to what is wrong for certain; of a client that is not known here, another server may know.
    const isHere = isInNetwork(config, address)
    const isMoved = requestedAddress !== null && !isHere
    const isWrong = isMoved || isTaken(state, m, address) || hasOther(state, m)
    if (serverId === null && !isWrong) return
    const why = isHere ? 'the address is not yours' : 'wrong network'
    return answer(state, m, 'nak', ANY_IPV4, { ...NO_DHCP_OPTIONS, message: why }, out)
  }
  const until = now + s(config.leaseSeconds)
  const binding = { client: clientOf(m), address, leased: true, until }
  bind(state, binding)
  answer(state, m, 'ack', address, parametersOf(state), out)
  out.report({ kind: 'leased', binding, hardware: m.hardware })
}

/** §4.3.1: its reservation, what it has or had, what it asks for, then the first free one. */
function choose(state: DhcpServerState, m: DhcpMessage): Ipv4Address | null {
  const { config, bindings } = state
  const reserved = config.reservations.find(({ hardware }) => hardware === m.hardware)
  if (reserved !== undefined) return isTaken(state, m, reserved.address) ? null : reserved.address
  const client = clientOf(m)
  const own = bindings.find((each) => each.client === client)
  if (own !== undefined) return own.address
  const wanted = m.options.requestedAddress
  if (wanted !== null && isInPool(config, wanted) && isFree(state, m, wanted)) return wanted
  for (let n = config.from >>> 0; n <= config.to >>> 0; n++) {
    if (isFree(state, m, n | 0)) return n | 0
  }
  return null
}

const isFree = (state: DhcpServerState, m: DhcpMessage, address: Ipv4Address): boolean =>
  address !== state.config.address &&
  !isTaken(state, m, address) &&
  !state.config.reservations.some((r) => r.address === address && r.hardware !== m.hardware)

/** Somebody else has it. */
function isTaken({ bindings }: DhcpServerState, m: DhcpMessage, address: Ipv4Address): boolean {
  const client = clientOf(m)
  return bindings.some((each) => each.address === address && each.client !== client)
}

function holds({ bindings }: DhcpServerState, m: DhcpMessage, address: Ipv4Address): boolean {
  const client = clientOf(m)
  return bindings.some((each) => each.address === address && each.client === client)
}

const hasOther = ({ bindings }: DhcpServerState, m: DhcpMessage): boolean =>
  bindings.some(({ client }) => client === clientOf(m))

function bind(state: DhcpServerState, binding: Binding): void {
  state.bindings = state.bindings.filter(({ address }) => address !== binding.address)
  state.bindings.push(binding)
}

/** §2: the client identifier where there is one. */
const clientOf = ({ hardware, options }: DhcpMessage): string =>
  options.clientId === null ? hardware : toHex(options.clientId)

const isInPool = ({ from, to }: DhcpServerConfig, address: Ipv4Address): boolean =>
  address >>> 0 >= from >>> 0 && address >>> 0 <= to >>> 0

function isInNetwork({ address: own, prefixLength }: DhcpServerConfig, address: Ipv4Address) {
  const mask = maskOf(prefixLength)
  return (own & mask) === (address & mask)
}

function parametersOf({ config }: DhcpServerState): DhcpOptions {
  const { prefixLength, routers, dns, domainName, leaseSeconds } = config
  const mask = maskOf(prefixLength)
  return { ...NO_DHCP_OPTIONS, mask, routers, dns, domainName, leaseSeconds }
}

function answer(
  state: DhcpServerState,
  m: DhcpMessage,
  type: DhcpType,
  yourAddress: Ipv4Address,
  options: DhcpOptions,
  out: Out,
): void {
  const reply: DhcpMessage = {
    reply: true,
    type,
    transaction: m.transaction,
    seconds: 0,
    broadcast: m.broadcast || type === 'nak',
    clientAddress: type === 'nak' ? ANY_IPV4 : m.clientAddress,
    yourAddress,
    nextServer: ANY_IPV4,
    relay: m.relay,
    hardware: m.hardware,
    options: { ...options, serverId: state.config.address, clientId: m.options.clientId },
  }
  const remote = destinationOf(m, type)
  out.call({ kind: 'send-to', socket: state.socket, bytes: emitDhcp(reply), remote })
}

/**
 * §4.1: through its relay; else to the address it has; else to everybody on its link, since a
 * socket cannot address a station that has no address yet.
 */
function destinationOf(m: DhcpMessage, type: DhcpType): Endpoint {
  if (m.relay !== ANY_IPV4) return { address: m.relay, port: DHCP_SERVER_PORT }
  const isReachable = m.clientAddress !== ANY_IPV4 && type !== 'nak'
  return { address: isReachable ? m.clientAddress : BROADCAST_IPV4, port: DHCP_CLIENT_PORT }
}
