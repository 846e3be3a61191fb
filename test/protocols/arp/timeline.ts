import { enableMapSet, produce } from 'immer'
import { formatIp, type Ipv4Address, ip, type Mac } from '../../../protocols/address.ts'
import { type ArpState, arpLookup, arpNextDue, createArp } from '../../../protocols/arp/cache.ts'
import { type ArpOut, arpReceive, arpResolve, arpTimer } from '../../../protocols/arp/engine.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../../protocols/arp/packet.ts'
import { NO_BYTES } from '../../../protocols/bytes.ts'
import { DONT_FRAGMENT, Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { ms, type Nanos } from '../../../protocols/time.ts'

enableMapSet()

export const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
export const OWN_MAC: Mac = '02:00:00:00:00:01'
export const OWN = addr('10.0.0.1')
export const PEER_MAC: Mac = '02:00:00:00:00:02'
export const PEER = addr('10.0.0.2')

export type Act = (state: ArpState, now: Nanos, out: ArpOut) => void
export type Script = readonly (readonly [atMs: number, act: Act])[]

/** A packet to `to`, told apart by its identification. */
export const send =
  (id: number, to = PEER): Act =>
  (state, now, out) => {
    const packet = new Ipv4Packet(OWN, to, 253, 64, id, DONT_FRAGMENT, new Opaque(NO_BYTES))
    const mac = arpLookup(state, now, to)
    if (mac === null) arpResolve(state, now, OWN_MAC, OWN, to, packet, out)
    else out.forward(packet, mac)
  }

export const hear =
  (packet: ArpPacket): Act =>
  (state, now, out) =>
    arpReceive(state, now, OWN_MAC, [OWN, addr('10.0.0.11')], packet, out)

export const reply = (from = PEER, mac = PEER_MAC): Act =>
  hear(new ArpPacket(ARP_REPLY, mac, from, OWN_MAC, OWN))

export const request = (from: Ipv4Address, mac: Mac, target: Ipv4Address): Act =>
  hear(new ArpPacket(ARP_REQUEST, mac, from, '00:00:00:00:00:00', target))

/** Runs the script in place and recorded, compares the two, and lists every output with its time. */
export function timeline(script: Script, untilMs: number): string {
  const live = createArp()
  const inPlace = run(script, untilMs, { get: () => live, step: (act) => act(live) })
  let frozen = createArp()
  const recorded = run(script, untilMs, {
    get: () => frozen,
    step: (act) => {
      frozen = produce(frozen, (draft) => act(draft as ArpState))
    },
  })
  if (recorded !== inPlace) throw new Error(`recorded differs:\n${recorded}\nin place:\n${inPlace}`)
  return inPlace
}

interface Ground {
  get(): ArpState
  step(act: (state: ArpState) => void): void
}

function run(script: Script, untilMs: number, ground: Ground): string {
  const lines: string[] = []
  let now: Nanos = 0
  const say = (text: string) => lines.push(`${String(now / 1e6).padStart(6)}  ${text}`)
  const out = printer(say)
  let next = 0
  for (;;) {
    const due = arpNextDue(ground.get())
    const at = Math.min(due, next < script.length ? ms(script[next]![0]) : Infinity)
    if (at > ms(untilMs)) return lines.join('\n')
    now = at
    // A timer and an input in one instant: the timer first, as the deadline was set earlier.
    const act = due === at ? (s: ArpState) => arpTimer(s, now, out) : scripted(script[next++]![1])
    ground.step(act)
  }
  function scripted(act: Act) {
    return (state: ArpState) => act(state, now, out)
  }
}

const short = (mac: Mac): string => (mac === 'ff:ff:ff:ff:ff:ff' ? 'broadcast' : mac.slice(-2))

function printer(say: (text: string) => void): ArpOut {
  return {
    sendArp(p, to) {
      const [sender, target] = [formatIp(p.senderIp), formatIp(p.targetIp)]
      if (p.operation === ARP_REQUEST) say(`> who-has ${target} tell ${sender} to ${short(to)}`)
      else say(`> ${sender} is-at ${short(p.senderMac)} to ${short(to)}`)
    },
    forward: (packet, mac) => say(`> packet ${packet.identification} to ${short(mac)}`),
    undeliverable: (packet, why) => say(`= packet ${packet.identification} ${why}`),
    event(e) {
      say(`= ${e.kind} ${formatIp(e.address)} ${e.mac === null ? 'gone' : short(e.mac)}`)
    },
  }
}
