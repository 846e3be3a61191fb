import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { type Bytes, fromHex } from '../../../protocols/bytes.ts'
import { emitEthernet } from '../../../protocols/ethernet/codec.ts'
import { EthernetFrame, ETHERTYPE_IPV6 } from '../../../protocols/ethernet/frame.ts'
import { PROTOCOL_TCP } from '../../../protocols/ipv4/packet.ts'
import { Ipv6Details, Ipv6Packet } from '../../../protocols/ipv6/packet.ts'
import { pseudoHeaderSum } from '../../../protocols/pseudo-header.ts'
import { parseTcp } from '../../../protocols/tcp/codec.ts'
import { TcpOptions, timestampOptions } from '../../../protocols/tcp/options.ts'
import { FREEBSD } from '../../../protocols/tcp/profiles/freebsd.ts'
import { LINUX } from '../../../protocols/tcp/profiles/linux.ts'
import { ACK, PSH, SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'
import {
  isSignedWith,
  keyFor,
  policyFor,
  sign,
  signatureIn,
  type SigningKey,
  withSigning,
} from '../../../protocols/tcp/signature.ts'
import { defineScenario, type Host, runScenario } from '../../../sim/api.ts'
import { PacketText } from '../../../trace/packet-text.ts'
import { PcapngWriter } from '../../../trace/pcapng.ts'
import { has, judged, unless } from '../../trace/judge.ts'
import { A, A_MAC, B, B_MAC, carrying, segment, sent } from '../../trace/records.ts'

const bytes = (text: string): Bytes => new TextEncoder().encode(text)
const key = (address: string, prefixLength: number, text = 'secret'): SigningKey => ({
  address: ip(address),
  prefixLength,
  key: bytes(text),
})
const SECRET = key('127.0.0.1', 32)
const HOME = ip('127.0.0.1')

/** What Linux 6.18 sent over its loopback with the key "secret"; the checksums are the card's to fill in. */
const FROM_LINUX = [
  [
    'the ACK of a handshake',
    'b52a13880e13ec146ea69fcfa0100040fe30000001011312ac9941a5b80bebf1fb96f20a449d06d5',
  ],
  [
    'five bytes',
    'b52a13880e13ec146ea69fcfa0180040fe350000010113124' +
      '1f2295a71fe9dcceec5f056e82280b768656c6c6f',
  ],
] as const

function parsed(hex: string): TcpSegment {
  const whole = fromHex(hex)
  whole[16] = whole[17] = 0
  const sum = pseudoHeaderSum(HOME, HOME, PROTOCOL_TCP, whole.length)
  // The right checksum, so that it is read at all.
  for (let guess = 0; guess < 0x10000; guess++) {
    whole[16] = guess >> 8
    whole[17] = guess
    const read = parseTcp(whole, sum)
    if (read.ok) return read.value
  }
  throw new Error('no checksum fits')
}

describe('what Linux has signed', () => {
  test.each(FROM_LINUX)('%s: by its key, and by no other', (_, hex) => {
    const seg = parsed(hex)
    const signature = signatureIn(seg)!
    expect(isSignedWith(seg, HOME, HOME, SECRET, signature)).toBe(true)
    expect(isSignedWith(seg, HOME, HOME, key('127.0.0.1', 32, 'Secret'), signature)).toBe(false)
    expect(isSignedWith(seg, HOME, ip('127.0.0.2'), SECRET, signature)).toBe(false)
    const bare = new TcpSegment(
      seg.sourcePort,
      seg.destinationPort,
      seg.seq,
      seg.ack,
      seg.flags,
      seg.window,
      seg.urgent,
      new TcpOptions([], -1, -1, 0, 0, [], []),
      seg.payload,
    )
    expect(sign(bare, HOME, HOME, SECRET, LINUX)).toEqual(seg)
  })
})

const handshake = new TcpOptions([2, 1, 3, 4, 8], 1460, 7, 1, 0, [], [])
const padded = new TcpOptions([2, 4, 0, 0], 1460, -1, 0, 0, [], [])
const SEGMENTS = [
  segment({ seq: 12345, flags: SYN, options: handshake }),
  segment({ seq: 12345, flags: SYN, options: padded }),
  segment({ seq: 12346, ack: 100, flags: ACK, options: timestampOptions(7, 8) }),
  segment({ seq: 12346, ack: 100, flags: ACK | PSH, window: 512, data: 333 }),
]

const inIpv6 = (payload: TcpSegment): EthernetFrame => {
  const packet = new Ipv6Packet(
    'fd00::1',
    'fd00::2',
    PROTOCOL_TCP,
    64,
    new Ipv6Details(0, 0),
    payload,
  )
  return new EthernetFrame(B_MAC, A_MAC, ETHERTYPE_IPV6, packet)
}

function captured(frames: readonly EthernetFrame[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const writer = new PcapngWriter((piece) => pieces.push(piece))
  for (const frame of frames) writer.observer(sent(frame))
  writer.end()
  return pieces
}

const signedFrames = [LINUX, FREEBSD].flatMap((policy) =>
  // With its timestamps a SYN has no place for two NOPs in front and two behind.
  SEGMENTS.slice(policy === LINUX ? 1 : 0).flatMap((seg) => [
    carrying(sign(seg, A, B, key('10.0.0.2', 32), policy)),
    inIpv6(sign(seg, 'fd00::1', 'fd00::2', key('fd00::2', 128), policy)),
  ]),
)

describe(`tcpdump${unless('tcpdump')}`, () => {
  test.skipIf(!has('tcpdump'))('calls our signatures valid, over IPv4 and IPv6', () => {
    const args = (file: string) => ['-n', '-t', '-M', 'secret', '-r', file]
    const lines = judged(captured(signedFrames), 'tcpdump', args)
    expect(lines).toHaveLength(14)
    for (const line of lines) expect(line).toContain('md5 valid')
    const other = (file: string) => ['-n', '-t', '-M', 'Secret', '-r', file]
    for (const line of judged(captured(signedFrames), 'tcpdump', other)) {
      expect(line).toContain('md5  (invalid)')
    }
  })

  test.skipIf(!has('tcpdump'))('prints the lines that we print', () => {
    const printer = new PacketText()
    const ours = signedFrames.map((frame) => printer.frame(emitEthernet(frame)))
    expect(judged(captured(signedFrames), 'tcpdump', (file) => ['-n', '-t', '-r', file])).toEqual(
      ours,
    )
  })
})

test('where it stands: first with Linux, last and aligned with FreeBSD, in the place of padding', () => {
  const layouts = (policy: typeof LINUX) =>
    SEGMENTS.map((seg) => sign(seg, A, B, SECRET, policy).options.layout)
  expect(layouts(FREEBSD)).toEqual([
    [2, 1, 3, 4, 8, 1, 1, 19],
    [2, 4, 19],
    [1, 1, 8, 1, 1, 19],
    [1, 1, 19],
  ])
  expect(layouts(LINUX).slice(1)).toEqual([
    [1, 1, 19, 2, 4],
    [1, 1, 19, 1, 1, 8],
    [1, 1, 19],
  ])
})

describe('keys', () => {
  const keys = [key('10.0.0.0', 8), key('10.1.2.0', 24), key('10.1.2.3', 32), key('fd00::', 16)]

  test.each([
    ['10.1.2.3', 2],
    ['10.1.2.4', 1],
    ['10.9.9.9', 0],
    ['11.0.0.1', -1],
    ['fd00:1::5', 3],
    ['fe80::5', -1],
  ])('for %s', (peer, index) => {
    expect(keyFor(keys, ip(peer))).toBe(keys[index] ?? null)
  })

  test('are added, replaced and taken away; the last one ends the signing', () => {
    const one = withSigning(LINUX, key('10.0.0.1', 32))!
    expect(one).toMatchObject({ signs: 'known', signingKeys: [{ key: bytes('secret') }] })
    const replaced = withSigning(one, key('10.0.0.1', 32, 'other'))!
    expect(replaced.signingKeys).toEqual([key('10.0.0.1', 32, 'other')])
    expect(withSigning(replaced, key('10.0.0.1', 24, ''))).toBeNull()
    expect(withSigning(replaced, key('10.0.0.1', 32, ''))).toMatchObject({
      signs: 'nobody',
      signingKeys: [],
    })
  })

  test('a connection keeps the one for its peer, or signs nothing', () => {
    const policy = LINUX.with({ signs: 'known', signingKeys: keys })
    expect(policyFor(policy, ip('10.1.2.3')).signingKeys).toEqual([keys[2]])
    expect(policyFor(policy, ip('11.0.0.1'))).toMatchObject({ signs: 'nobody', signingKeys: [] })
    expect(policyFor(LINUX, ip('10.1.2.3'))).toBe(LINUX)
  })
})

test('a signature of another length is none, and does no harm', () => {
  const odd = (length: number) =>
    segment({
      flags: ACK,
      options: new TcpOptions([19, 1, 1], -1, -1, 0, 0, [], [new Uint8Array(length)]),
    })
  expect(signatureIn(odd(15))).toBeNull()
  expect(signatureIn(odd(17))).toBeNull()
  expect(signatureIn(odd(16))).toHaveLength(16)
  expect(signatureIn(segment({ flags: ACK }))).toBeNull()
})

test('two hosts with a key speak, others are dropped and counted', async () => {
  const scenario = defineScenario({
    name: 'signed',
    about: 'One who knows the key, one who has another, one who has none.',
    topology: { a: 'host', b: 'host', c: 'host', d: 'host', s: 'switch' },
    links: [
      { ends: { a: '10.0.0.1/24', s: null } },
      { ends: { b: '10.0.0.2/24', s: null } },
      { ends: { c: '10.0.0.3/24', s: null } },
      { ends: { d: '10.0.0.4/24', s: null } },
    ],
    until: '30s',
    programs: {
      a: async (host) => {
        const listener = host.listen(179)
        listener.setOption('TCP_MD5SIG', { address: '10.0.0.0', prefixLength: 24, key: 'secret' })
        for await (const socket of listener) {
          host.note('heard', String.fromCharCode(...(await socket.receiveAll())))
          host.note('mss', socket.getOption('TCP_MAXSEG'))
        }
      },
      ...Object.fromEntries(
        [
          ['b', 'secret'],
          ['c', 'mystery'],
          ['d', ''],
        ].map(([name, text]) => [
          name!,
          async (host: Host) => {
            const socket = host.tcp()
            if (text !== '') socket.setOption('TCP_MD5SIG', { address: '10.0.0.1', key: text! })
            socket.setOption('TCP_SYNCNT', 1)
            try {
              socket.tryConnect('10.0.0.1', 179)
            } catch {
              await host.poll([{ socket, events: ['writable'] }])
            }
            const error = socket.getOption('SO_ERROR')
            host.note(name!, error)
            if (error !== 0) return
            await socket.send('hello')
            socket.close()
          },
        ]),
      ),
    },
  })
  const { notes, hosts } = await runScenario(scenario, { seed: '1' })
  expect(notes).toMatchObject({ heard: 'hello', b: 0, c: 'ETIMEDOUT', d: 'ETIMEDOUT', mss: 1428 })
  const { drops } = hosts.find(({ name }) => name === 'a')!
  expect(drops).toMatchObject({ 'tcp md5 wrong': 2, 'tcp md5 missing': 2 })
})
