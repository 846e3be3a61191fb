import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Ipv4Address } from '../../../protocols/address.ts'
import { fragment, isFragment } from '../../../protocols/ipv4/fragment.ts'
import { malformedOptionAt } from '../../../protocols/ipv4/options.ts'
import { Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { REASSEMBLY_MEMORY } from '../../../protocols/reassembly.ts'
import { ipv4Packet } from '../arbitrary.ts'
import { addr, afterwards, FAR, OWN, PEER, type Script } from './host-timeline.ts'

/** Any packet, between hosts that exist, mostly the same few. */
const anyPacket = fc
  .tuple(
    ipv4Packet,
    fc.constantFrom<Ipv4Address>(PEER, addr('10.0.0.7'), 0, -1),
    fc.constantFrom<Ipv4Address>(OWN, OWN, FAR, addr('10.0.0.255'), -1),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(
    ([p, source, destination, id]) =>
      new Ipv4Packet(source, destination, p.protocol, p.ttl, id, p.details, p.payload),
  )

const pieces = fc
  .tuple(anyPacket, fc.integer({ min: 68, max: 200 }))
  .map(([packet, mtu]) =>
    packet.details.dontFragment || malformedOptionAt(packet.details.options) >= 0
      ? [packet]
      : fragment(packet, mtu),
  )

test('whatever comes, a router neither throws nor keeps more than it may', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4000), pieces), { maxLength: 20 }), (steps) => {
      const script: (readonly [number, Script[number][1]])[] = []
      let now = 0
      for (const [pause, packets] of steps) {
        now += pause
        for (const packet of packets) script.push([now, { packet }])
      }
      const { state, sent } = afterwards(script, { router: true, farMtu: 68 })
      // Every deadline has passed: nothing is left of any piece.
      const none = { ipv4: new Map(), ipv6: new Map() }
      expect(state.fragments).toEqual({ limit: REASSEMBLY_MEMORY, bytes: 0, ...none })
      for (const { payload } of sent) {
        if (payload.kind !== 'ipv4' || payload.destination !== FAR) continue
        expect(payload.size).toBeLessThanOrEqual(68)
        if (isFragment(payload)) expect(malformedOptionAt(payload.details.options)).toBe(-1)
      }
    }),
    { seed: 1122, numRuns: 500 },
  )
})
