import { enableMapSet, produce } from 'immer'
import { expect } from 'vitest'
import { formatIp, type Ipv4Address, ip, type Mac } from '../../../protocols/address.ts'
import { ARP_REQUEST, ArpPacket } from '../../../protocols/arp/packet.ts'
import { emitEthernet } from '../../../protocols/ethernet/codec.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import type { HostEvent } from '../../../protocols/host/event.ts'
import { hostEngine } from '../../../protocols/host/host.ts'
import type { HostOut } from '../../../protocols/host/output.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { createHost, type HostConfig, type HostState } from '../../../protocols/host/state.ts'
import { DEFAULT_TTL, Ipv4Details, Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { isFragment } from '../../../protocols/ipv4/fragment.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { NEVER, ms, type Nanos } from '../../../protocols/time.ts'
import { eventText } from '../../../trace/host-text.ts'
import { PacketText } from '../../../trace/packet-text.ts'

enableMapSet()

export const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
export const OWN = addr('10.0.0.1')
export const PEER = addr('10.0.0.2')
/** Behind the router, when the host is one. */
export const FAR = addr('10.0.9.2')
const OWN_MAC: Mac = '02:00:00:00:00:01'
const PEER_MAC: Mac = '02:00:00:00:00:02'
const FAR_PORT_MAC: Mac = '02:00:00:00:09:01'
const TUN_MAC: Mac = '02:00:00:00:07:01'
const FAR_MAC: Mac = '02:00:00:00:09:02'

export type Act =
  | { readonly call: SocketCall }
  | { readonly packet: Ipv4Packet; readonly to?: Mac; readonly port?: number }
  /** A packet that is made from the frame that the host sent last. */
  | { readonly answer: (last: EthernetFrame) => Ipv4Packet }
export type Script = readonly (readonly [atMs: number, act: Act])[]

/** 10.0.0.1/24; as a router also 10.0.9.1/24 with an MTU of its own. Neighbours are known. */
export interface Stand {
  readonly router?: boolean
  readonly farMtu?: number
  readonly mtu?: number
  /** A TUN of 10.7.0.1/24 beside the others. */
  readonly tun?: boolean
}

const NUMBERS = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, opaque: 253, malformed: 253 }

/** A packet to us, or to `FAR`. */
export function packet(
  payload: Ipv4Packet['payload'],
  more: Partial<Pick<Ipv4Packet, 'source' | 'destination' | 'protocol' | 'ttl' | 'details'>> = {},
): Ipv4Packet {
  const { source = PEER, destination = OWN, protocol, ttl = DEFAULT_TTL, details } = more
  const plain = details ?? new Ipv4Details(0, false, false, 0, new Uint8Array(0))
  const number = protocol ?? NUMBERS[payload.kind]
  return new Ipv4Packet(source, destination, number, ttl, 7, plain, payload)
}

/** Plays the script in place and recorded, compares, and lists every output with its time in ms. */
export function hostTimeline(script: Script, stand: Stand = {}): string {
  const live = createHost(configOf(stand))
  let frozen = createHost(configOf(stand))
  const inPlace = play(script, stand, (act) => act(live))
  const recorded = play(script, stand, (act) => {
    frozen = produce(frozen, (draft) => act(draft as HostState))
  })
  expect(recorded).toEqual(inPlace)
  return inPlace.join('\n')
}

/** What the script makes the host send, and leaves it as. */
export function afterwards(
  script: Script,
  stand: Stand = {},
): { readonly state: HostState; readonly sent: readonly EthernetFrame[] } {
  const state = createHost(configOf(stand))
  const stage = new Stage()
  play(script, stand, (act) => act(state), stage)
  return { state, sent: stage.sent }
}

export const sentBy = (script: Script, stand: Stand = {}): readonly EthernetFrame[] =>
  afterwards(script, stand).sent

function configOf({ router = false, mtu = 1500, farMtu = 1500, tun = false }: Stand): HostConfig {
  const near = addr('10.0.0.0')
  const beyond = addr('10.0.9.0')
  const route = (destination: Ipv4Address, port: number) => ({
    destination,
    prefixLength: 24,
    gateway: null,
    port,
    source: null,
  })
  const to = (address: Ipv4Address) => [{ address, prefixLength: 24 }]
  const first = { mac: OWN_MAC, mtu, addresses: to(OWN), claim: null }
  const second = { mac: FAR_PORT_MAC, mtu: farMtu, addresses: to(addr('10.0.9.1')), claim: null }
  const inside = { mac: TUN_MAC, mtu, addresses: to(addr('10.7.0.1')), claim: null, tun: true }
  return {
    forwarding: router,
    policy: RFC,
    seed: 'host',
    interfaces: [first, ...(router ? [second] : []), ...(tun ? [inside] : [])],
    routes: [
      route(near, 0),
      ...(router ? [route(beyond, 1)] : []),
      ...(tun ? [route(addr('10.7.0.0'), router ? 2 : 1)] : []),
    ],
    now: 0,
  }
}

type Step = (act: (h: HostState) => void) => void

function play(
  script: Script,
  { router = false }: Stand,
  step: Step,
  stage = new Stage(),
): string[] {
  const meet = (port: number, mac: Mac, sender: Ipv4Address, target: Ipv4Address) => {
    const hello = new ArpPacket(ARP_REQUEST, mac, sender, '00:00:00:00:00:00', target)
    const frame = new EthernetFrame('ff:ff:ff:ff:ff:ff', mac, ETHERTYPE_ARP, hello)
    step((h) => hostEngine.step(h, 0, { kind: 'packet', packet: frame, port }, stage))
  }
  meet(0, PEER_MAC, PEER, OWN)
  if (router) meet(1, FAR_MAC, FAR, addr('10.0.9.1'))
  stage.lines.length = 0
  stage.sent.length = 0
  let next = 0
  for (;;) {
    const [owner, due] = stage.earliest()
    const at = next < script.length ? ms(script[next]![0]) : NEVER
    if (due === NEVER && at === NEVER) return stage.lines
    const now = Math.min(due, at)
    stage.now = now
    // Timers first: their deadline was set earlier.
    if (due === now) {
      stage.wakes.delete(owner)
      step((h) => hostEngine.step(h, now, { kind: 'timer', owner }, stage))
      continue
    }
    const act = script[next++]![1]
    step((h) => give(h, now, act, stage))
  }
}

function give(h: HostState, now: Nanos, act: Act, out: Stage): void {
  if ('call' in act) return hostEngine.step(h, now, { kind: 'call', call: act.call }, out)
  const said: { packet: Ipv4Packet; to?: Mac; port?: number } =
    'answer' in act ? { packet: act.answer(out.sent.at(-1)!) } : act
  const { port = 0, to = port === 0 ? OWN_MAC : FAR_PORT_MAC } = said
  const from = port === 0 ? PEER_MAC : FAR_MAC
  const frame = new EthernetFrame(to, from, ETHERTYPE_IPV4, said.packet)
  hostEngine.step(h, now, { kind: 'packet', packet: frame, port }, out)
}

class Stage implements HostOut {
  readonly lines: string[] = []
  readonly sent: EthernetFrame[] = []
  readonly wakes = new Map<number, Nanos>()
  now: Nanos = 0
  readonly #text = new PacketText({ absolute: true })

  send(frame: EthernetFrame, port: number): void {
    this.sent.push(frame)
    const to = frame.destination === 'ff:ff:ff:ff:ff:ff' ? ' to all' : ''
    this.#say(`> ${port === 0 ? '' : `port ${port}: `}${this.#packet(frame)}${to}`)
  }

  event(event: HostEvent): void {
    if (event.kind !== 'dropped') return this.#say(`= ${eventText(event)}`)
    const { packet: dropped } = event
    const what = dropped.kind === 'ipv4' ? `${formatIp(dropped.source)}, ${dropped.size}` : ''
    this.#say(`= drop ${event.why}: ${what}`)
  }

  wake(owner: number, at: Nanos): void {
    if (at < (this.wakes.get(owner) ?? NEVER)) this.wakes.set(owner, at)
  }

  earliest(): [owner: number, at: Nanos] {
    let found: [number, Nanos] = [-1, NEVER]
    for (const [owner, at] of this.wakes) if (at < found[1]) found = [owner, at]
    return found
  }

  /** As tcpdump has it, and what it leaves out of fragments. */
  #packet(frame: EthernetFrame): string {
    const text = this.#text.frame(emitEthernet(frame))
    const inner = frame.payload
    if (inner.kind !== 'ipv4' || !isFragment(inner)) return text
    const { fragmentOffset, moreFragments } = inner.details
    return `${text} [${inner.size} at ${fragmentOffset * 8}${moreFragments ? '+' : ''}]`
  }

  #say(text: string): void {
    this.lines.push(`${String(this.now / 1e6).padStart(6)}  ${text}`)
  }
}
