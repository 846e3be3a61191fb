import { describe, expect, test } from 'vitest'
import { equalBytes, putU16, toHex, u16 } from '../../protocols/bytes.ts'
import { emitEthernet, parseEthernet } from '../../protocols/ethernet/codec.ts'
import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { alea } from './random-source.ts'
import { type Vector, vectors, WITH_IPV4_OPTIONS } from './vectors.ts'

/** What arrives damaged or made up never throws, and is refused wherever a checksum covers it. */

const ALL: readonly (readonly [string, Vector])[] = [
  ...vectors,
  ['IPv4 options, no UDP checksum', WITH_IPV4_OPTIONS],
]

function frameOf(bytes: Uint8Array): EthernetFrame {
  const read = parseEthernet(bytes)
  if (!read.ok) throw new Error(`refused whole: ${read.why}`)
  return read.value
}

/** The reason of the innermost refusal; `null` where everything was read. */
function refusal(frame: EthernetFrame): string | null {
  const outer = frame.payload
  if (outer.kind === 'malformed') return `${outer.protocol} ${outer.why}`
  if (outer.kind !== 'ipv4' || outer.payload.kind !== 'malformed') return null
  return `${outer.payload.protocol} ${outer.payload.why}`
}

describe('every truncation', () => {
  test.each(ALL)('%s', (_, { bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      if (length < 14) expect(parseEthernet(cut)).toEqual({ ok: false, why: 'truncated' })
      else {
        expect(refusal(frameOf(cut)), `cut to ${length}`).toMatch(
          length < 34 ? /^(arp|ipv4) truncated$/ : /^(arp truncated|ipv4 bad-length)$/,
        )
        expect(emitEthernet(frameOf(cut))).toEqual(cut)
      }
    }
  })
})

describe('every flipped bit', () => {
  const flips = function* (bytes: Uint8Array): Generator<[flipped: Uint8Array, byte: number]> {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice()
      flipped[bit >>> 3]! ^= 0x80 >>> (bit & 7)
      yield [flipped, bit >>> 3]
    }
  }

  const checked = ALL.filter(([name]) => !/^(ARP|last|IPv4)/.test(name))
  test.each(checked)('%s: refused behind the Ethernet header', (_, { bytes }) => {
    for (const [flipped, at] of flips(bytes)) {
      const why = refusal(frameOf(flipped))
      if (at < 12) expect(why).toBeNull()
      else if (at >= 34) expect(why, `byte ${at}`).toMatch(/^(tcp|udp|icmp) bad-/)
      else if (at >= 14) expect(why, `byte ${at}`).toMatch(/^ipv4 bad-/)
    }
  })

  const unchecked = ALL.filter(([name]) => /^(ARP|last|IPv4)/.test(name))
  test.each(unchecked)('%s: another frame than it was', (_, { bytes, frame }) => {
    for (const [flipped, at] of flips(bytes)) {
      const read = frameOf(flipped)
      expect(read, `byte ${at}`).not.toStrictEqual(frame)
      // Only what has no checksum gets through.
      if (frame.etherType === 0x0800 && at >= 14 && at < 34) expect(refusal(read)).toMatch(/^ipv4/)
    }
  })
})

describe('100,000 random frames', () => {
  const random = (draw: () => number): Uint8Array => {
    const b = new Uint8Array((draw() >>> 0) % 160)
    for (let i = 0; i < b.length; i++) b[i] = draw() >>> 16
    return b
  }

  /** Puts right what keeps random bytes from getting any deeper; each thing is at times left out. */
  function plausible(b: Uint8Array, draw: () => number): Uint8Array {
    const mostly = (): boolean => (draw() & 15) > 0
    if (b.length < 14) return b
    putU16(b, 12, mostly() ? 0x0800 : 0x0806)
    if (b.length < 34) return b
    const words = mostly() ? 5 : 5 + (draw() & 3)
    if (mostly()) b[14] = 0x40 | words
    if (mostly()) putU16(b, 16, b.length - 14)
    if (mostly()) putU16(b, 20, 0)
    const protocol = [6, 6, 17, 1][draw() & 3]!
    b[23] = protocol
    const at = 14 + 4 * words
    const room = b.length - at
    if (protocol === 6 && room >= 20) {
      if (mostly()) b[at + 12] = (5 + ((draw() >>> 4) % (Math.min(15, room >>> 2) - 4))) << 4
      for (let i = at + 20; i < b.length; i++) b[i]! &= 0x0f
    }
    if (protocol === 17 && room >= 8 && mostly()) putU16(b, at + 4, room)
    if (mostly()) mend(b, 14, at, 24, 0)
    const pseudo = protocol === 1 ? 0 : addressSum(b) + protocol + room
    if (mostly()) mend(b, at, b.length, at + { 6: 16, 17: 6, 1: 2 }[protocol]!, pseudo)
    return b
  }
  const addressSum = (b: Uint8Array): number =>
    [26, 28, 30, 32].reduce((acc, at) => acc + u16(b, at), 0)

  /** Solves for the checksum field, the plain way. */
  function mend(b: Uint8Array, from: number, to: number, field: number, pseudo: number): void {
    if (field + 2 > to || to > b.length) return
    putU16(b, field, 0)
    let acc = pseudo
    for (let i = from; i < to; i++) acc += (i - from) % 2 === 0 ? b[i]! << 8 : b[i]!
    putU16(b, field, 0xffff - (acc % 0xffff))
  }

  test('never throw, and what was read of them reads the same when written', () => {
    const draw = alea('hostile')
    const seen = new Map<string, number>()
    for (let n = 0; n < 100_000; n++) {
      const bytes = n % 4 === 0 ? random(draw) : plausible(random(draw), draw)
      const read = parseEthernet(bytes)
      if (!read.ok) continue
      const written = emitEthernet(read.value)
      const again = frameOf(written)
      if (n % 40 === 1) expect(again, toHex(bytes)).toStrictEqual(read.value)
      if (!equalBytes(emitEthernet(again), written)) throw new Error(`not equal: ${toHex(bytes)}`)
      const kind = refusal(read.value) ?? innermost(read.value)
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
    // The frames have to reach every reader and every refusal to say anything.
    for (const kind of REACHED) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(50)
  })

  const innermost = ({ payload }: EthernetFrame): string =>
    payload.kind === 'ipv4' ? payload.payload.kind : payload.kind

  const REACHED = [
    'opaque',
    'tcp',
    'udp',
    'icmp',
    'arp unsupported',
    'ipv4 truncated',
    'ipv4 bad-version',
    'ipv4 bad-length',
    'ipv4 bad-checksum',
    'tcp truncated',
    'tcp bad-option',
    'tcp bad-length',
    'tcp bad-checksum',
    'udp truncated',
    'udp bad-length',
    'icmp truncated',
  ]
})
