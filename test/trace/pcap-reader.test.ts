import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex } from '../../protocols/bytes.ts'
import { stream } from '../../sim/random.ts'
import { PacketText } from '../../trace/packet-text.ts'
import {
  type CapturedFrame,
  type CaptureItem,
  isCapture,
  readCapture,
} from '../../trace/pcap-reader.ts'

const data = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(join(import.meta.dirname, '..', 'data', name)))
const MIXED = data('mixed.pcapng')
const SNAPPED = data('mixed-ns-60.pcap')

const read = (bytes: Uint8Array): CaptureItem[] => [...readCapture(bytes)]
const frames = (bytes: Uint8Array): CapturedFrame[] =>
  read(bytes).filter((item) => item.kind === 'frame')
const damages = (bytes: Uint8Array): string[] =>
  read(bytes).flatMap((item) => (item.kind === 'damage' ? [`${item.offset}: ${item.why}`] : []))

describe('pcap', () => {
  // One frame of four bytes that says it had six, at 1 s and 2 units, in each order and unit.
  const little = fromHex(`
    d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000
    01000000 02000000 04000000 06000000 deadbeef`)
  const big = fromHex(`
    a1b23c4d 0002 0004 00000000 00000000 00040000 00000001
    00000001 00000002 00000004 00000006 deadbeef`)

  test.each([
    ['little-endian microseconds', little, 2000],
    ['big-endian nanoseconds', big, 2],
  ])('%s', (_, bytes, nanos) => {
    expect(read(bytes)).toEqual([
      {
        kind: 'frame',
        number: 1,
        seconds: 1,
        nanos,
        linkType: 1,
        bytes: fromHex('deadbeef'),
        length: 6,
        interface: null,
        comments: [],
      },
    ])
  })

  test('a file that ends too early says where, after what could be read', () => {
    expect(damages(little.subarray(0, 43))).toEqual(['24: frame 1 has 3 of its 4 bytes'])
    expect(damages(little.subarray(0, 30))).toEqual([
      '24: the file ends within the header of frame 1',
    ])
    expect(damages(little.subarray(0, 20))).toEqual(['0: the file header is cut short'])
    const twice = concatBytes([little, little.subarray(24, 42)])
    expect(read(twice).map((item) => item.kind)).toEqual(['frame', 'damage'])
  })

  test('what is no capture is said to be none', () => {
    expect(isCapture(fromHex('0102030405060708090a0b0c'))).toBe(false)
    expect(damages(fromHex(''))).toEqual(['0: this is neither pcap nor pcapng'])
    expect(isCapture(little) && isCapture(MIXED)).toBe(true)
  })
})

describe('pcapng', () => {
  const section = '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c'
  /** Interface `e0` in units of 2^-4 s, one hour later. */
  const port = `00000001 00000034 0001 0000 00000000
    0002 0002 65300000 0009 0001 84000000 000e 0008 0000000000000e10 0000 0000 00000034`
  const packet = `00000006 00000034 00000000 00000000 00000019 00000002 00000007
    abcd0000 0001 0006 6c6f7374 20210000 00000000 00000034`

  test('big-endian, with resolution, offset, name and comment', () => {
    const [frame] = frames(fromHex(section + port + packet))
    // 25 sixteenths of a second, and 3600 s.
    expect(frame).toMatchObject({ seconds: 3601, nanos: 562_500_000, length: 7, interface: 'e0' })
    expect(frame).toMatchObject({ bytes: fromHex('abcd'), comments: ['lost !'] })
  })

  test('a simple packet, and a block nobody knows', () => {
    const unknown = '00000bad 00000010 01020304 00000010'
    const simple = '00000003 00000014 00000003 aabbcc00 00000014'
    const [frame] = frames(fromHex(section + port + unknown + simple))
    expect(frame).toMatchObject({ number: 1, seconds: 0, length: 3, bytes: fromHex('aabbcc') })
  })

  test('a damaged packet block is passed over, a damaged length ends the file', () => {
    const tooLong = packet.replace('00000002 00000007', '00000022 00000022')
    const stray = packet.replace('00000034 00000000', '00000034 00000005')
    const bytes = fromHex(section + port + tooLong + stray + packet)
    expect(damages(bytes)).toEqual([
      '88: frame 1 has 20 of its 34 bytes',
      '140: frame 2 is of interface 5, which nobody described',
    ])
    expect(frames(bytes).map(({ number }) => number)).toEqual([3])
    const unequal = packet.replace(/00000034$/, '00000038')
    expect(damages(fromHex(section + port + unequal))).toEqual([
      '80: the two lengths of a block differ',
    ])
    expect(damages(fromHex(section + '00000001 0000000d'))).toEqual([
      "28: the file ends within a block's header",
    ])
  })

  test('a second section has interfaces and a byte order of its own', () => {
    const bytes = concatBytes([MIXED, fromHex(section + port + packet)])
    const all = frames(bytes)
    expect(all).toHaveLength(frames(MIXED).length + 1)
    expect(all.at(-1)).toMatchObject({ interface: 'e0', seconds: 3601 })
  })
})

test('no damage makes it throw, or hand out bytes beyond the file', () => {
  const draw = stream('captures', 'damage')
  for (const original of [MIXED.subarray(0, 6000), SNAPPED]) {
    for (let round = 0; round < 1500; round++) {
      const bytes = original.slice(0, Math.floor(draw() * (original.length + 1)))
      for (let flips = Math.floor(draw() * 8); flips > 0 && bytes.length > 0; flips--) {
        bytes[Math.floor(draw() * Math.min(bytes.length, 400))]! ^= 1 << Math.floor(draw() * 8)
      }
      const text = new PacketText()
      for (const item of readCapture(bytes)) {
        if (item.kind === 'frame') text.frame(item.bytes)
      }
    }
  }
})

const present = spawnSync('tcpdump', ['--version']).status === 0
const tshark = spawnSync('tshark', ['--version']).status === 0

/** The lines of `tcpdump -n`, with its seconds since 1970, without what lies above UDP and TCP. */
function tcpdump(bytes: Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-read-'))
  try {
    const file = join(folder, 'c')
    writeFileSync(file, bytes)
    const args = ['-n', '-tt', '--time-stamp-precision=nano', '-r', file]
    const { stdout } = spawnSync('tcpdump', args, { encoding: 'utf8' })
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/(, length \d+): HTTP.*$/, '$1'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function ours(bytes: Uint8Array): string[] {
  const text = new PacketText()
  return frames(bytes).map(({ seconds, nanos, bytes: frame }) => {
    return `${seconds}.${String(nanos).padStart(9, '0')} ${text.frame(frame)}`
  })
}

describe.runIf(present)('beside tcpdump', () => {
  test('a capture of IPv4, IPv6, fragments, errors and HTTP reads the same', () => {
    expect(ours(MIXED)).toEqual(tcpdump(MIXED))
    expect(frames(MIXED)).toHaveLength(78)
  })

  test('frames with a VLAN tag, IPv6 extension headers and fragments', () => {
    const header = MIXED_HEADER
    const bytes = concatBytes([header, ...EXTRA.map((hex) => record(fromHex(hex)))])
    // Behind an extension header tcpdump leaves out the addresses, which it has just printed.
    const theirs = tcpdump(bytes).map((line) =>
      line.replace('HBH 7 > 7', 'HBH fd00::1.7 > fd00::2.7'),
    )
    expect(ours(bytes)).toEqual(theirs)
  })
})

describe.runIf(tshark)('beside tshark', () => {
  test('times, lengths and interface names', () => {
    const file = join(import.meta.dirname, '..', 'data', 'mixed-ns-60.pcap')
    const fields = ['frame.time_epoch', 'frame.len', 'frame.cap_len']
    const args = ['-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
    const theirs = spawnSync('tshark', args, { encoding: 'utf8' }).stdout.trimEnd().split('\n')
    const own = frames(SNAPPED).map(({ seconds, nanos, bytes, length }) => {
      return `${seconds}.${String(nanos).padStart(9, '0')}\t${length}\t${bytes.length}`
    })
    expect(own).toEqual(theirs)
  })
})

const MIXED_HEADER = fromHex('a1b23c4d 0002 0004 00000000 00000000 00040000 00000001')
function record(frame: Uint8Array): Uint8Array {
  const size = frame.length.toString(16).padStart(8, '0')
  return concatBytes([fromHex(`00000001 00000002 ${size} ${size}`), frame])
}

const MACS = '020000000002 020000000001'
const ONE = 'fd00000000000000 0000000000000001'
const TWO = 'fd00000000000000 0000000000000002'
const EXTRA = [
  // VLAN 5, then an ARP request; two tags, then UDP.
  `${MACS} 8100 0005 0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002`,
  `${MACS} 88a8 0005 8100 0006 0800 4500 0020 0000 4000 4011 0000 0a000001 0a000002
    0007 0007 000c 0000 61626364`,
  // UDP behind hop-by-hop options; fragments; no next header; an unknown protocol.
  `${MACS} 86dd 60000000 0014 00 40 ${ONE} ${TWO} 11 00 0104 00000000 0007 0007 000c 0000 61626364`,
  `${MACS} 86dd 60000000 0018 2c 40 ${ONE} ${TWO} 3a 00 0001 00000001 8000 0000 0009 0002 6162636465666768`,
  `${MACS} 86dd 60000000 0010 2c 40 ${ONE} ${TWO} 3a 00 0010 00000001 6162636465666768`,
  `${MACS} 86dd 60000000 0000 3b 40 ${ONE} ${TWO}`,
  `${MACS} 86dd 60000000 0008 fd 40 ${ONE} ${TWO} 6162636465666768`,
  // Errors: packet too big, time exceeded, unreachable by other codes.
  `${MACS} 86dd 60000000 0030 3a 40 ${ONE} ${TWO} 0200 0000 00000500 60000000 0008 11 40 ${ONE} ${TWO}`,
  `${MACS} 86dd 60000000 0030 3a 40 ${ONE} ${TWO} 0300 0000 00000000 60000000 0008 11 40 ${ONE} ${TWO}`,
  `${MACS} 86dd 60000000 0030 3a 40 ${ONE} ${TWO} 0100 0000 00000000 60000000 0008 11 40 ${ONE} ${TWO}`,
  `${MACS} 86dd 60000000 0030 3a 40 ${ONE} ${TWO} 0103 0000 00000000 60000000 0008 11 40 ${ONE} ${TWO}`,
]
