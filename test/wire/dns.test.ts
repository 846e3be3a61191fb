import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { leaveNamespaces, Namespace, needs } from './namespace.ts'

// Our resolver asks dnsmasq; dig asks our server.

const desk = new Desk()
let namespace: Namespace | null = null
afterEach(() => {
  namespace?.remove()
  namespace = null
})
afterAll(() => {
  desk.clear()
  leaveNamespaces()
})

const RESOLVER = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'asking',
  about: 'A host that asks for names.',
  topology: { a: 'host', k: 'host' },
  links: [{ ends: { a: '10.9.2.1/24', k: '10.9.2.2/24' } }],
  programs: {
    a: async (host) => {
      host.useDns(['10.9.2.2'])
      const ask = async (what, name, type, told) => {
        const found = await host.resolve(name, type).then(told, (e) => e.code)
        host.note(what, found)
      }
      const first = ([data]) => String(data.address ?? data.name ?? data.texts?.join('|'))
      await ask('A', 'www.lab', 'A', first)
      await ask('AAAA', 'www.lab', 'AAAA', first)
      await ask('CNAME', 'alias.lab', 'CNAME', first)
      await ask('A of an alias', 'alias.lab', 'A', first)
      await ask('TXT', 'note.lab', 'TXT', first)
      await ask('no such name', 'nobody.lab', 'A', first)
      await ask('no such record', 'www.lab', 'TXT', first)
      await ask('many', 'many.lab', 'A', (records) => records.length)
      await ask('long', 'long.lab', 'TXT', (records) => records.flatMap((r) => r.texts).join('').length)
      const socket = await host.connect('alias.lab', 7)
      await socket.send('by name')
      socket.close()
      host.note('connected', 'yes')
    },
  },
})
`
const TEXT = 'x'.repeat(250)
const DNSMASQ = (hosts: string) => `no-resolv
no-hosts
interface=tap0
bind-dynamic
local=/lab/
host-record=www.lab,10.9.2.2,2001:db8::2
cname=alias.lab,www.lab
txt-record=note.lab,one,two
${`txt-record=long.lab,${TEXT},${TEXT}\n`.repeat(4)}addn-hosts=${hosts}
log-queries
user=root
`

describe.skipIf(!needs('dnsmasq', 'nc'))('our resolver and dnsmasq', () => {
  test('every kind of answer, long ones over TCP, and a connection by name', async () => {
    namespace = new Namespace()
    desk.write('resolver.ts', RESOLVER)
    const many = Array.from({ length: 60 }, (_, i) => `10.7.0.${i + 1} many.lab\n`)
    desk.write('hosts', many.join(''))
    desk.write('dnsmasq.conf', DNSMASQ(`${desk.path}/hosts`))
    const conf = `--conf-file=${desk.path}/dnsmasq.conf`
    const server = namespace.start('dnsmasq', '-k', conf, '--log-facility=-', '--pid-file=')
    await server.says(/read .*hosts/)
    const peer = namespace.start('nc', '-l', '7')
    const live = await Live.start(namespace, `${desk.path}/resolver.ts`, '--bind', 'k=tap:tap0')
    await peer.says(/by name/)
    const { notes, failure } = await live.stop()
    expect(failure).toBeNull()
    expect(notes).toEqual({
      A: String((10 << 24) | (9 << 16) | (2 << 8) | 2),
      AAAA: '2001:db8::2',
      CNAME: 'www.lab',
      'A of an alias': String((10 << 24) | (9 << 16) | (2 << 8) | 2),
      TXT: 'one|two',
      'no such name': 'EAI_NONAME',
      'no such record': 'EAI_NODATA',
      many: 60,
      long: 2000,
      connected: 'yes',
    })
  }, 30_000)
})

const SERVER = `import { defineScenario } from 'twinwire'
import { ip } from 'twinwire/protocols/address'
import { createDnsServer, dnsServer } from 'twinwire/protocols/dns/server'
const record = (name, data) => ({ name, ttl: 300, data })
const soa = { kind: 'SOA', primary: 'ns.lab', mailbox: 'admin.lab', serial: 7, refresh: 3600, retry: 600, expire: 86400, minimum: 60 }
const ZONE = {
  origin: 'lab',
  soa: record('lab', soa),
  records: [
    record('www.lab', { kind: 'A', address: ip('10.9.3.9') }),
    record('www.lab', { kind: 'AAAA', address: '2001:db8::9' }),
    record('alias.lab', { kind: 'CNAME', name: 'www.lab' }),
    record('lab', { kind: 'MX', preference: 10, name: 'www.lab' }),
    record('note.lab', { kind: 'TXT', texts: ['one', 'two'] }),
    ...Array.from({ length: 60 }, (_, i) => record('many.lab', { kind: 'A', address: ip('10.7.0.' + i) })),
  ],
}
export default defineScenario({
  name: 'answering',
  about: 'A host that knows names.',
  topology: { a: 'host', k: 'host' },
  links: [{ ends: { a: '10.9.3.1/24', k: '10.9.3.2/24' } }],
  programs: { a: (host) => void host.run(dnsServer, createDnsServer([ZONE])) },
})
`

describe.skipIf(!needs('dig'))('our server and dig', () => {
  test('every kind of answer, and a long one over TCP', async () => {
    const space = (namespace = new Namespace())
    desk.write('server.ts', SERVER)
    const live = await Live.start(space, `${desk.path}/server.ts`, '--bind', 'k=tap:tap0')
    const dig = (text: string) => {
      const args = ['@10.9.3.1', '+tries=1', '+time=3', '+norecurse', ...text.split(' ')]
      const { out, err } = space.run('dig', ...args)
      expect(out + err).not.toMatch(/malformed|WARNING|Warning|connection|timed out/)
      return out.trim()
    }
    expect(dig('+short www.lab A')).toBe('10.9.3.9')
    expect(dig('+short www.lab AAAA')).toBe('2001:db8::9')
    expect(dig('+short alias.lab A')).toBe('www.lab.\n10.9.3.9')
    expect(dig('+short WWW.LAB A')).toBe('10.9.3.9')
    expect(dig('+short lab MX')).toBe('10 www.lab.')
    expect(dig('+short note.lab TXT')).toBe('"one" "two"')
    expect(dig('+short lab SOA')).toBe('ns.lab. admin.lab. 7 3600 600 86400 60')
    expect(dig('+noedns www.lab A')).toMatch(/status: NOERROR.*\n;; flags: qr aa; /)
    expect(dig('nobody.lab A')).toMatch(/status: NXDOMAIN[^]*AUTHORITY: 1[^]*\bSOA\b/)
    expect(dig('note.lab A')).toMatch(/status: NOERROR[^]*ANSWER: 0, AUTHORITY: 1/)
    expect(dig('elsewhere.test A')).toMatch(/status: REFUSED/)
    expect(dig('+noedns +ignore many.lab A')).toMatch(/flags: qr aa tc;/)
    expect(
      dig('+noedns +short many.lab A')
        .split('\n')
        .filter((l) => !l.startsWith(';')),
    ).toHaveLength(60)
    expect(dig('+tcp +short www.lab A')).toBe('10.9.3.9')
    const { failure } = await live.stop()
    expect(failure).toBeNull()
  }, 30_000)
})
