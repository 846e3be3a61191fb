import { enableMapSet, produce } from 'immer'
import { expect, test } from 'vitest'
import type { Ipv4Address, Mac } from '../../../protocols/address.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../../protocols/arp/packet.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import type { HostCall } from '../../../protocols/host/host.ts'
import { hostEngine } from '../../../protocols/host/host.ts'
import { createHost, type HostState } from '../../../protocols/host/state.ts'
import { Ipv4Details, type Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { ms, type Nanos, s } from '../../../protocols/time.ts'
import { addr, FAR, packet, PEER } from './host-timeline.ts'

// What a router has looked up it uses again, but never beyond the news that changes it.

enableMapSet()

const NEAR_MAC: Mac = '02:00:00:00:00:01'
const AWAY_MAC: Mac = '02:00:00:00:09:01'
const FAR_MAC: Mac = '02:00:00:00:09:02'
const OTHER_MAC: Mac = '02:00:00:00:09:99'
const GATE_MACS: readonly Mac[] = ['02:00:00:00:09:0a', '02:00:00:00:09:0b']
const GATES = [addr('10.0.9.10'), addr('10.0.9.11')] as const
const NOWHERE: Mac = '00:00:00:00:00:00'
const BEYOND = addr('192.0.2.1')

type Send = EthernetFrame['payload']

/** 10.0.0.1/24 and 10.0.9.1/24 with an MTU of 1,000; every step is taken in place and recorded. */
class Router {
  #now: Nanos = 0
  readonly #live = createHost(CONFIG)
  #frozen = createHost(CONFIG)

  /** What leaves, as `port destination-MAC what`. */
  #step(input: Parameters<typeof hostEngine.step>[2]): string[] {
    const heard = (step: (out: Parameters<typeof hostEngine.step>[3]) => void): string[] => {
      const lines: string[] = []
      step({
        send: (frame, port) => lines.push(`${port} ${frame.destination} ${nameOf(frame.payload)}`),
        event: (event) => {
          if (event.kind === 'dropped') lines.push(event.why)
        },
        wake: () => {},
      })
      return lines
    }
    const live = heard((out) => hostEngine.step(this.#live, this.#now, input, out))
    const recorded = heard((out) => {
      this.#frozen = produce(this.#frozen, (draft) =>
        hostEngine.step(draft as HostState, this.#now, input, out),
      )
    })
    expect(recorded).toEqual(live)
    return live
  }

  wait(time: Nanos): void {
    this.#now += time
  }

  call(call: HostCall): string[] {
    return this.#step({ kind: 'call', call })
  }

  timer(port: number): string[] {
    return this.#step({ kind: 'timer', owner: 2 + port })
  }

  forward(carried: Ipv4Packet): string[] {
    const frame = new EthernetFrame(NEAR_MAC, '02:00:00:00:00:02', ETHERTYPE_IPV4, carried)
    return this.#step({ kind: 'packet', packet: frame, port: 0 })
  }

  /** A neighbour beyond says where it is. */
  hears(mac: Mac, from: Ipv4Address, operation = ARP_REQUEST): void {
    const said = new ArpPacket(operation, mac, from, NOWHERE, addr('10.0.9.1'))
    const frame = new EthernetFrame(AWAY_MAC, mac, ETHERTYPE_ARP, said)
    this.#step({ kind: 'packet', packet: frame, port: 1 })
  }
}

const nameOf = (payload: Send): string =>
  payload.kind === 'ipv4' ? `${payload.payload.kind}, ttl ${payload.ttl}` : payload.kind

const network = (destination: Ipv4Address, port: number) => ({
  destination,
  prefixLength: 24,
  gateway: null,
  port,
  source: null,
})
const CONFIG = {
  forwarding: true,
  policy: RFC,
  seed: 'router',
  interfaces: [
    { mac: NEAR_MAC, mtu: 1500, addresses: [{ address: addr('10.0.0.1'), prefixLength: 24 }] },
    { mac: AWAY_MAC, mtu: 1000, addresses: [{ address: addr('10.0.9.1'), prefixLength: 24 }] },
  ].map((each) => ({ ...each, claim: null })),
  routes: [network(addr('10.0.0.0'), 0), network(addr('10.0.9.0'), 1)],
  now: 0,
}

const NO_BYTES = new Uint8Array(0)
const WHOLE = new Ipv4Details(0, true, false, 0, NO_BYTES)
const carried = (bytes: number, more: Parameters<typeof packet>[1] = {}): Ipv4Packet =>
  packet(
    { kind: 'opaque', bytes: new Uint8Array(bytes), size: bytes },
    {
      source: PEER,
      destination: FAR,
      ...more,
    },
  )

/** It has sent two packets to `FAR`, the second by what it remembers. */
function warmRouter(): Router {
  const router = new Router()
  router.hears(FAR_MAC, FAR)
  const line = `1 ${FAR_MAC} opaque, ttl 63`
  expect([router.forward(carried(10)), router.forward(carried(10))]).toEqual([[line], [line]])
  return router
}

test('a known way spares no packet what is due to it', () => {
  const router = warmRouter()
  expect(router.forward(carried(10, { ttl: 1 }))[0]).toBe('ipv4 ttl')
  expect(router.forward(carried(1200, { details: WHOLE }))[0]).toBe('ipv4 too big')
  expect(router.forward(carried(1200))).toEqual(
    Array.from({ length: 2 }, () => `1 ${FAR_MAC} opaque, ttl 63`),
  )
  expect(router.forward(carried(10, { source: addr('224.0.0.1') }))).toEqual(['ipv4 bad source'])
})

test('a neighbour that has moved gets the next packet', () => {
  const router = warmRouter()
  router.hears(OTHER_MAC, FAR)
  expect(router.forward(carried(10))).toEqual([`1 ${OTHER_MAC} opaque, ttl 63`])
})

test('a neighbour that was confirmed a minute ago is asked again', () => {
  const router = warmRouter()
  router.wait(s(60) - 1)
  expect(router.forward(carried(10))).toEqual([`1 ${FAR_MAC} opaque, ttl 63`])
  router.wait(1)
  expect(router.forward(carried(10)).toSorted()).toEqual([
    `1 ${FAR_MAC} arp`,
    `1 ${FAR_MAC} opaque, ttl 63`,
  ])
  // Nobody answers: what comes then waits for the answer to a request to all.
  for (let i = 0; i < 5; i++) {
    router.wait(s(1))
    router.timer(1)
  }
  expect(router.forward(carried(10))).not.toContain(`1 ${FAR_MAC} opaque, ttl 63`)
})

test('another gateway takes over at once, and with none there is no route', () => {
  const router = warmRouter()
  GATES.forEach((gate, i) => router.hears(GATE_MACS[i]!, gate))
  const beyond = carried(10, { destination: BEYOND })
  expect(router.forward(beyond)[0]).toBe('ipv4 no route')
  GATES.forEach((gateway, i) => {
    router.call({ kind: 'set-gateway', port: 1, gateway })
    const line = `1 ${GATE_MACS[i]!} opaque, ttl 63`
    expect([router.forward(beyond), router.forward(beyond)]).toEqual([[line], [line]])
  })
  router.call({ kind: 'set-gateway', port: 1, gateway: null })
  expect(router.forward(beyond)[0]).toBe('ipv4 no route')
})

test('an address that becomes our own is not forwarded to any longer', () => {
  const router = warmRouter()
  router.call({ kind: 'add-address', port: 1, address: FAR, prefixLength: 24 })
  // RFC 5227: it is claimed for some seconds, and is a neighbour's until then.
  for (let i = 0; i < 100; i++) {
    router.wait(ms(100))
    router.timer(1)
  }
  expect(router.forward(carried(10))[0]).toBe('ipv4 unknown protocol')
})

test('a neighbour that answers for the first time gets what waited, and what follows', () => {
  const router = new Router()
  expect(router.forward(carried(10))).toEqual(['1 ff:ff:ff:ff:ff:ff arp'])
  router.hears(FAR_MAC, FAR, ARP_REPLY)
  expect(router.forward(carried(10))).toEqual([`1 ${FAR_MAC} opaque, ttl 63`])
})
