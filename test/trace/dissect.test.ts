import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../protocols/bytes.ts'
import { parseEthernet } from '../../protocols/ethernet/codec.ts'
import { isIp } from '../../protocols/ipv6/packet.ts'
import { stream } from '../../sim/random.ts'
import { dissect } from '../../trace/dissect.ts'
import { defectText, type Dissection, layerLines } from '../../trace/dissect-layers.ts'
import { readCapture } from '../../trace/pcap-reader.ts'
import { WITH_IPV4_OPTIONS } from '../protocols/vectors.ts'

const FILE = join(import.meta.dirname, '..', 'data', 'mixed.pcapng')
const frames = [...readCapture(Uint8Array.from(readFileSync(FILE)))].filter(
  (item) => item.kind === 'frame',
)

const HEADER = '020000000002 020000000001 0800'
/** UDP 7 to 7 with `abcd`; its own checksum is wrong. */
const UDP = `${HEADER} 4500 0020 0000 4000 4011 26cb 0a000001 0a000002 0007 0007 000c 1500 61626364`
const defects = (found: Dissection): string[] => found.defects.map(defectText)

test('the fields of each header, as one line each', () => {
  // 4500+0020+4000+4011+0a00+0001+0a00+0002 = d934, and 26cb is its complement.
  const found = dissect(fromHex(UDP))
  expect(layerLines(found).slice(0, 2)).toEqual([
    'ethernet: destination 02:00:00:00:00:02, source 02:00:00:00:00:01, type 0x0800',
    'ipv4: header length 20, dscp 0, ecn 0, total length 32, identification 0, dont fragment, ' +
      'fragment offset 0, ttl 64, protocol 17, checksum 0x26cb, source 10.0.0.1, destination 10.0.0.2',
  ])
  expect(found.layers[2]).toEqual({
    protocol: 'udp',
    fields: { sourcePort: 7, destinationPort: 7, length: 12, checksum: '0x1500', dataLength: 4 },
  })
})

describe('defects', () => {
  const broken = (from: string, to: string) => defects(dissect(fromHex(UDP.replace(from, to))))

  test('each with its reason and figures', () => {
    // 1400 (addresses) + 3 + 11 + c (pseudo-header) + 1a (header) + c4c6 (data) = d900: ~ is 26ff.
    expect(broken('000c 1500', '000c 26ff')).toEqual([])
    expect(broken('000c 1500', '000c 1500')).toEqual([
      'udp bad-checksum (0x1500, should be 0x26ff)',
    ])
    expect(broken('26cb', '26cc')).toEqual(['ipv4 bad-checksum (0x26cc, should be 0x26cb)'])
    expect(broken('4500 0020', '4500 0021')).toEqual([
      'ipv4 bad-length (header 20, total 33, 32 there)',
    ])
    expect(broken('4500', '6500')).toEqual(['ipv4 bad-version (6)'])
    expect(broken('000c 1500', '000d 1500')).toEqual(['udp bad-length (13, 12 there)'])
    expect(defects(dissect(fromHex('0200')))).toEqual(['ethernet truncated (2 of 14 bytes)'])
    expect(defects(dissect(fromHex(UDP).subarray(0, 30)))).toEqual([
      'ipv4 truncated (16 of 20 bytes)',
    ])
  })

  test('a checksum left to the network card is none: it holds the pseudo-header alone', () => {
    const found = dissect(fromHex(UDP.replace('000c 1500', '000c 1420')))
    expect([defects(found), found.offloaded]).toEqual([[], true])
  })

  test('what the capture cut off is none', () => {
    const whole = fromHex(UDP)
    for (let kept = 0; kept < whole.length; kept++) {
      expect(defects(dissect(whole.subarray(0, kept), whole.length))).toEqual([])
    }
  })

  test('are those for which a host drops the frame, whatever was flipped', () => {
    const draw = stream('dissect', 'flips')
    let damaged = 0
    for (let round = 0; round < 4000; round++) {
      const frame = frames[Math.floor(draw() * frames.length)]!
      const bytes = Uint8Array.from(frame.bytes)
      const flips = Math.floor(draw() * 4)
      for (let i = 0; i < flips; i++) {
        bytes[12 + Math.floor(draw() * Math.min(bytes.length - 12, 60))]! ^=
          1 << Math.floor(draw() * 8)
      }
      const parsed = parseEthernet(bytes)
      if (!parsed.ok) throw new Error('a whole Ethernet header')
      const packet = parsed.value.payload
      const inner = isIp(packet) ? packet.payload : packet
      const found = dissect(bytes)
      // VLAN tags are beyond the codecs.
      if (packet.kind === 'opaque') continue
      const expected = inner.kind === 'malformed' ? [`${inner.protocol} ${inner.why}`] : []
      if (!found.offloaded) {
        expect(found.defects.map(({ protocol, why }) => `${protocol} ${why}`)).toEqual(expected)
      }
      damaged += expected.length
    }
    expect(damaged).toBeGreaterThan(500)
  })

  test('never throws: truncations and random bytes', () => {
    const draw = stream('dissect', 'bytes')
    for (const { bytes } of frames) {
      for (let kept = 0; kept < Math.min(bytes.length, 120); kept++)
        dissect(bytes.subarray(0, kept))
    }
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(draw() * 120) }, () => draw() * 256)
      const types = [0x0800, 0x0806, 0x86dd, 0x8100]
      const type = types[Math.floor(draw() * 5)]
      if (type !== undefined && bytes.length > 14) bytes.set([type >> 8, type & 255], 12)
      layerLines(dissect(bytes, bytes.length + (round % 3)))
    }
  })
})

test('IPv4 options are shown', () => {
  const fields = dissect(WITH_IPV4_OPTIONS.bytes).layers[1]!.fields
  expect(fields['headerLength']).toBeGreaterThan(20)
  expect(fields['options']).toMatch(/^[0-9a-f]{8,}$/)
})

const present = spawnSync('tshark', ['--version']).status === 0

/** tshark's names for what we call otherwise. */
const FIELDS: { readonly [theirs: string]: readonly [protocol: string, field: string] } = {
  'eth.src': ['ethernet', 'source'],
  'arp.src.proto_ipv4': ['arp', 'senderIp'],
  'ip.ttl': ['ipv4', 'ttl'],
  'ip.len': ['ipv4', 'totalLength'],
  'ipv6.plen': ['ipv6', 'payloadLength'],
  'ipv6.hlim': ['ipv6', 'hopLimit'],
  'ipv6.dst': ['ipv6', 'destination'],
  'tcp.srcport': ['tcp', 'sourcePort'],
  'tcp.seq_raw': ['tcp', 'sequence'],
  'tcp.window_size_value': ['tcp', 'window'],
  'tcp.checksum': ['tcp', 'checksum'],
  'tcp.len': ['tcp', 'dataLength'],
  'udp.dstport': ['udp', 'destinationPort'],
  'udp.length': ['udp', 'length'],
  'icmp.type': ['icmp', 'type'],
  'icmp.seq': ['icmp', 'sequence'],
  'icmpv6.type': ['icmpv6', 'type'],
}

test.runIf(present)('tshark reads the same values, and finds nothing malformed either', () => {
  const names = Object.keys(FIELDS)
  const args = ['-r', FILE, '-T', 'fields', ...names.flatMap((name) => ['-e', name])]
  // Fields of a packet quoted inside an error follow a comma; fragments are left in pieces.
  const options = ['-E', 'occurrence=f', '-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE']
  const text = spawnSync('tshark', [...args, ...options], { encoding: 'utf8' }).stdout
  const theirs = text.replace(/\n$/, '').split('\n')
  expect(theirs).toHaveLength(frames.length)
  for (const [index, line] of theirs.entries()) {
    const { bytes, length } = frames[index]!
    const found = dissect(bytes, length)
    expect(found.defects).toEqual([])
    // An error quotes a packet whose fields tshark lists as if they were the frame's; it also reads
    // what a first fragment begins with.
    const more = found.layers.some(({ protocol, fields }) => {
      const isFragment = fields['moreFragments'] === true
      return isFragment || (protocol.startsWith('icmp') && fields['identifier'] === undefined)
    })
    const values = line.split('\t')
    for (const [column, name] of names.entries()) {
      const [protocol, field] = FIELDS[name]!
      const own = found.layers.find((layer) => layer.protocol === protocol)?.fields[field]
      if (own === undefined && more) continue
      expect([name, index, values[column]]).toEqual([
        name,
        index,
        own === undefined ? '' : String(own),
      ])
    }
  }
})
