import { describe, expect, test } from 'vitest'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../protocols/arp/packet.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { IcmpMessage, echoRest } from '../../protocols/icmp/message.ts'
import { NO_BYTES } from '../../protocols/bytes.ts'
import {
  DONT_FRAGMENT,
  Ipv4Details,
  Ipv4Packet,
  type TransportPayload,
} from '../../protocols/ipv4/packet.ts'
import { Opaque } from '../../protocols/payload.ts'
import { ACK, FIN, PSH, RST, SYN } from '../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import { ForcedDrops, listedFrames, parseDropPattern } from '../../sim/drop-rule.ts'
import { isRefusal } from '../../sim/user-error.ts'
import { rawFrame, tcpFrame } from './link-fixture.ts'

const M = '02:00:00:00:00:01'
const ip = (payload: TransportPayload, details = DONT_FRAGMENT): EthernetFrame =>
  new EthernetFrame(M, M, ETHERTYPE_IPV4, new Ipv4Packet(1, 2, 0, 64, 0, details, payload))
const arp = (operation: number): EthernetFrame =>
  new EthernetFrame(M, M, ETHERTYPE_ARP, new ArpPacket(operation, M, 1, M, 2))

/** One of each, by the letter that stands for it below. */
const FRAMES: { readonly [letter: string]: EthernetFrame } = {
  s: tcpFrame(SYN),
  S: tcpFrame(SYN | ACK),
  a: tcpFrame(ACK),
  d: tcpFrame(ACK | PSH, 100),
  f: tcpFrame(FIN | ACK),
  F: tcpFrame(FIN | ACK, 10),
  r: tcpFrame(RST | ACK),
  u: ip(new UdpDatagram(1, 2, NO_BYTES)),
  p: ip(new IcmpMessage(8, 0, echoRest(1, 1), NO_BYTES)),
  P: ip(new IcmpMessage(0, 0, echoRest(1, 1), NO_BYTES)),
  i: ip(new Opaque(new Uint8Array(8)), new Ipv4Details(0, false, true, 0, NO_BYTES)),
  j: ip(new Opaque(new Uint8Array(8)), new Ipv4Details(0, false, false, 1, NO_BYTES)),
  q: arp(ARP_REQUEST),
  Q: arp(ARP_REPLY),
  x: rawFrame(60),
}

/** The frames that a pattern takes, as a mark under each letter. */
function marks(pattern: string, letters: string): string {
  const rule = parseDropPattern(pattern)
  if (isRefusal(rule)) throw new Error(rule.error)
  const drops = new ForcedDrops([rule])
  return letters
    .split('')
    .map((x, i) => (drops.takes(FRAMES[x]!, i + 1) ? '^' : '.'))
    .join('')
}

describe('which ones', () => {
  const sent = 'sSadadddadafdd'
  //  data:        1 234 5   67
  //  ACKs:       1 2   3 4
  test.each([
    ['3rd data segment', '......^.......'],
    ['third data segment', '......^.......'],
    ['Third  Data  Segments', '......^.......'],
    ['first SYN', '^.............'],
    ['2nd ACK', '....^.........'],
    ['data segment 3', '......^.......'],
    ['data segments 3-5', '......^^.^....'],
    ['data segments 3 to 5', '......^^.^....'],
    ['3rd to 5th data segment', '......^^.^....'],
    ['1st and 4th data segments', '...^...^......'],
    ['first, 2nd and 3rd ACK', '..^.^...^.....'],
    ['first 2 data segments', '...^.^........'],
    ['frames 1, 4, 7-9', '^..^..^^^.....'],
    ['frames 1, 4, and 7', '^..^..^.......'],
    ['packet #2', '.^............'],
    ['every 5th frame', '....^....^....'],
    ['every fifth frame', '....^....^....'],
    ['every other ACK', '....^.....^...'],
    ['every FIN', '...........^..'],
    ['all ACKs', '..^.^...^.^...'],
    ['21st frame', '..............'],
  ])('%s', (pattern, expected) => {
    expect(marks(pattern, sent)).toBe(expected)
  })
})

describe('kinds', () => {
  const all = Object.keys(FRAMES).join('')
  test.each([
    ['frame', all],
    ['packet', all],
    ['segment', 'sSadfFr'],
    ['TCP segment', 'sSadfFr'],
    ['data segment', 'dF'],
    ['SYN', 's'],
    ['SYN-ACK', 'S'],
    ['syn+ack', 'S'],
    ['ACK', 'a'],
    ['FIN', 'fF'],
    ['RST', 'r'],
    ['UDP datagram', 'u'],
    ['ICMP message', 'pP'],
    ['echo request', 'p'],
    ['echo replies', 'P'],
    ['fragment', 'ij'],
    ['ARP packet', 'qQ'],
    ['ARP request', 'q'],
    ['ARP reply', 'Q'],
  ])('every %s', (kind, expected) => {
    const taken = all
      .split('')
      .filter((_, i) => marks(`every ${kind}`, all)[i] === '^')
      .join('')
    expect(taken).toBe(expected)
  })
})

describe('what cannot be used is refused in one line', () => {
  test.each([
    ['last FIN', /cannot be decided/, /first/],
    ['the final segment', /cannot be decided/, /first/],
    ['2nd last ACK', /cannot be decided/, /first/],
    ['random data segment', /does not say which/, /'loss'/],
    ['3th data segment', /'3th' is not an ordinal/, /did you mean '3rd'/],
    ['11st ACK', /'11st'/, /'11th'/],
    ['every 2 frames', /'2' is not an ordinal/, /'2nd'/],
    ['every 0th frame', /'0th'/, /'1st'/],
    ['0th frame', /'0th'/, /'1st'/],
    ['frame 0', /no frame number 0/, /number 1/],
    ['frames 5-3', /'5-3' is not a range/, /'3-5'/],
    ['frames 1-2-3', /'1-2-3' is not a range/, /'3-5'/],
    ['3rd dta segment', /'dta segment' is not a kind/, /did you mean 'data segment'/],
    ['first SNY', /'SNY' is not a kind/, /did you mean 'syn'/],
    ['data segment', /is not a drop pattern/, /3rd data segment/],
    ['', /is not a drop pattern/, /3rd data segment/],
  ])('%j', (text, error, suggestion) => {
    const refusal = parseDropPattern(text)
    if (!isRefusal(refusal)) throw new Error('accepted')
    expect(refusal.error).toMatch(error)
    expect(refusal.suggestion).toMatch(suggestion)
    expect(refusal.error).not.toContain('\n')
  })
})

describe('state', () => {
  test('a rule has none: two directions count each for itself', () => {
    const rule = parseDropPattern('2nd frame')
    if (isRefusal(rule)) throw new Error(rule.error)
    const [one, other] = [new ForcedDrops([rule]), new ForcedDrops([rule])]
    const frame = rawFrame(60)
    expect([one.takes(frame, 1), one.takes(frame, 2), one.takes(frame, 3)]).toEqual([
      false,
      true,
      false,
    ])
    expect([other.takes(frame, 1), other.takes(frame, 2)]).toEqual([false, true])
  })

  test('every rule counts every frame, also one that another rule takes', () => {
    const rule = parseDropPattern('2nd frame')
    if (isRefusal(rule)) throw new Error(rule.error)
    const drops = new ForcedDrops([listedFrames([1, 4]), rule])
    const taken = [1, 2, 3, 4].map((index) => drops.takes(rawFrame(60), index))
    expect(taken).toEqual([true, true, false, true])
  })
})
