import fc from 'fast-check'
import { expect, test } from 'vitest'
import { REASSEMBLY_MEMORY } from '../../../protocols/reassembly.ts'
import { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import { NEIGHBOURS_MAX } from '../../../protocols/nd/cache.ts'
import { Ipv6Packet, PLAIN_IPV6 } from '../../../protocols/ipv6/packet.ts'
import { NEVER } from '../../../protocols/time.ts'
import { ipv6Packet } from '../arbitrary.ts'
import {
  ip6,
  ipv6Afterwards,
  OWN,
  OWN_LINK_LOCAL,
  PEER,
  PEER_LINK_LOCAL,
  type Script,
} from './ipv6-timeline.ts'

/** Messages of neighbour discovery, MLD and errors whose fields are anything at all. */
const control = fc
  .tuple(
    fc.constantFrom(1, 2, 3, 4, 128, 129, 130, 133, 134, 135, 136, 137, 143),
    fc.constantFrom(0, 0, 0, 1),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.uint8Array({ maxLength: 120 }),
  )
  .map((fields) => new Icmpv6Message(...fields))

const ends = {
  source: fc.constantFrom(PEER, PEER_LINK_LOCAL, ip6('::'), ip6('2001:db8::77'), ip6('ff02::1')),
  destination: fc.constantFrom(
    OWN,
    OWN_LINK_LOCAL,
    ip6('ff02::1'),
    ip6('ff02::1:ff00:1'),
    ip6('2001:db8:9::2'),
  ),
}

const anyPacket = fc
  .tuple(
    ipv6Packet,
    fc.option(control, { freq: 2 }),
    ends.source,
    ends.destination,
    fc.constantFrom(255, 64, 1),
  )
  .map(([p, message, source, destination, hopLimit]) =>
    message === null
      ? new Ipv6Packet(source, destination, p.protocol, hopLimit, p.details, p.payload)
      : new Ipv6Packet(source, destination, 58, hopLimit, PLAIN_IPV6, message),
  )

const steps = fc.array(fc.tuple(fc.nat(4000), anyPacket), { maxLength: 30 })

function scriptOf(list: readonly (readonly [number, Ipv6Packet])[]): Script {
  let now = 0
  return list.map(([pause, packet]) => [(now += pause), { packet }] as const)
}

test.each([
  ['a router', { forwarding: true, far: true, untilMs: 400_000 }],
  [
    'a host that configures itself',
    { autoconfigure: true, detectDuplicates: true, untilMs: 400_000 },
  ],
])('whatever comes, %s neither throws nor keeps more than it may', (_, stand) => {
  fc.assert(
    fc.property(steps, (list) => {
      const { state, sent } = ipv6Afterwards(scriptOf(list), stand)
      // Every deadline of fragments has passed: nothing is left of any piece.
      const none = { ipv4: new Map(), ipv6: new Map() }
      expect(state.fragments).toEqual({ limit: REASSEMBLY_MEMORY, bytes: 0, ...none })
      for (const { ipv6 } of state.interfaces) {
        const { entries, waiting } = ipv6!.neighbours
        expect(entries.size).toBeLessThanOrEqual(NEIGHBOURS_MAX)
        const due = [...entries].flatMap(([address, { due: at }]) =>
          at === NEVER ? [] : [address],
        )
        expect([...waiting].sort()).toEqual(due.sort())
      }
      for (const { payload } of sent) expect(payload.size).toBeLessThanOrEqual(1500)
    }),
    { seed: 4861, numRuns: 300 },
  )
})
