import { expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import type { SocketEvent, SocketId } from '../../../protocols/host/socket.ts'
import { ms, s } from '../../../protocols/time.ts'
import type { Node } from '../../../sim/node.ts'
import { openSocket } from '../../../sim/socket.ts'
import type { HostSpec } from '../../../sim/scenario.ts'
import { planNetwork } from '../../../sim/topology.ts'
import { World } from '../../../sim/world.ts'

const PORT = 1000

/** Opens a connection from port 1000 of `a` to port 80 of `b`. */
function connect(world: World, hear: (event: SocketEvent) => void): SocketId {
  const node = world.node('a')
  const socket = openSocket(node, 'tcp')
  node.handle(socket, hear)
  node.call({ kind: 'bind', socket, address: null, port: PORT })
  node.call({ kind: 'connect', socket, remote: { address: ip('10.0.0.2'), port: 80 } })
  return socket
}

/** Accepts, and closes each connection at once: its side stays in TIME-WAIT. */
function listenAndClose(node: Node): void {
  const listener = openSocket(node, 'tcp')
  node.handle(listener, (event) => {
    if (event.kind === 'accepted') node.call({ kind: 'close', socket: event.socket })
  })
  node.call({ kind: 'bind', socket: listener, address: null, port: 80 })
  node.call({ kind: 'listen', socket: listener, backlog: 5 })
}

function play(recorded: boolean, tcp: HostSpec['tcp'] & object): readonly string[] {
  const ends = { a: '10.0.0.1/24', b: '10.0.0.2/24' }
  const network = planNetwork({ a: 'host', b: { kind: 'host', tcp } }, [{ ends, delay: '10ms' }])
  const lines: string[] = []
  const world = new World(network, {
    seed: '1',
    recorded,
    observer: (record) => {
      if (record.kind !== 'event' || record.said.kind !== 'tcp-state') return
      const { from, to } = record.said
      if (record.at >= s(10)) lines.push(`${record.at / 1e9} ${record.node} ${from} ${to}`)
    },
  })
  listenAndClose(world.node('b'))
  const first = connect(world, (event) => {
    if (event.kind === 'readable') world.node('a').call({ kind: 'close', socket: first })
  })
  world.runUntil(s(10))
  connect(world, (event) => {
    if (event.kind === 'connected') lines.push(`${world.now / 1e9} a connected`)
  })
  world.runUntil(s(11) + ms(25))
  const connected = lines.findIndex((line) => line.endsWith('connected'))
  return lines.slice(0, connected + 1)
}

test('a SYN that is newer than all before it takes the place of TIME-WAIT at once (RFC 6191)', () => {
  const expected = [
    '10 a CLOSED SYN-SENT',
    '10.01 b TIME-WAIT CLOSED',
    '10.01 b LISTEN SYN-RECEIVED',
    '10.02 a SYN-SENT ESTABLISHED',
    '10.02 a connected',
  ]
  expect(play(false, {})).toEqual(expected)
  expect(play(true, {})).toEqual(expected)
})

test('where TIME-WAIT stays, a challenge and its reset end it, and the repeated SYN connects', () => {
  // SYN at 10 s; ACK back at 10.02; its reset arrives at 10.03; SYN again at 11 s.
  expect(play(false, { timeWaitReuse: false })).toEqual([
    '10 a CLOSED SYN-SENT',
    '10.03 b TIME-WAIT CLOSED',
    '11.01 b LISTEN SYN-RECEIVED',
    '11.02 a SYN-SENT ESTABLISHED',
    '11.02 a connected',
  ])
})
