import { type IpAddress } from '../address.ts'
import { IPV4_HEADER, type Ipv4Details, type TransportPayload } from '../ipv4/packet.ts'
import { IPV6_HEADER } from '../ipv6/packet.ts'
import type { Nanos } from '../time.ts'
import { ipv4PathTo, sendIpv4 } from './ipv4-output.ts'
import { ipv6PathTo, sendIpv6 } from './ipv6-output.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'

/** The way to a destination, and the address of ours that packets on it carry. */
export interface Path {
  readonly source: IpAddress
  /** The largest IP packet on the first link, bytes. */
  readonly mtu: number
}

/** `null`: no route, or no address to send from. */
export const pathTo = (h: HostState, destination: IpAddress): Path | null =>
  typeof destination === 'number' ? ipv4PathTo(h, destination) : ipv6PathTo(h, destination)

/** What the header of a packet to this address takes, bytes. */
export const ipHeaderTo = (address: IpAddress): number =>
  typeof address === 'number' ? IPV4_HEADER : IPV6_HEADER

/** In place of a hop limit, the host's: 64 for IPv4, for IPv6 what a router said last (RFC 4861 §6.3.4). */
export const HOST_TTL = 0

/**
 * Sends a payload of our own, in pieces where it must. False where there is no route (any more).
 * IPv6 takes of `details` the traffic class, and whether the packet has to stay whole.
 */
export function sendIp(
  h: HostState,
  now: Nanos,
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  ttl: number,
  details: Ipv4Details,
  payload: TransportPayload,
  out: HostOut,
): boolean {
  return typeof destination === 'number'
    ? sendIpv4(h, now, source as number, destination, protocol, ttl, details, payload, out)
    : sendIpv6(h, now, source as string, destination, protocol, ttl, details, payload, out)
}
