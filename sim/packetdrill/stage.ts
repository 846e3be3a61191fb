import { type IpAddress, type Ipv4Address, type Mac } from '../../protocols/address.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../protocols/arp/packet.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import type { Input } from '../../protocols/engine.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import { hostEngine } from '../../protocols/host/host.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import { createHost, type HostState } from '../../protocols/host/state.ts'
import type { TcpPolicy } from '../../protocols/tcp/policy.ts'
import { NEVER, type Nanos } from '../../protocols/time.ts'
import type { Driven } from '../driver.ts'
import type { IpPacket } from './network.ts'

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
  readonly packet: IpPacket
  readonly at: Nanos
}

/** One host on a link whose other end is the script, under a clock that jumps. */
export class Stage {
  now: Nanos = 0
  /** What the host sent and nobody has looked at yet. */
  readonly sent: SentPacket[] = []
  /** Hears everything that the host says. */
  listener: (event: HostEvent) => void = () => {}
  readonly #config: StageConfig
  #host: DrivenHost
  #policy: TcpPolicy
  /** When the timer sets are due, by their owner. */
  readonly #due = new Map<number, Nanos>()
  readonly #frames: EthernetFrame[] = []

  constructor(config: StageConfig) {
    const { drive, policy, prefixLength, mtu } = config
    const local = config.local as Ipv4Address
    const gateway = config.gateway as Ipv4Address
    this.#config = config
    this.#policy = policy
    const state = createHost({
      forwarding: false,
      policy,
      seed: 'packetdrill',
      interfaces: [
        { mac: OUR_MAC, mtu, addresses: [{ address: local, prefixLength }], claim: null },
      ],
      routes: [{ destination: 0, prefixLength: 0, gateway, port: 0, source: null }],
      now: 0,
    })
    this.#host = drive(hostEngine, state)
  }

  get state(): HostState {
    return this.#host.state
  }
  get policy(): TcpPolicy {
    return this.#policy
  }

  /** What sockets opened from now on follow. */
  set policy(policy: TcpPolicy) {
    this.#policy = policy
    this.#host = this.#config.drive(hostEngine, { ...this.#host.state, policy })
  }

  /** Carries out a call; the events of its step. */
  call(call: SocketCall): readonly HostEvent[] {
    return this.#step({ kind: 'call', call })
  }

  receive(packet: IpPacket): void {
    const frame = new EthernetFrame(OUR_MAC, PEER_MAC, ETHERTYPE_IPV4, packet)
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
    this.#carry()
    return events
  }

  /** Packets go to the script; whoever asks for a neighbour is answered at once. */
  #carry(): void {
    for (const frame of this.#frames.splice(0)) {
      const { payload } = frame
      if (payload.kind === 'ipv4') this.sent.push({ packet: payload, at: this.now })
      else if (payload.kind === 'arp' && payload.operation === ARP_REQUEST) {
        const { targetIp, senderIp, senderMac } = payload
        if (senderIp === targetIp) continue
        const reply = new ArpPacket(ARP_REPLY, PEER_MAC, targetIp, senderMac, senderIp)
        const answer = new EthernetFrame(OUR_MAC, PEER_MAC, ETHERTYPE_ARP, reply)
        this.#step({ kind: 'packet', packet: answer, port: 0 })
      }
    }
  }
}
