import { z } from 'zod'
import { SERVICES } from '../sim/service.ts'
import { TRAFFIC_KINDS, type TrafficSpec } from '../sim/traffic/spec.ts'
import { type Keys, optional, quantity, strict, text, whole } from './yaml-values.ts'

const at = quantity.describe('when it starts; at once unless given').optional()
const remote = text.describe('a node or an address, and a port: b:5000')

const sink = strict({
  sink: whole.describe('a TCP port: accepts everybody and reads what comes'),
  at,
}).meta({ id: 'sink' })

const bulk = strict({
  bulk: remote,
  bytes: quantity.describe('without end unless given').optional(),
  at,
})
  .describe('sends over TCP as fast as it goes')
  .meta({ id: 'bulk' })

const ping = strict({
  ping: text.describe('a node or an address'),
  count: whole.describe('echo requests; 1 unless given').optional(),
  interval: quantity.describe('between them; 1s unless given').optional(),
  timeout: quantity.describe('to wait for each; 1s unless given').optional(),
  ttl: whole.optional(),
  at,
})
  .describe("notes 'a>b received', samples 'a>b rtt'")
  .meta({ id: 'ping' })

const serve = strict({
  serve: z.enum(SERVICES, { error: `expected ${SERVICES.join(', ')}` }),
  port: whole.describe("the RFC's unless given").optional(),
  epoch: whole.describe('daytime: what time 0 is, in seconds since 1970').optional(),
  at,
})
  .describe('a service over UDP and TCP')
  .meta({ id: 'serve' })

const datagrams = strict({
  datagrams: remote,
  bytes: quantity.describe('of each; 512B unless given').optional(),
  count: whole.describe('how many; 1 unless given').optional(),
  interval: quantity.describe('between them; 10ms unless given').optional(),
  at,
})
  .describe("over UDP; notes 'a>b:7 received' for what comes back")
  .meta({ id: 'datagrams' })

/** A record with every key that some alternative has. */
type AllOf<Union> = { [Key in Union extends unknown ? keyof Union : never]: unknown }

/** Every key that some kind of traffic has: which ones go with which kind is the simulator's to say. */
const TRAFFIC: Omit<Keys<AllOf<TrafficSpec>>, 'kind'> = {
  to: remote,
  start: quantity.describe('when it starts; at once unless given'),
  stop: quantity.describe('when it stops'),
  name: text.describe('names the random stream and the samples'),
  rate: quantity.describe('payload bits per second'),
  size: quantity.describe('payload of each datagram or write'),
  protocol: text.describe('udp or tcp'),
  on: quantity.describe('the mean of the spells that send'),
  off: quantity.describe('the mean of the pauses'),
  bytes: quantity.describe('of bulk; without end unless given'),
  request: quantity.describe('bytes'),
  response: quantity.describe('bytes'),
  think: quantity.describe('the mean pause between requests'),
  count: quantity.describe('how many requests'),
  port: whole.describe('of respond'),
  capture: text.describe('the file of replay'),
  filter: text.describe('which of its frames'),
}
const traffic = strict({
  traffic: z.enum(TRAFFIC_KINDS, { error: `expected ${TRAFFIC_KINDS.join(', ')}` }),
  ...optional(TRAFFIC),
})
  .describe('a traffic generator')
  .meta({ id: 'traffic' })

const action = z.union([sink, bulk, ping, serve, datagrams, traffic], {
  error: "expected a program: 'sink', 'bulk', 'ping', 'serve', 'datagrams' or 'traffic'",
})

export type DataAction = z.infer<typeof action>

/** What runs on which node: `{ a: [{ ping: b, count: 3 }] }`. */
export const dataPrograms = z
  .record(z.string(), z.array(action, { error: 'expected a list of programs' }))
  .describe('what runs on which node')
