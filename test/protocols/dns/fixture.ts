import { formatIp, ip, type Ipv4Address, type Ipv6Address } from '../../../protocols/address.ts'
import type { ApplicationInput } from '../../../protocols/application.ts'
import type { Bytes } from '../../../protocols/bytes.ts'
import { emitDns, parseDns } from '../../../protocols/dns/codec.ts'
import {
  DNS_TYPES,
  type DnsData,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  type DnsTypeName,
} from '../../../protocols/dns/message.ts'
import type { DnsZone } from '../../../protocols/dns/zone.ts'
import type { SocketEvent } from '../../../protocols/host/socket.ts'

export const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
export const a = (address: string): DnsData => ({ kind: 'A', address: addr(address) })
export const aaaa = (address: string): DnsData => ({
  kind: 'AAAA',
  address: ip(address) as Ipv6Address,
})
export const cname = (name: string): DnsData => ({ kind: 'CNAME', name })
export const record = (name: string, data: DnsData, ttl = 300): DnsRecord => ({ name, ttl, data })
export const soa = (minimum: number): DnsData => ({
  kind: 'SOA',
  primary: 'ns.example',
  mailbox: 'admin.example',
  serial: 1,
  refresh: 7200,
  retry: 3600,
  expire: 1_209_600,
  minimum,
})

export const EXAMPLE: DnsZone = {
  origin: 'example',
  soa: record('example', soa(60), 3600),
  records: [
    record('www.example', a('10.0.0.80')),
    record('www.example', aaaa('2001:db8::80')),
    record('alias.example', cname('www.example'), 30),
    record('away.example', cname('www.elsewhere')),
    record('loop.example', cname('pool.example')),
    record('pool.example', cname('loop.example')),
    record('deep.empty.example', a('10.0.0.9')),
    record('text.example', { kind: 'TXT', texts: ['v=1', 'two words'] }),
    record('example', { kind: 'MX', preference: 10, name: 'mail.example' }),
    ...Array.from({ length: 40 }, (_, i) => record('big.example', a(`10.1.0.${i}`))),
  ],
}

export const question = (name: string, type: DnsTypeName): DnsQuestion => ({
  name,
  type: DNS_TYPES[type],
})

export const message = (fields: Partial<DnsMessage>): DnsMessage => ({
  id: 1,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
  ...fields,
})

export const said = (event: SocketEvent): ApplicationInput<never> => ({ kind: 'socket', event })

export const datagram = (m: DnsMessage | Bytes, socket = 0): ApplicationInput<never> =>
  said({
    kind: 'datagram',
    socket,
    payload: 'questions' in m ? emitDns(m) : m,
    remote: { address: addr('10.0.0.2'), port: 5353 },
    local: { address: addr('10.0.0.1'), port: 53 },
  })

const RCODES = ['ok', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

/** `www.example A? ok aa: A 10.0.0.80` */
export function messageText(bytes: Bytes): string {
  const parsed = parseDns(bytes)
  if (!parsed.ok) return parsed.why
  const m = parsed.value
  const asked = m.questions.map(({ name, type }) => `${name} ${typeName(type)}?`).join(' ')
  if (!m.response) return asked
  const flags = [m.authoritative ? ' aa' : '', m.truncated ? ' tc' : ''].join('')
  const records = [...m.answers, ...m.authorities].map(({ data }) => dataText(data))
  const list = records.length > 4 ? [`${records.length} records`] : records
  return `${asked} ${RCODES[m.rcode]}${flags}: ${list.join(', ')}`.trim()
}

const typeName = (type: number): string =>
  Object.entries(DNS_TYPES).find(([, n]) => n === type)?.[0] ?? String(type)

export function dataText(data: DnsData): string {
  switch (data.kind) {
    case 'A':
    case 'AAAA':
      return `${data.kind} ${formatIp(data.address)}`
    case 'CNAME':
    case 'NS':
    case 'PTR':
    case 'MX':
      return `${data.kind} ${data.name}`
    case 'TXT':
      return `TXT ${data.texts.map((text) => `"${text}"`).join(' ')}`
    case 'SOA':
      return `SOA ${data.minimum}`
    case 'other':
      return `type ${data.type}`
  }
}
