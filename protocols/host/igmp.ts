import { type Ipv4Address, type Mac } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../ethernet/frame.ts'
import {
  emitIgmpReport,
  emitIgmpV2,
  PROTOCOL_IGMP,
  readIgmpQuery,
  ROUTER_ALERT,
} from '../igmp/codec.ts'
import { Ipv4Details, Ipv4Packet } from '../ipv4/packet.ts'
import {
  CHANGE_TO_INCLUDE,
  type GroupOut,
  type GroupRecord,
  groupsTimer,
  queryHeard,
  wantGroup,
} from '../mld/listener.ts'
import { Opaque } from '../payload.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { ALL_SYSTEMS, igmpNextDue } from './igmp-state.ts'
import type { HostOut } from './output.ts'
import { arpOwner, type HostState } from './state.ts'

const ALL_ROUTERS: Ipv4Address = 0xe0000002 | 0
const IGMPV3_ROUTERS: Ipv4Address = 0xe0000016 | 0
/** RFC 3376 §8.12: robustness × query interval + response interval. */
const OLDER_QUERIER_PRESENT: Nanos = s(2 * 125 + 10)
/** RFC 791 §3.1: internetwork control, as RFC 3376 §4 asks. */
const INTERNETWORK_CONTROL = 0xc0

/** RFC 1112 §6.4: 01:00:5e and the last 23 bits. */
export function multicastMacOf(group: Ipv4Address): Mac {
  const digits = (group & 0x7fffff).toString(16).padStart(6, '0')
  return `01:00:5e:${digits.match(/../g)!.join(':')}`
}

/** Somebody wants to listen to a group on an interface, or no longer. The first and last are told. */
export function wantIpv4Group(
  h: HostState,
  now: Nanos,
  port: number,
  group: Ipv4Address,
  joined: boolean,
  out: HostOut,
): void {
  const { igmp } = h.interfaces[port]!
  const before = igmp.joined.get(group) ?? 0
  const after = joined ? before + 1 : Math.max(before - 1, 0)
  if (after === 0) igmp.joined.delete(group)
  else igmp.joined.set(group, after)
  if ((before === 0) === (after === 0) || group === ALL_SYSTEMS) return
  wantGroup(igmp.told, now, group, joined, false)
  igmpTimer(h, now, port, out)
}

export function igmpTimer(h: HostState, now: Nanos, port: number, out: HostOut): void {
  const { igmp } = h.interfaces[port]!
  groupsTimer(igmp.told, now, new IgmpPort(h, now, port, out))
  const at = igmpNextDue(igmp)
  if (at !== NEVER) out.wake(arpOwner(port), at)
}

export function igmpArrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv4Packet,
  bytes: Bytes,
  out: HostOut,
): void {
  const query = readIgmpQuery(bytes)
  if (query === null) return // for routers
  if (typeof query === 'string') return out.event({ kind: 'dropped', why: `igmp ${query}`, packet })
  const { igmp } = h.interfaces[port]!
  if (query.older) igmp.olderUntil = now + OLDER_QUERIER_PRESENT
  queryHeard(igmp.told, now, query)
  igmpTimer(h, now, port, out)
}

/** One interface for the time of one step. */
class IgmpPort implements GroupOut<Ipv4Address> {
  private readonly h: HostState
  private readonly now: Nanos
  private readonly port: number
  private readonly out: HostOut

  constructor(h: HostState, now: Nanos, port: number, out: HostOut) {
    this.h = h
    this.now = now
    this.port = port
    this.out = out
  }

  report(records: readonly GroupRecord<Ipv4Address>[]): void {
    const { igmp } = this.h.interfaces[this.port]!
    if (this.now >= igmp.olderUntil) return this.send(IGMPV3_ROUTERS, emitIgmpReport(records))
    for (const { type, group } of records) {
      const joined = type !== CHANGE_TO_INCLUDE
      this.send(joined ? group : ALL_ROUTERS, emitIgmpV2(group, joined))
    }
  }

  private send(destination: Ipv4Address, bytes: Bytes): void {
    const { h } = this
    const { mac, addresses } = h.interfaces[this.port]!
    h.identification = (h.identification + 1) & 0xffff
    const details = new Ipv4Details(INTERNETWORK_CONTROL, false, false, 0, ROUTER_ALERT)
    const packet = new Ipv4Packet(
      addresses[0] ?? 0,
      destination,
      PROTOCOL_IGMP,
      1,
      h.identification,
      details,
      new Opaque(bytes),
    )
    const to = multicastMacOf(destination)
    this.out.send(new EthernetFrame(to, mac, ETHERTYPE_IPV4, packet), this.port)
  }
}
