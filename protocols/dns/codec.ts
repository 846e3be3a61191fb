import { putIpv4, putIpv6, readIpv4, readIpv6 } from '../address.ts'
import { type Bytes, i32, putU16, u16, viewOf } from '../bytes.ts'
import { malformed, type Malformation, type Parsed, parsed } from '../parsed.ts'
import { NameReader, NameWriter } from './name-codec.ts'
import {
  DNS_CLASS_IN,
  DNS_TYPES,
  type DnsData,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  typeOf,
} from './message.ts'

/*
 * RFC 1035 §4.1.1.
 *
 *   0               2               4       6       8       10      12
 *   +---------------+---------------+-------+-------+-------+-------+-- - -
 *   | id            | QR op AA TC RD | QDCOUNT ANCOUNT NSCOUNT ARCOUNT | questions, records …
 *   +---------------+---------------+-------+-------+-------+-------+-- - -
 */
const ID = 0
const FLAGS = 2
const COUNTS = 4
export const DNS_HEADER = 12

const QR = 0x8000
const AA = 0x0400
const TC = 0x0200
const RD = 0x0100
const RA = 0x0080

/** Behind a record's name: type, class, TTL, length. */
const RECORD_FIXED = 10

/** More records than that in one message are not from anybody who means well. */
const RECORDS_MAX = 1024

class Malformed extends Error {
  readonly why: Malformation
  constructor(why: Malformation) {
    super(why)
    this.why = why
  }
}

export function parseDns(b: Bytes): Parsed<DnsMessage> {
  if (b.length < DNS_HEADER) return malformed('truncated')
  const flags = u16(b, FLAGS)
  const counts = [0, 1, 2, 3].map((i) => u16(b, COUNTS + 2 * i))
  if (counts.reduce((sum, n) => sum + n, 0) > RECORDS_MAX) return malformed('bad-length')
  try {
    const reader = new NameReader(b, DNS_HEADER, (why) => new Malformed(why))
    const questions = Array.from({ length: counts[0]! }, () => readQuestion(b, reader))
    const section = (i: number) =>
      Array.from({ length: counts[i]! }, () => readRecord(b, reader)).filter((r) => r !== null)
    return parsed({
      id: u16(b, ID),
      response: (flags & QR) !== 0,
      opcode: (flags >> 11) & 15,
      authoritative: (flags & AA) !== 0,
      truncated: (flags & TC) !== 0,
      recursionDesired: (flags & RD) !== 0,
      recursionAvailable: (flags & RA) !== 0,
      rcode: flags & 15,
      questions,
      answers: section(1),
      authorities: section(2),
      additionals: section(3),
    })
  } catch (e) {
    // Names are read deep inside records; one way out serves them all.
    if (e instanceof Malformed) return malformed(e.why)
    throw e
  }
}

function readQuestion(b: Bytes, reader: NameReader): DnsQuestion {
  const name = reader.name()
  const at = reader.skip(4)
  return { name, type: u16(b, at) }
}

/** `null`: of another class than IN (an OPT record among them). */
function readRecord(b: Bytes, reader: NameReader): DnsRecord | null {
  const name = reader.name()
  const at = reader.skip(RECORD_FIXED)
  const type = u16(b, at)
  const length = u16(b, at + 8)
  const from = reader.skip(length)
  if (u16(b, at + 2) !== DNS_CLASS_IN) return null
  // RFC 2181 §8: a TTL with the top bit set counts as none.
  return { name, ttl: Math.max(i32(b, at + 4), 0), data: readData(b, type, from, from + length) }
}

function readData(b: Bytes, type: number, from: number, to: number): DnsData {
  const reader = new NameReader(b, from, (why) => new Malformed(why), to)
  const exactly = (length: number): void => {
    if (to - from !== length) throw new Malformed('bad-length')
  }
  switch (type) {
    case DNS_TYPES.A:
      exactly(4)
      return { kind: 'A', address: readIpv4(b, from) }
    case DNS_TYPES.AAAA:
      exactly(16)
      return { kind: 'AAAA', address: readIpv6(b, from) }
    case DNS_TYPES.NS:
      return { kind: 'NS', name: reader.lastName() }
    case DNS_TYPES.CNAME:
      return { kind: 'CNAME', name: reader.lastName() }
    case DNS_TYPES.PTR:
      return { kind: 'PTR', name: reader.lastName() }
    case DNS_TYPES.MX: {
      const at = reader.skip(2)
      return { kind: 'MX', preference: u16(b, at), name: reader.lastName() }
    }
    case DNS_TYPES.TXT:
      return { kind: 'TXT', texts: readTexts(b, from, to) }
    case DNS_TYPES.SOA: {
      const primary = reader.name()
      const mailbox = reader.name()
      const at = reader.skip(20)
      const [serial, refresh, retry, expire, minimum] = [0, 4, 8, 12, 16].map(
        (offset) => i32(b, at + offset) >>> 0,
      ) as [number, number, number, number, number]
      return { kind: 'SOA', primary, mailbox, serial, refresh, retry, expire, minimum }
    }
    default:
      return { kind: 'other', type, bytes: viewOf(b, from, to) }
  }
}

function readTexts(b: Bytes, from: number, to: number): string[] {
  const texts: string[] = []
  for (let at = from; at < to; at += 1 + b[at]!) {
    const end = at + 1 + b[at]!
    if (end > to) throw new Malformed('bad-length')
    let text = ''
    for (let i = at + 1; i < end; i++) text += String.fromCharCode(b[i]!)
    texts.push(text)
  }
  return texts
}

export function emitDns(m: DnsMessage): Uint8Array {
  const w = new NameWriter(DNS_HEADER)
  for (const { name, type } of m.questions) {
    w.name(name)
    w.u16(type)
    w.u16(DNS_CLASS_IN)
  }
  const sections = [m.answers, m.authorities, m.additionals]
  for (const record of sections.flat()) writeRecord(w, record)
  const b = w.bytes()
  putU16(b, ID, m.id)
  putU16(
    b,
    FLAGS,
    (m.response ? QR : 0) |
      (m.opcode << 11) |
      (m.authoritative ? AA : 0) |
      (m.truncated ? TC : 0) |
      (m.recursionDesired ? RD : 0) |
      (m.recursionAvailable ? RA : 0) |
      m.rcode,
  )
  for (const [i, { length }] of [m.questions, ...sections].entries()) {
    putU16(b, COUNTS + 2 * i, length)
  }
  return b
}

function writeRecord(w: NameWriter, { name, ttl, data }: DnsRecord): void {
  w.name(name)
  w.u16(typeOf(data))
  w.u16(DNS_CLASS_IN)
  w.u32(ttl)
  w.measured(() => writeData(w, data))
}

function writeData(w: NameWriter, data: DnsData): void {
  switch (data.kind) {
    case 'A':
      return w.put(4, (b, at) => putIpv4(b, at, data.address))
    case 'AAAA':
      return w.put(16, (b, at) => putIpv6(b, at, data.address))
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return w.name(data.name)
    case 'MX':
      w.u16(data.preference)
      return w.name(data.name)
    case 'TXT':
      for (const text of data.texts) w.text(text)
      return
    case 'SOA':
      w.name(data.primary)
      w.name(data.mailbox)
      for (const n of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) w.u32(n)
      return
    case 'other':
      return w.put(data.bytes.length, (b, at) => b.set(data.bytes, at))
  }
}

/** RFC 1035 §4.2.2: over TCP two bytes say how long the message is. */
export function framed(message: Uint8Array): Uint8Array {
  const b = new Uint8Array(2 + message.length)
  putU16(b, 0, message.length)
  b.set(message, 2)
  return b
}

/** Takes whole messages from the front of a stream: these, and what is left of it. */
export function unframed(stream: Bytes): { readonly messages: Bytes[]; readonly rest: Bytes } {
  const messages: Bytes[] = []
  let at = 0
  while (stream.length - at >= 2 && stream.length - at - 2 >= u16(stream, at)) {
    const end = at + 2 + u16(stream, at)
    messages.push(viewOf(stream, at + 2, end))
    at = end
  }
  return { messages, rest: viewOf(stream, at, stream.length) }
}

/** The id of what could not be read any further, for an answer that says so. */
export const idOf = (b: Bytes): number | null => (b.length < DNS_HEADER ? null : u16(b, ID))
