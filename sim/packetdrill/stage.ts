import type { IpAddress, Ipv4Address, Ipv6Address, Mac } from '../../protocols/address.ts'
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import type { Input } from '../../protocols/engine.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import { createFastOpenMemory } from '../../protocols/host/fast-open-memory.ts'
import { hostEngine } from '../../protocols/host/host.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import { createHost, type HostConfig, type HostState } from '../../protocols/host/state.ts'
import { type IpPacket, isIp } from '../../protocols/ipv6/packet.ts'
import type { TcpChoices, TcpPolicy } from '../../protocols/tcp/policy.ts'
import { parseTcpUnchecked } from '../../protocols/tcp/codec.ts'
import { isTunnelPort } from '../../protocols/host/tcp-in-udp.ts'
import { NEVER, type Nanos } from '../../protocols/time.ts'
import type { Driven } from '../driver.ts'
import { neighbourAnswer } from './neighbour.ts'
import { withPayload } from './network.ts'
import type { Ports } from './script.ts'

const OUR_MAC: Mac = '02:00:00:00:00:01'
const PEER_MAC: Mac = '02:00:00:00:00:02'

export type DrivenHost = Driven<HostState, SocketCall, EthernetFrame, HostEvent>
export type Drive = (engine: typeof hostEngine, state: HostState) => DrivenHost

export interface StageConfig {
  readonly drive: Drive
  readonly policy: TcpPolicy
  readonly local: IpAddress
  readonly prefixLength: number
  readonly gateway: IpAddress
  readonly mtu: number
}

export interface SentPacket {
  /** With the segment in place of the datagram that it was in. */
  readonly packet: IpPacket
  /** The ports of that datagram; `null`: it was in none. */
  readonly udp: Ports | null
  readonly at: Nanos
}

/** One interface, and everything else behind a gateway. */
function planOf({
  local,
  gateway,
  prefixLength,
  mtu,
}: StageConfig): Pick<HostConfig, 'interfaces' | 'routes' | 'ipv6Routes'> {
  const iface = { mac: OUR_MAC, mtu, claim: null }
  const all = { prefixLength: 0, port: 0 }
  if (typeof local === 'string') {
    const ipv6 = { addresses: [{ address: local, prefixLength }] }
    const route = { ...all, destination: '::', gateway: gateway as Ipv6Address }
    return { interfaces: [{ ...iface, addresses: [], ipv6 }], routes: [], ipv6Routes: [route] }
  }
  const route = { ...all, destination: 0, gateway: gateway as Ipv4Address, source: null }
  return {
    interfaces: [{ ...iface, addresses: [{ address: local, prefixLength }] }],
    routes: [route],
  }
}

/** Choices that no socket keeps for itself. */
const LIVE: ReadonlySet<string> = new Set<keyof TcpChoices>([
  'timestamps',
  'sackPermitted',
  'windowScale',
  'ecn',
  'dsack',
  'rack',
  'tlp',
  'frto',
  'idleRestart',
  'dataRetries',
  'suspectAfter',
  'synAckRetries',
  'synLinear',
  'synCookies',
  'timeWaitStays',
  'challengeWindow',
])

/** One host on a link whose other end is the script, under a clock that jumps. */
export class Stage {
  now: Nanos = 0
  /** What the host sent and nobody has looked at yet. */
  readonly sent: SentPacket[] = []
  /** Hears everything that the host says. */
  listener: (event: HostEvent) => void = () => {}
  /** Hears of every step. */
  stepped: () => void = () => {}
  readonly #config: StageConfig
  #host: DrivenHost
  #policy: TcpPolicy
  /** When the timer sets are due, by their owner. */
  readonly #due = new Map<number, Nanos>()
  readonly #frames: EthernetFrame[] = []

  constructor(config: StageConfig) {
    const { drive, policy } = config
    this.#config = config
    this.#policy = policy
    const state = createHost({
      forwarding: false,
      policy,
      seed: 'packetdrill',
      ...planOf(config),
      now: 0,
    })
    this.#host = drive(hostEngine, state)
  }

  get local(): IpAddress {
    return this.#config.local
  }

  get state(): HostState {
    return this.#host.state
  }
  get policy(): TcpPolicy {
    return this.#policy
  }

  /** What sockets opened from now on follow, and those that are, as far as a kernel looks at every use. */
  change(changes: Partial<TcpChoices>): void {
    this.#policy = this.#policy.with(changes)
    const live = Object.fromEntries(Object.entries(changes).filter(([choice]) => LIVE.has(choice)))
    const { state } = this.#host
    const sockets = state.sockets.map((each) =>
      each !== null && 'policy' in each && each.policy !== null
        ? { ...each, policy: each.policy.with(live) }
        : each,
    )
    const policy = this.#policy
    this.#host = this.#config.drive(hostEngine, { ...state, policy, sockets })
  }

  /** Cookies, and who refused them, are forgotten. */
  forgetPeers(): void {
    const fastOpen = createFastOpenMemory()
    this.#host = this.#config.drive(hostEngine, { ...this.#host.state, fastOpen })
  }

  /** Carries out a call; the events of its step. */
  call(call: SocketCall): readonly HostEvent[] {
    return this.#step({ kind: 'call', call })
  }

  receive(packet: IpPacket): void {
    const etherType = packet.kind === 'ipv4' ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6
    const frame = new EthernetFrame(OUR_MAC, PEER_MAC, etherType, packet)
    this.#step({ kind: 'packet', packet: frame, port: 0 })
  }

  /** Lets time run, timer by timer, until `until` or until `enough` after a step. */
  run(until: Nanos, enough: () => boolean = () => false): void {
    while (!enough()) {
      let owner = -1
      let at = NEVER
      for (const [each, due] of this.#due) {
        if (due < at || (due === at && each < owner)) [owner, at] = [each, due]
      }
      if (at > until || owner < 0) {
        this.now = Math.max(this.now, until)
        return
      }
      this.now = Math.max(this.now, at)
      this.#due.delete(owner)
      this.#step({ kind: 'timer', owner })
    }
  }

  #step(input: Input<SocketCall, EthernetFrame>): readonly HostEvent[] {
    const events: HostEvent[] = []
    this.#host.step(this.now, input, {
      send: (frame) => this.#frames.push(frame),
      event: (event) => events.push(event),
      wake: (owner, at) => {
        if (at === NEVER) this.#due.delete(owner)
        else this.#due.set(owner, at)
      },
    })
    for (const event of events) this.listener(event)
    this.stepped()
    this.#carry()
    return events
  }

  /** Packets go to the script; whoever asks for a neighbour is answered at once. */
  #carry(): void {
    for (const frame of this.#frames.splice(0)) {
      const { payload } = frame
      const answer = neighbourAnswer(frame, PEER_MAC)
      if (answer !== null) this.#step({ kind: 'packet', packet: answer, port: 0 })
      else if (isIp(payload)) this.sent.push(this.#unpacked(payload))
    }
  }

  /** TCP over UDP: what a script writes is the segment. */
  #unpacked(packet: IpPacket): SentPacket {
    const { payload } = packet
    const plain = { packet, udp: null, at: this.now }
    if (payload.kind !== 'udp' || !isTunnelPort(this.#host.state, payload.sourcePort)) return plain
    const segment = parseTcpUnchecked(payload.payload)
    if (!segment.ok) return plain
    const udp = { source: payload.sourcePort, destination: payload.destinationPort }
    return { packet: withPayload(packet, segment.value), udp, at: this.now }
  }
}
