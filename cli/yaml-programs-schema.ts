import { z } from 'zod'
import type { ServiceName } from '../sim/service.ts'
import { quantity, strict, text, whole } from './yaml-values.ts'

const SERVICES = ['echo', 'discard', 'daytime', 'chargen'] as const satisfies ServiceName[]

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

const action = z.union([sink, bulk, ping, serve, datagrams], {
  error: "expected a program: 'sink', 'bulk', 'ping', 'serve' or 'datagrams'",
})

export type DataAction = z.infer<typeof action>

/** What runs on which node: `{ a: [{ ping: b, count: 3 }] }`. */
export const dataPrograms = z
  .record(z.string(), z.array(action, { error: 'expected a list of programs' }))
  .describe('what runs on which node')
