import process from 'node:process'
import { parseIpText } from '../protocols/address.ts'
import { type Nanos, s, us } from '../protocols/time.ts'
import type { SocketHandler } from '../sim/node.ts'
import { openSocket } from '../sim/socket.ts'
import { planNetwork } from '../sim/topology.ts'
import { World } from '../sim/world.ts'
import { type Benchmark, cpuSecondsSince, liveBytes, type Row } from './measure.ts'

const INTERVAL: Nanos = us(20)
/** A port for every so many, so that the client's ports last. */
const PER_PORT = 10_000
const PORT = 5000
const SILENCE: Nanos = s(3600)

export const benchmarks: readonly Benchmark[] = [
  { name: 'idle-10k', run: () => idle(10_000) },
  { name: 'idle-100k', run: () => idle(100_000) },
]

/** TCP connections between two hosts, one every 20 µs, that then do nothing for an hour. */
function idle(connections: number): Row {
  const link = { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, rate: '1Gbit', delay: '10ms' }
  const network = planNetwork({ a: 'host', b: 'host' }, [{ ...link, queue: '10000 frames' }])
  const world = new World(network, { seed: '1' })
  const counts = { connected: 0, accepted: 0 }
  const open = opener(world, connections, counts)
  const before = liveBytes()

  const marks: number[] = []
  const start = process.cpuUsage()
  for (let i = 0; i < connections; i++) {
    world.runUntil(i * INTERVAL)
    if (i % PER_PORT === 0) marks.push(cpuSecondsSince(start))
    open(i)
  }
  world.runUntil(connections * INTERVAL + s(5))
  const cpuSeconds = cpuSecondsSince(start)
  marks.push(cpuSeconds)

  const events = world.events
  world.runUntil(world.now + SILENCE)
  const bytes = liveBytes() - before
  return {
    connections,
    ...counts,
    connectCpuSeconds: Number(cpuSeconds.toFixed(3)),
    microsecondsPerConnection: each(cpuSeconds, connections),
    // The first ones include what the compiler took.
    microsecondsOfFirst10k: each(marks[1]! - marks[0]!, PER_PORT),
    microsecondsOfLast10k: each(marks.at(-1)! - marks.at(-2)!, PER_PORT),
    bytesPerEndpoint: Math.round(bytes / (2 * connections)),
    eventsInTheHourAfter: world.events - events,
  }
}

const each = (seconds: number, count: number): number =>
  Number(((seconds * 1e6) / count).toFixed(2))

/** Listens on every port that is needed, and returns what opens the i-th connection. */
function opener(
  world: World,
  connections: number,
  counts: { connected: number; accepted: number },
): (i: number) => void {
  const [client, server] = [world.node('a'), world.node('b')]
  const accepts: SocketHandler = (event) => {
    if (event.kind === 'accepted') counts.accepted += 1
  }
  for (let first = 0; first < connections; first += PER_PORT) {
    const socket = openSocket(server, 'tcp')
    server.handle(socket, accepts)
    const port = PORT + first / PER_PORT
    server.call({ kind: 'bind', socket, address: null, port })
    server.call({ kind: 'listen', socket, backlog: 65_535 })
  }
  const address = parseIpText('10.0.0.2')!
  const hears: SocketHandler = (event) => {
    if (event.kind === 'connected') counts.connected += 1
  }
  return (i) => {
    const socket = openSocket(client, 'tcp')
    client.handle(socket, hears)
    const remote = { address, port: PORT + Math.floor(i / PER_PORT) }
    client.call({ kind: 'connect', socket, remote })
  }
}
