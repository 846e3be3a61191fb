import { expect, test } from 'vitest'
import { ip, type Ipv4Address, type Ipv6Address } from '../../protocols/address.ts'
import type { DnsRecord } from '../../protocols/dns/message.ts'
import { createDnsServer, dnsServer } from '../../protocols/dns/server.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario } from '../../sim/scenario.ts'

const a = (name: string, text: string): DnsRecord => {
  return { name, ttl: 60, data: { kind: 'A', address: ip(text) as Ipv4Address } }
}
const aaaa = (name: string, text: string): DnsRecord => {
  return { name, ttl: 60, data: { kind: 'AAAA', address: ip(text) as Ipv6Address } }
}
const SOA: DnsRecord = {
  name: 'lab',
  ttl: 60,
  data: {
    kind: 'SOA',
    primary: 'ns.lab',
    mailbox: 'admin.lab',
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: 60,
  },
}
const RECORDS = [
  a('both.lab', '10.0.0.1'),
  aaaa('both.lab', '2001:db8::1'),
  aaaa('far.lab', '2001:db8:9::1'),
  a('far.lab', '10.0.0.1'),
  a('four.lab', '10.0.0.1'),
  aaaa('six.lab', '2001:db8::1'),
]

/** Whom a host of these addresses reaches by each name: the family, or the error's code. */
async function reached(own: readonly string[], recorded: boolean): Promise<string> {
  const names = ['both', 'far', 'four', 'six', 'nobody']
  const scenario = defineScenario({
    name: 'names',
    topology: { client: 'host', server: 'host' },
    links: [{ ends: { client: [...own], server: ['10.0.0.1/24', '2001:db8::1/64'] } }],
    programs: {
      server: [
        (host) => {
          host.run(dnsServer, createDnsServer([{ origin: 'lab', soa: SOA, records: RECORDS }]))
        },
        (host) => void host.sink(80),
      ],
      client: async (host) => {
        host.useDns([own[0]!.includes('.') ? '10.0.0.1' : '2001:db8::1'])
        for (const name of names) {
          const found = await host.connect(`${name}.lab`, 80).then(
            (socket) => (typeof socket.remote.address === 'string' ? 'IPv6' : 'IPv4'),
            (error: { code: string }) => error.code,
          )
          host.note(name, found)
        }
      },
    },
    until: '60s',
  })
  const { notes, failure } = await runScenario(scenario, { seed: '1', recorded })
  expect(failure).toBeNull()
  return names.map((name) => `${name} ${notes[name]}`).join(', ')
}

test.each([
  [
    'both families: IPv6, where there is a way',
    ['10.0.0.2/24', '2001:db8::2/64'],
    'both IPv6, far IPv4, four IPv4, six IPv6, nobody EAI_NONAME',
  ],
  [
    'IPv4 alone',
    ['10.0.0.2/24'],
    'both IPv4, far IPv4, four IPv4, six ENETUNREACH, nobody EAI_NONAME',
  ],
  [
    'IPv6 alone',
    ['2001:db8::2/64'],
    'both IPv6, far ENETUNREACH, four ENETUNREACH, six IPv6, nobody EAI_NONAME',
  ],
] as const)('a name with several addresses: %s', async (_, own, expected) => {
  for (const recorded of [false, true]) expect(await reached(own, recorded)).toBe(expected)
})
