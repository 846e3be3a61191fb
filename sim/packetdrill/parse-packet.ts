import { type Bytes, concatBytes } from '../../protocols/bytes.ts'
import { OPTION_ACCURATE_ECN_0, OPTION_ACCURATE_ECN_1 } from '../../protocols/tcp/accurate-ecn.ts'
import { OPTION_MD5 } from '../../protocols/tcp/options.ts'
import {
  FAST_OPEN_EXPERIMENT,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
} from '../../protocols/tcp/fast-open-option.ts'
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../protocols/tcp/segment.ts'
import { icmpMeaning } from './icmp-names.ts'
import type { Scanner } from './scanner.ts'
import type {
  Family,
  IcmpPacket,
  IpInfo,
  Ports,
  ScriptOption,
  ScriptPacket,
  TcpPacket,
} from './script.ts'

/** What follows `<` or `>`. */
export function parsePacket(scan: Scanner, inbound: boolean, family: Family): ScriptPacket {
  if (scan.sees(/(ipv4|ipv6|gre|mpls)\b/y)) return scan.unsupported(`encapsulation ${scan.word()}`)
  const ip = parseIpInfo(scan, inbound)
  if (scan.keyword('icmp')) return { ip, ...parseIcmp(scan, family) }
  if (scan.keyword('udp')) {
    return { ip, kind: 'udp', ports: parsePorts(scan), length: inBrackets(scan) }
  }
  return { ip, ...parseTcp(scan, inbound) }
}

function parsePorts(scan: Scanner): Ports | null {
  if (!scan.sees(/\(\s*\d+\s*>/y)) return null
  scan.expect('(')
  const source = scan.integer()
  scan.expect('>')
  const destination = scan.integer()
  scan.expect(')')
  return { source, destination }
}

/** What stands behind a segment that is in a datagram. */
function parseUdp(scan: Scanner): Ports | null {
  if (!scan.sees(/\/\s*udp/y)) return null
  scan.expect('/')
  scan.expect('udp')
  return parsePorts(scan) ?? scan.fail('the ports of UDP expected')
}

function inBrackets(scan: Scanner): number {
  scan.expect('(')
  const n = scan.integer()
  scan.expect(')')
  return n
}

function parseIpInfo(scan: Scanner, inbound: boolean): IpInfo {
  let ecn: IpInfo['ecn'] = null
  let [tos, ttl, flowLabel] = [-1, -1, -1]
  const arePorts = scan.sees(/\(\s*\d+\s*>/y)
  const close = arePorts ? null : scan.sign('[') ? ']' : scan.sign('(') ? ')' : null
  if (close === null) return { ecn, tos, ttl, flowLabel }
  do {
    const word = scan.word()
    if (word === 'tos' || word === 'class') tos = scan.integer()
    else if (word === 'ttl' || word === 'hlim') ttl = scan.integer()
    else if (word === 'flowlabel') flowLabel = scan.integer()
    else if (word === 'noecn' || word === 'ect0' || word === 'ect1' || word === 'ce') ecn = word
    else if (word === 'ect01' && !inbound) ecn = word
    else scan.fail('noecn, ect0, ect1, ce, tos, ttl or flowlabel expected')
  } while (scan.sign(','))
  scan.expect(close)
  return { ecn, tos, ttl, flowLabel }
}

const FLAGS: { readonly [letter: string]: number } = {
  F: FIN,
  S: SYN,
  R: RST,
  P: PSH,
  '.': ACK,
  U: URG,
  E: ECE,
  W: CWR,
  A: AE,
}

function parseTcp(scan: Scanner, inbound: boolean): TcpPacket {
  const ports = parsePorts(scan)
  const letters = scan.take(/[FSRP.EWAU]+[0-7]?(?![\w])|-/y)?.[0]
  if (letters === undefined) return scan.fail('flags of a TCP segment expected')
  let flags = !letters.includes('.') && scan.take(/\.(?=\s)/y) !== null ? ACK : 0
  for (const letter of letters) {
    if (letter !== '-') flags |= FLAGS[letter] ?? aceFlags(scan, letters, Number(letter))
  }
  let seq: number | null = null
  let end = 0
  if (!scan.sign('...')) {
    seq = scan.integer()
    scan.expect(':')
    end = scan.integer()
  }
  const length = inBrackets(scan)
  if (seq !== null && ((end - seq) | 0) !== (length | 0)) {
    return scan.fail(`${seq}:${end} are not ${length} bytes`)
  }
  let absolute = scan.sign('!')
  const ack = scan.keyword('ack') ? scan.integer() : 0
  if (scan.sign('!')) absolute = true
  const window = scan.keyword('win') ? scan.integer() : -1
  if (inbound && window < 0) scan.fail("'win' expected")
  if (inbound && seq === null) scan.fail('a segment to send has a sequence number')
  const urgent = scan.keyword('urg') ? scan.integer() : 0
  const options = parseOptions(scan, inbound)
  const udp = parseUdp(scan)
  return { kind: 'tcp', ports, flags, seq, length, ack, window, urgent, absolute, options, udp }
}

/** RFC 9768: in the place of A, W and E their number. */
function aceFlags(scan: Scanner, letters: string, ace: number): number {
  if (/[AEW]/.test(letters)) scan.fail('either flags of ECN or an ACE digit expected')
  return (ace & 4 ? AE : 0) | (ace & 2 ? CWR : 0) | (ace & 1 ? ECE : 0)
}

function parseOptions(scan: Scanner, inbound: boolean): readonly ScriptOption[] | null {
  if (!scan.sign('<')) return []
  if (scan.sign('...')) {
    if (inbound) scan.fail('options expected')
    scan.expect('>')
    return null
  }
  const options: ScriptOption[] = []
  if (scan.sign('>')) return options
  do options.push(parseOption(scan))
  while (scan.sign(','))
  scan.expect('>')
  return options
}

function parseOption(scan: Scanner): ScriptOption {
  const word = scan.word()
  switch (word) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { kind: word }
    case 'mss':
    case 'wscale':
      return { kind: word, value: scan.integer() }
    case 'TS': {
      const value = scan.keyword('val') ? scan.integer() : scan.fail("'val' expected")
      const echo = scan.keyword('ecr') ? scan.integer() : scan.fail("'ecr' expected")
      return { kind: 'TS', value, echo }
    }
    case 'sack': {
      const edges: number[] = []
      while (scan.sees(/\d/y)) {
        edges.push(scan.integer())
        scan.expect(':')
        edges.push(scan.integer())
      }
      return { kind: 'sack', edges }
    }
    case 'md5':
      if (scan.keyword('valid')) return { kind: 'md5' }
      return { kind: 'other', number: OPTION_MD5, data: hexBytes(scan) }
    case 'FO':
      return { kind: 'other', number: OPTION_FAST_OPEN, data: hexBytes(scan) }
    case 'FOEXP': {
      const cookie = hexBytes(scan)
      return {
        kind: 'other',
        number: OPTION_EXPERIMENT,
        data: concatBytes([FAST_OPEN_EXPERIMENT, cookie]),
      }
    }
    case 'ECN':
      return parseCounters(scan)
    default:
      return scan.fail('a TCP option expected')
  }
}

/** `ECN e1b 1 ceb 0 e0b 1`: the first one says which of the two orders it is. */
function parseCounters(scan: Scanner): ScriptOption {
  const isFirst = scan.sees(/e0b\b/y)
  const order = isFirst ? ['e0b', 'ceb', 'e1b'] : ['e1b', 'ceb', 'e0b']
  const data: number[] = []
  for (const name of order) {
    if (!scan.keyword(name)) break
    const value = scan.integer()
    data.push((value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  }
  if (scan.sees(/(e0b|ceb|e1b)\b/y)) scan.fail('e0b, ceb, e1b or e1b, ceb, e0b expected')
  const number = isFirst ? OPTION_ACCURATE_ECN_0 : OPTION_ACCURATE_ECN_1
  return { kind: 'other', number, data: Uint8Array.from(data) }
}

/** Bytes as a row of hexadecimal digits, or none. */
function hexBytes(scan: Scanner): Bytes {
  const digits = scan.take(/[0-9a-fA-F]+\b/y)?.[0] ?? ''
  if (digits.length % 2 !== 0) scan.fail('an even number of digits expected')
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

function parseIcmp(scan: Scanner, family: Family): IcmpPacket {
  const type = scan.word() ?? scan.fail('an ICMP type expected')
  const code = scan.sees(/(mtu|id)\b/y) ? null : scan.word()
  const meaning = icmpMeaning(family, type, code)
  if (meaning === null) {
    return scan.unsupported(`icmp ${type}${code === null ? '' : ` ${code}`}`)
  }
  const mtu = scan.keyword('mtu') ? scan.integer() : 0
  const identifier = scan.keyword('id') ? scan.integer() : 0
  return { kind: 'icmp', ...meaning, mtu, identifier, quoted: parseQuoted(scan) }
}

function parseQuoted(scan: Scanner): IcmpPacket['quoted'] {
  if (!scan.sign('[')) return null
  for (const kind of ['raw', 'udp'] as const) {
    if (!scan.keyword(kind)) continue
    const length = inBrackets(scan)
    scan.expect(']')
    return { kind, length }
  }
  const seq = scan.integer()
  scan.expect(':')
  scan.integer()
  const length = inBrackets(scan)
  const udp = parseUdp(scan)
  scan.expect(']')
  return { kind: 'tcp', seq, length, udp }
}
