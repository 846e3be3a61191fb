import { expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import type { SocketEvent } from '../../../protocols/host/socket.ts'
import { openSocket } from '../../../sim/socket.ts'
import { planNetwork } from '../../../sim/topology.ts'
import { World } from '../../../sim/world.ts'

const ends = { a: '10.0.0.1/24', b: '10.0.0.2/24' }

/** Both sides connect to each other's port in the same instant; what happened, by side. */
function meet(recorded: boolean): { readonly [side: string]: readonly string[] } {
  const network = planNetwork({ a: 'host', b: 'host' }, [{ ends, delay: '10ms' }])
  const said: { [side: string]: string[] } = { a: [], b: [] }
  const world = new World(network, {
    seed: '1',
    recorded,
    observer: (record) => {
      if (record.kind !== 'event' || record.said.kind !== 'tcp-state') return
      said[record.node]!.push(`${record.at / 1e6} ${record.said.to}`)
    },
  })
  for (const [name, port, peer, peerPort] of [
    ['a', 1000, '10.0.0.2', 2000],
    ['b', 2000, '10.0.0.1', 1000],
  ] as const) {
    const node = world.node(name)
    const socket = openSocket(node, 'tcp')
    node.handle(socket, (event: SocketEvent) => {
      if (event.kind === 'connected') said[name]!.push('connected')
      if (event.kind === 'connected' && name === 'a') {
        node.call({ kind: 'send', socket, bytes: Uint8Array.of(1, 2, 3) })
      }
      if (event.kind === 'readable') said[name]!.push(`readable ${event.available}`)
    })
    node.call({ kind: 'bind', socket, address: null, port })
    node.call({ kind: 'connect', socket, remote: { address: ip(peer), port: peerPort } })
  }
  world.runUntil(60e9)
  return said
}

test('two hosts that connect to each other share one connection (RFC 9293 figure 8)', () => {
  // Each learns the other's address from its request, at 10 ms; SYNs arrive at 20, SYN,ACKs at
  // 30, and the ACKs that answer those at 40.
  const expected = {
    a: ['0 SYN-SENT', '20 SYN-RECEIVED', '40 ESTABLISHED', 'connected'],
    b: ['0 SYN-SENT', '20 SYN-RECEIVED', '40 ESTABLISHED', 'connected', 'readable 3'],
  }
  expect(meet(false)).toEqual(expected)
  expect(meet(true)).toEqual(expected)
})
