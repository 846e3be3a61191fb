import { enableMapSet, produce } from 'immer'
import { expect } from 'vitest'
import { ip, type Ipv6Address, type Mac } from '../../../protocols/address.ts'
import { emitEthernet } from '../../../protocols/ethernet/codec.ts'
import { ETHERTYPE_IPV6, EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import type { HostEvent } from '../../../protocols/host/event.ts'
import { hostEngine } from '../../../protocols/host/host.ts'
import type { Ipv6InterfaceConfig } from '../../../protocols/host/ipv6-interface.ts'
import type { HostOut } from '../../../protocols/host/output.ts'
import { firstDeadlines } from '../../../protocols/host/readiness.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { createHost, type HostConfig, type HostState } from '../../../protocols/host/state.ts'
import type { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import { isMulticastIpv6, linkLocalOf, multicastMac } from '../../../protocols/ipv6/address.ts'
import { Ipv6Packet, PLAIN_IPV6 } from '../../../protocols/ipv6/packet.ts'
import { readReport } from '../../../protocols/mld/codec.ts'
import { emitNd, readNd } from '../../../protocols/nd/codec.ts'
import type { NdMessage } from '../../../protocols/nd/message.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { ms, NEVER, type Nanos } from '../../../protocols/time.ts'
import { eventText } from '../../../trace/host-text.ts'
import { PacketText } from '../../../trace/packet-text.ts'

enableMapSet()

export const ip6 = (text: string): Ipv6Address => ip(text) as Ipv6Address

export const OWN_MAC: Mac = '02:00:00:00:00:01'
export const PEER_MAC: Mac = '02:00:00:00:00:02'
export const OWN_LINK_LOCAL = linkLocalOf(OWN_MAC)
export const PEER_LINK_LOCAL = linkLocalOf(PEER_MAC)
export const OWN = ip6('2001:db8::1')
export const PEER = ip6('2001:db8::2')

/** What happens to the host: a packet or a frame comes in, or an application calls. */
export type Act =
  | { readonly packet: Ipv6Packet; readonly to?: Mac; readonly port?: number }
  | { readonly call: SocketCall }
  | { readonly answer: (last: EthernetFrame) => Ipv6Packet }
export type Script = readonly (readonly [atMs: number, act: Act])[]

/** 2001:db8::1/64 on one link, or what the stand says. */
export interface Stand extends Partial<Ipv6InterfaceConfig> {
  readonly forwarding?: boolean
  /** A second interface with 2001:db8:9::1/64, whose neighbour is 2001:db8:9::2. */
  readonly far?: boolean
  readonly mtu?: number
  readonly untilMs?: number
}

/** A message of neighbour discovery, as a neighbour sends it. */
export const nd = (source: string, destination: string, message: NdMessage): Act => ({
  packet: icmp6(source, destination, emitNd(message), 255),
})

export const icmp6 = (
  source: string,
  destination: string,
  message: Icmpv6Message,
  hopLimit = 64,
): Ipv6Packet => new Ipv6Packet(ip6(source), ip6(destination), 58, hopLimit, PLAIN_IPV6, message)

/** Plays the script in place and recorded, compares, and lists every output with its time in ms. */
export function ipv6Timeline(script: Script, stand: Stand = {}): string {
  const live = createHost(configOf(stand))
  let frozen = createHost(configOf(stand))
  const inPlace = play(live, script, stand, (act) => act(live))
  const recorded = play(frozen, script, stand, (act) => {
    frozen = produce(frozen, (draft) => act(draft as HostState))
  })
  expect(recorded).toEqual(inPlace)
  return inPlace.join('\n')
}

/** What the script makes the host send, and leaves it as. */
export function ipv6Afterwards(script: Script, stand: Stand = {}) {
  const state = createHost(configOf(stand))
  const stage = new Stage()
  play(state, script, stand, (act) => act(state), stage)
  return { state, sent: stage.sent }
}

function configOf(stand: Stand): HostConfig {
  const { forwarding = false, far = false, mtu = 1500, addresses, ...ipv6 } = stand
  const { detectDuplicates = false, autoconfigure = false, advertise = null } = ipv6
  const own = addresses ?? [{ address: OWN, prefixLength: 64 }]
  const near = { detectDuplicates, autoconfigure, advertise }
  const beyond = [{ address: ip6('2001:db8:9::1'), prefixLength: 64 }]
  const route = (destination: string, port: number) =>
    ({ destination: ip6(destination), prefixLength: 64, gateway: null, port }) as const
  const first = { mac: OWN_MAC, mtu, addresses: [], claim: null }
  const second = { ...first, mac: '02:00:00:00:00:11' as Mac, ipv6: { addresses: beyond } }
  const interfaces = [{ ...first, ipv6: { addresses: own, ...near } }, ...(far ? [second] : [])]
  return {
    forwarding,
    policy: RFC,
    seed: 'host',
    interfaces,
    routes: [],
    ipv6Routes: [
      ...(own.length > 0 ? [route('2001:db8::', 0)] : []),
      ...(far ? [route('2001:db8:9::', 1)] : []),
    ],
    now: 0,
  }
}

type Step = (act: (h: HostState) => void) => void

function play(
  h: HostState,
  script: Script,
  { untilMs = Infinity }: Stand,
  step: Step,
  stage = new Stage(),
): string[] {
  for (const { owner, at } of firstDeadlines(h)) stage.wake(owner, at)
  let next = 0
  for (;;) {
    const [owner, due] = stage.earliest()
    const at = next < script.length ? ms(script[next]![0]) : NEVER
    const now: Nanos = Math.min(due, at)
    if (now === NEVER || now > ms(untilMs)) return stage.lines
    stage.now = now
    // Timers first: their deadline was set earlier.
    if (due === now) {
      stage.wakes.delete(owner)
      step((state) => hostEngine.step(state, now, { kind: 'timer', owner }, stage))
      continue
    }
    const act = script[next++]![1]
    step((state) => give(state, now, act, stage))
  }
}

function give(h: HostState, now: Nanos, act: Act, out: Stage): void {
  if ('call' in act) return hostEngine.step(h, now, { kind: 'call', call: act.call }, out)
  const said: { packet: Ipv6Packet; to?: Mac; port?: number } =
    'answer' in act ? { packet: act.answer(out.sent.at(-1)!) } : act
  const { packet, port = 0 } = said
  const unicast = h.interfaces[port]!.mac
  const to =
    said.to ?? (isMulticastIpv6(packet.destination) ? multicastMac(packet.destination) : unicast)
  const frame = new EthernetFrame(to, PEER_MAC, ETHERTYPE_IPV6, packet)
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
    this.#say(`> ${port === 0 ? '' : `port ${port}: `}${this.#packet(frame)}`)
  }

  event(event: HostEvent): void {
    if (event.kind !== 'dropped') return this.#say(`= ${eventText(event)}`)
    const { packet } = event
    const what = packet.kind === 'ipv6' ? ` from ${packet.source}, ${packet.size}` : ''
    this.#say(`= drop ${event.why}${what}`)
  }

  wake(owner: number, at: Nanos): void {
    if (at < (this.wakes.get(owner) ?? NEVER)) this.wakes.set(owner, at)
  }

  earliest(): [owner: number, at: Nanos] {
    let found: [number, Nanos] = [-1, NEVER]
    for (const [owner, at] of this.wakes) if (at < found[1]) found = [owner, at]
    return found
  }

  /** Neighbour discovery and MLD with all they say; the rest as tcpdump has it. */
  #packet(frame: EthernetFrame): string {
    const { payload, destination } = frame
    if (payload.kind !== 'ipv6') return this.#text.frame(emitEthernet(frame))
    const ends = `${payload.source} > ${payload.destination}`
    if (payload.payload.kind === 'icmpv6') {
      const said = ndText(payload.payload)
      if (said !== null) return `${ends} at ${destination.slice(-5)} ${said}`
    }
    return this.#text.frame(emitEthernet(frame))
  }

  #say(text: string): void {
    this.lines.push(`${String(this.now / 1e6).padStart(11)}  ${text}`)
  }
}

function ndText(message: Icmpv6Message): string | null {
  if (message.type === 143) {
    const records = readReport(message)
    if (typeof records === 'string') return records
    const names = ['', 'is-in', 'is-ex', 'to-in', 'to-ex']
    return `report ${records.map(({ type, group }) => `${names[type]} ${group}`).join(', ')}`
  }
  const said = readNd(message)
  if (typeof said === 'string') return null
  switch (said.kind) {
    case 'neighbour-solicitation':
      return `ns ${said.target}${said.nonce === null ? '' : ' nonce'}`
    case 'neighbour-advertisement': {
      const flags = [said.router && 'R', said.solicited && 'S', said.override && 'O']
      return `na ${said.target} ${flags.filter(Boolean).join('')}`
    }
    case 'router-solicitation':
      return `rs${said.sourceMac === null ? ' without mac' : ''}`
    case 'router-advertisement': {
      const prefixes = said.prefixes.map((p) => `${p.prefix}/${p.prefixLength}`)
      return `ra lifetime ${said.lifetime} mtu ${said.mtu} ${prefixes.join(' ')}`
    }
    case 'redirect':
      return `redirect ${said.destination} to ${said.target} at ${said.targetMac}`
  }
}
