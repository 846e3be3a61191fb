import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import { type Bytes, concatBytes, fromHex, u16 } from '../../protocols/bytes.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import dadConflict from '../../scenarios/dad-conflict.ts'
import fileTransfer from '../../scenarios/file-transfer.ts'
import dhcpRenew from '../../scenarios/dhcp-renew.ts'
import dnsRetry from '../../scenarios/dns-retry.ts'
import nat from '../../scenarios/nat.ts'
import p2mpFtp from '../../scenarios/p2mp-ftp.ts'
import multicast from '../../scenarios/multicast.ts'
import ping from '../../scenarios/ping.ts'
import slaac from '../../scenarios/slaac.ts'
import vlan from '../../scenarios/vlan.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import type { Scenario } from '../../sim/scenario.ts'
import { isIpv6Fragment } from '../../protocols/ipv6/fragment.ts'
import { IPV6_HEADER, type Ipv6Packet } from '../../protocols/ipv6/packet.ts'
import { ethernetFrame } from './arbitrary.ts'
import { vectors, WITH_IPV4_OPTIONS } from './vectors.ts'

/** What we write, as another program reads it. */

const present = spawnSync('tshark', ['--version']).status === 0

const FIELDS = `
  eth.dst eth.src ip.checksum.status ip.src ip.dst ip.ttl ip.proto ip.id ip.len
  tcp.checksum.status tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.window_size_value
  tcp.urgent_pointer tcp.hdr_len tcp.len tcp.option_kind tcp.options.mss_val
  tcp.options.timestamp.tsval udp.checksum.status udp.srcport udp.dstport udp.length
  ipv6.src ipv6.dst ipv6.hlim ipv6.flow ipv6.plen ipv6.tclass
  icmpv6.checksum.status icmpv6.type icmpv6.code
  icmp.checksum.status icmp.type icmp.code arp.opcode arp.src.hw_mac arp.dst.proto_ipv4
`
  .trim()
  .split(/\s+/)
const CHECKS = ['ip', 'tcp', 'udp'].map((protocol) => `${protocol}.check_checksum:TRUE`)
const GOOD = 1

/** The same fields, from the record. */
function fieldsOf(frame: EthernetFrame): { [field: string]: string | number } {
  const link = { 'eth.dst': frame.destination, 'eth.src': frame.source }
  const packet = frame.payload
  if (packet.kind === 'arp') {
    return {
      ...link,
      'arp.opcode': packet.operation,
      'arp.src.hw_mac': packet.senderMac,
      'arp.dst.proto_ipv4': formatIp(packet.targetIp),
    }
  }
  if (packet.kind !== 'ipv4' && packet.kind !== 'ipv6') return link
  const network =
    packet.kind === 'ipv6'
      ? { ...link, ...ipv6FieldsOf(packet) }
      : {
          ...link,
          'ip.checksum.status': GOOD,
          'ip.src': formatIp(packet.source),
          'ip.dst': formatIp(packet.destination),
          'ip.ttl': packet.ttl,
          'ip.proto': packet.protocol,
          'ip.id': `0x${packet.identification.toString(16).padStart(4, '0')}`,
          'ip.len': packet.size,
        }
  const body = packet.payload
  switch (body.kind) {
    case 'tcp':
      return {
        ...network,
        'tcp.checksum.status': GOOD,
        'tcp.srcport': body.sourcePort,
        'tcp.dstport': body.destinationPort,
        'tcp.seq_raw': body.seq >>> 0,
        'tcp.ack_raw': body.ack >>> 0,
        'tcp.window_size_value': body.window,
        'tcp.urgent_pointer': body.urgent,
        'tcp.hdr_len': body.size - body.payload.length,
        'tcp.len': body.payload.length,
      }
    case 'udp':
      return {
        ...network,
        'udp.checksum.status': GOOD,
        'udp.srcport': body.sourcePort,
        'udp.dstport': body.destinationPort,
        'udp.length': body.size,
      }
    case 'icmpv6':
      return {
        ...network,
        'icmpv6.checksum.status': GOOD,
        'icmpv6.type': body.type,
        'icmpv6.code': body.code,
      }
    case 'icmp':
      return {
        ...network,
        'icmp.checksum.status': GOOD,
        'icmp.type': body.type,
        'icmp.code': body.code,
      }
    default:
      return network
  }
}

const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`

const ipv6FieldsOf = ({ source, destination, hopLimit, details, size }: Ipv6Packet) => ({
  'ipv6.src': source,
  'ipv6.dst': destination,
  'ipv6.hlim': hopLimit,
  'ipv6.flow': hex(details.flowLabel, 6),
  'ipv6.plen': size - IPV6_HEADER,
  'ipv6.tclass': hex(details.trafficClass, 8),
})

/** Random options of IP and ARP operations mean more to it than to us, and it stops there. */
function isJudged(frame: EthernetFrame): boolean {
  const packet = frame.payload
  if (frame === WITH_IPV4_OPTIONS.frame) return true
  if (packet.kind === 'arp') return packet.operation === 1 || packet.operation === 2
  if (packet.kind === 'ipv6') return packet.details.firstHeader < 0 || isIpv6Fragment(packet)
  return packet.kind === 'ipv4' && packet.details.options.length === 0
}

/** A pcap file: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html. */
function capture(frames: readonly Uint8Array[]): Uint8Array {
  const word = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
  const header = fromHex('a1b2c3d4 00020004 00000000 00000000 00040000 00000001')
  const packets = frames.flatMap((frame, i) => [
    word(i),
    word(0),
    word(frame.length),
    word(frame.length),
    frame,
  ])
  return concatBytes([header, ...packets])
}

function dissect(frames: readonly Uint8Array[]): { [field: string]: string }[] {
  const folder = mkdtempSync(join(tmpdir(), 'frames-'))
  const file = join(folder, 'frames.pcap')
  writeFileSync(file, capture(frames))
  const text = execFileSync(
    'tshark',
    [
      ...`-n -r ${file} -T fields -E separator=; -E occurrence=f`.split(' '),
      ...CHECKS.flatMap((setting) => ['-o', setting]),
      ...FIELDS.flatMap((field) => ['-e', field]),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
  rmSync(folder, { recursive: true })
  const lines = text.split('\n').slice(0, -1)
  return lines.map((line) =>
    Object.fromEntries(line.split(';').map((value, i) => [FIELDS[i]!, value])),
  )
}

/** A scenario's frames, as a capture would hold them. */
async function framesOf(scenario: Scenario, settings: { [name: string]: string } = {}) {
  const frames: Uint8Array[] = []
  await runScenario(scenario, {
    seed: '1',
    settings,
    files: new MemoryFiles({ 'shipped:letter.txt': new Uint8Array(40_000) }),
    observers: [(record) => record.kind === 'sent' && frames.push(emitEthernet(record.frame))],
  })
  return frames
}

/** Of each frame that tshark complains about, what it shows of it. */
function complaints(frames: readonly Uint8Array[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'frames-'))
  const file = join(folder, 'frames.pcap')
  writeFileSync(file, capture(frames))
  const bad = ['ip', 'tcp', 'udp', 'icmpv6', 'icmp'].map((name) => `${name}.checksum.status == 0`)
  const filter = ['_ws.malformed', '_ws.expert.group == checksum', ...bad].join(' || ')
  const settings = CHECKS.flatMap((setting) => ['-o', setting])
  const text = execFileSync('tshark', ['-n', '-r', file, ...settings, '-Y', filter], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  rmSync(folder, { recursive: true })
  return text
}

describe.skipIf(!present)('tshark', () => {
  test.each([
    ['slaac', slaac, {}],
    ['vlan', vlan, {}],
    ['dhcp-renew', dhcpRenew, {}],
    ['dns-retry', dnsRetry, {}],
    ['nat', nat, {}],
    ['p2mp-ftp over multicast', p2mpFtp, { multicast: 'true' }],
    ['dad-conflict', dadConflict, {}],
    ['multicast', multicast, {}],
    ['multicast over IPv6', multicast, { ipv6: 'true' }],
    ['ping over IPv6', ping, { ipv6: 'true' }],
    ['file-transfer over IPv6', fileTransfer, { ipv6: 'true', loss: '5%' }],
  ])('finds nothing wrong with a capture of %s', async (_, scenario, settings) => {
    const frames = await framesOf(scenario, settings)
    expect(frames.length).toBeGreaterThan(10)
    expect(complaints(frames)).toBe('')
    // It would complain: one bit that a checksum covers.
    const isArp = (b: Bytes) => (b[12] === 0x81 ? u16(b, 16) : u16(b, 12)) === 0x0806
    const last = Uint8Array.from(frames.findLast((b) => !isArp(b))!)
    last[last.length - 1]! ^= 1
    expect(complaints([last])).not.toBe('')
  })

  test('reads every frame as we wrote it, with good checksums', () => {
    const frames = [
      ...[...vectors, ['', WITH_IPV4_OPTIONS] as const].map(([, { frame }]) => frame),
      ...fc.sample(ethernetFrame, { seed: 826, numRuns: 2000 }),
    ].filter(isJudged)
    const read = dissect(frames.map(emitEthernet))
    expect(read).toHaveLength(frames.length)
    for (const [i, frame] of frames.entries()) {
      const said = Object.fromEntries(
        Object.entries(fieldsOf(frame)).map(([field, value]) => [field, String(value)]),
      )
      expect(read[i], `frame ${i}`).toMatchObject(said)
    }
  })
})
