import { ip, type Ipv4Address } from '../protocols/address.ts'
import type { DnsData, DnsRecord } from '../protocols/dns/message.ts'
import { createDnsServer, dnsServer } from '../protocols/dns/server.ts'
import { ResolveError } from '../sim/dns.ts'
import { duration } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const record = (name: string, data: DnsData, ttl = 300): DnsRecord => ({ name, ttl, data })
const a = (text: string): DnsData => ({ kind: 'A', address: ip(text) as Ipv4Address })
const cname = (name: string): DnsData => ({ kind: 'CNAME', name })

const ZONE = {
  origin: 'lab',
  soa: record('lab', {
    kind: 'SOA',
    primary: 'ns.lab',
    mailbox: 'admin.lab',
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: 60,
  }),
  records: [
    record('server.lab', a('10.0.3.1')),
    record('www.lab', cname('server.lab')),
    ...Array.from({ length: 60 }, (_, i) => record('many.lab', a(`10.7.0.${i}`))),
  ],
}

export default defineScenario({
  name: 'dns-retry',
  about: `A host asks for names. Its first name server is dead, so every first question costs five
    seconds before the second server is asked; what was found is remembered, and so is what does not
    exist. A list of sixty addresses does not fit into a datagram and comes over TCP. Then the host
    connects by name, and a name that no server knows in time is a clear error.`,
  params: {
    delay: duration('10ms', 'of each link, each way'),
    down: duration('60s', 'the second server crashes at 30 s, for so long'),
  },
  topology: { client: 'host', r: 'router', ns1: 'host', ns2: 'host', server: 'host' },
  links: ({ delay }) => [
    { ends: { client: '10.0.0.1/24', r: '10.0.0.254/24' }, delay },
    { ends: { ns1: '10.0.1.53/24', r: '10.0.1.254/24' }, delay },
    { ends: { ns2: '10.0.2.53/24', r: '10.0.2.254/24' }, delay },
    { ends: { server: '10.0.3.1/24', r: '10.0.3.254/24' }, delay },
  ],
  programs: {
    ns2: (host) => void host.run(dnsServer, createDnsServer([ZONE])),
    server: (host) => void host.sink(80),
    client: async (host) => {
      host.useDns(['10.0.1.53', '10.0.2.53'])
      const timed = async (what: string, act: () => Promise<unknown>): Promise<void> => {
        const from = host.now
        const result = await act().catch((e: unknown) => (e instanceof ResolveError ? e.code : e))
        host.sample(what, host.now - from)
        if (typeof result === 'string') host.note(what, result)
      }
      await timed('first lookup', () => host.resolve('www.lab'))
      await timed('again', () => host.resolve('www.lab'))
      await timed('no such name', () => host.resolve('nobody.lab'))
      await timed('no such name again', () => host.resolve('nobody.lab'))
      await timed('over TCP', async () => {
        host.note('addresses', (await host.resolve('many.lab')).length)
      })
      await timed('connect by name', async () => (await host.connect('www.lab', 80)).close())
      await host.at('31s')
      await timed('nobody there', () => host.resolve('server.lab'))
      await host.at('100s')
      await timed('back again', () => host.resolve('server.lab'))
      host.mark('done')
    },
  },
  faults: ({ down }) => [
    { at: '0s', crash: 'ns1' },
    { at: '30s', crash: 'ns2', for: down },
  ],
  until: '120s',
  expect: [
    { sample: 'first lookup', percentile: 100, atLeast: '5s', below: '5.1s' },
    { sample: 'again', percentile: 100, atMost: '0s' },
    { note: 'no such name', equals: 'EAI_NONAME' },
    { sample: 'no such name again', percentile: 100, atMost: '0s' },
    { note: 'addresses', equals: 60 },
    { sample: 'connect by name', percentile: 100, below: '100ms' },
    { note: 'nobody there', equals: 'EAI_AGAIN' },
    { sample: 'nobody there', percentile: 100, atLeast: '20s', below: '20.1s' },
    { mark: 'done', within: '30s', after: 'faults' },
  ],
})
