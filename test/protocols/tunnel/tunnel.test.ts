import { describe, expect, test } from 'vitest'
import { type Bytes, equalBytes, toHex } from '../../../protocols/bytes.ts'
import { ascii } from '../../../protocols/services/ascii.ts'
import { s as seconds } from '../../../protocols/time.ts'
import { NEAR_POLICY } from '../../../protocols/tunnel/near-end.ts'
import { encodeChunk, encodeRpAck, parseRp } from '../../../protocols/tunnel/rp.ts'
import { randomBytes } from '../../sim/two-hosts.ts'
import { ENDS, tunnel, type TunnelPlan } from './tunnel-run.ts'

/** 75 bytes: seven chunks of ten and one of five. */
const TEXT = ascii('hello!\n my'.padEnd(70, '.') + 'igili')

const header = (sequence: number, noMore = false) => ({ sequence, acknowledges: 0, noMore })

describe('golden packets', () => {
  test('the first chunk and the last, and both acknowledgements', () => {
    expect(toHex(encodeChunk('12', ENDS, header(0), ascii('hello!\n my')))).toBe(
      '4500004a0000000040fda0d3c0a82bb5c0a82bde0000000000000000000000004500002a0000000040fd655214141414c0a82bb500000000000000000000000068656c6c6f210a6d7920'.replace(
        '68656c6c6f210a6d7920',
        toHex(ascii('hello!\n my')),
      ),
    )
    expect(toHex(encodeChunk('12', ENDS, header(7, true), ascii('igili')))).toBe(
      '450000450007000040fda0d1c0a82bb5c0a82bde000000070000000000000001450000250007000040fd655014141414c0a82bb50000000700000000000000016967696c69',
    )
    expect(toHex(encodeRpAck('12', ENDS.far, ENDS.near, 0, 0))).toBe(
      '450000200001000040fda0fcc0a82bdec0a82bb5000000000000000000000000',
    )
    expect(toHex(encodeRpAck('12', ENDS.near, ENDS.far, 0, 1))).toBe(
      '450000200001000040fda0fcc0a82bb5c0a82bde000000000000000100000000',
    )
  })

  test('the first chunk as the original sent it', () => {
    const chunk = Uint8Array.from([0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x21, 0x0a, 0x6d, 0x79, 0x20])
    expect(toHex(encodeChunk('12', ENDS, header(0), chunk))).toBe(
      '4500004a0000000040fda0d3c0a82bb5c0a82bde0000000000000000000000004500002a0000000040fd655214141414c0a82bb500000000000000000000000068656c6c6f210a6d7920',
    )
  })

  test('the header of 8 bytes has no word for acknowledgements, and the first version none at all', () => {
    const eight = toHex(encodeChunk('8', ENDS, header(7, true), ascii('igili')))
    expect(eight.slice(40, 56)).toBe('0000000700000001')
    expect(eight.length / 2).toBe(20 + 8 + 20 + 8 + 5)
    expect(toHex(encodeRpAck('id-only', ENDS.far, ENDS.near, 7, 0)).slice(8)).toMatch(
      /^0007.*41434b$/,
    )
  })

  test('what is no packet of the tunnel is none', () => {
    const chunk = encodeChunk('12', ENDS, header(1), ascii('x')) as Uint8Array
    expect(parseRp('12', chunk)?.header).toEqual(header(1))
    for (let length = 0; length < chunk.length; length++) {
      expect(parseRp('12', chunk.subarray(0, length))).toBeNull()
    }
    expect(parseRp('12', encodeRpAck('id-only', ENDS.far, ENDS.near, 1, 0))).toBeNull()
  })
})

const count = (
  packets: Awaited<ReturnType<typeof tunnel>>['packets'],
  from: string,
  bytes: RegExp,
) => packets.filter((packet) => packet.from === from && bytes.test(packet.hex)).length
const DATA = /^450000(4a|45)/
const ACK = /^45000020/
const FORWARDED = /^450000(2a|25)/

describe('75 bytes there and back', () => {
  test('as the original: 8 chunks, 8 forwarded, 8 acknowledgements one way and 16 the other', async () => {
    const { near, far, packets } = await tunnel({ content: TEXT })
    expect(near.content).toEqual(TEXT)
    expect(count(packets, 'a', DATA)).toBe(8)
    expect(count(packets, 'b', FORWARDED)).toBe(8)
    expect(count(packets, 'a', ACK)).toBe(8)
    expect(count(packets, 'b', ACK)).toBe(16)
    expect(near.lines.filter((line) => line.includes('Resending'))).toEqual([])
    expect(packets.filter(({ hex }) => DATA.test(hex)).at(-1)!.hex).toContain(
      '000000070000000000000001',
    )
    // ARP takes 2 ms, the first chunk 1 ms; then B serves eight of them without a pause, 1 ms back.
    expect(near.ended).toEqual(['finished 804'])
    expect(far.lines[0]).toBe('103 ack sent for packet 0')
  })

  test('acknowledgements that are not acknowledged: 8', async () => {
    const { near, packets } = await tunnel({ content: TEXT, far: { acknowledgesAll: false } })
    expect(near.content).toEqual(TEXT)
    expect(count(packets, 'b', ACK)).toBe(8)
  })

  test('chunk 3 is lost once: it goes again at the sweep at 4 s', async () => {
    const lost = (frame: { payload: { kind: string; size: number } }, index: number) =>
      frame.payload.size === 74 && index === 5 // ARP, then chunks 0, 1, 2
    const { near } = await tunnel({ content: TEXT, to: { b: { drop: lost } } })
    const again = near.lines.filter((line) => line.includes('Resending'))
    expect(again.length).toBe(1)
    expect(again[0]).toMatch(/^(2000|4000) Resending packet with sequence number: \d$/)
    expect(near.content).toEqual(TEXT)
  })

  test('acknowledgements to A are lost: copies change nothing, and the file is there once', async () => {
    const lost = (frame: { payload: { kind: string; size: number } }, index: number) =>
      frame.payload.size === 32 && index < 12
    const { near, far } = await tunnel({ content: TEXT, to: { a: { drop: lost } } })
    expect(near.content).toEqual(TEXT)
    expect(near.ended.length).toBe(1)
    expect(far.ended).toEqual([])
  })

  test('one way: B keeps the file', async () => {
    const plan = { content: TEXT, near: { shape: 'one-way' }, far: { shape: 'one-way' } } as const
    const { near, far } = await tunnel(plan)
    expect(far.content).toEqual(TEXT)
    expect(near.ended.length).toBe(1)
    expect(far.ended).toEqual(['finished 803'])
  })

  test.each(['8', 'id-only'] as const)('header %s, both shapes', async (version) => {
    const loop = await tunnel({ content: TEXT, near: { version } })
    expect(loop.near.content).toEqual(TEXT)
    const way = {
      content: TEXT,
      near: { version, shape: 'one-way' },
      far: { shape: 'one-way' },
    } as const
    const { far } = await tunnel(way)
    expect(far.content).toEqual(TEXT)
    expect(far.ended.length).toBe(1)
  })

  test('the same digest in place, recorded and with every frame encoded', async () => {
    const digests = []
    for (const run of [{}, { recorded: true }, { wireExact: true }]) {
      const plan: TunnelPlan = { content: TEXT, link: { loss: '10%', duplicate: '10%' }, run }
      digests.push((await tunnel(plan)).outcome.digest)
    }
    expect(new Set(digests).size).toBe(1)
  })
})

describe('edges', () => {
  const whole = async (content: Bytes, plan: Partial<TunnelPlan> = {}) => {
    const { near } = await tunnel({ content, ...plan })
    expect(near.ended.length).toBe(1)
    expect(near.ended[0]).toMatch(/^finished/)
    expect(equalBytes(near.content, content)).toBe(true)
  }

  test.each([0, 1, 9, 10, 11, 19, 20, 21])('%i bytes', (size) => whole(randomBytes(size, 3)))
  test('all values of a byte', () => whole(Uint8Array.from({ length: 256 }, (_, i) => i)))

  // The Identification has 16 bits: the original stops at chunk 65,536.
  test.each([655_360, 655_370])(
    '%i bytes: more chunks than Identifications',
    async (size) => {
      const near = { policy: { ...NEAR_POLICY, pace: 100_000 } }
      const run = { observers: [] }
      await whole(randomBytes(size, 4), { near, far: { service: 10_000 }, run })
    },
    60_000,
  )

  test('numbers wrap at 2³²', () => whole(TEXT, { near: { first: 2 ** 32 - 3 } }))

  test.each(['0%', '20%'])(
    'a hundred seeds, loss %s, a third out of order, a third twice: one file, written once',
    async (loss) => {
      for (let seed = 1; seed <= 100; seed++) {
        const link = { loss, reorder: '30%', duplicate: '30%', delay: '150ms' }
        // B sends again each ten seconds: A has to have the patience for several.
        const near = { idle: seconds(100) }
        await whole(TEXT, { link, near, seed: String(seed), run: { observers: [] } })
      }
    },
    60_000,
  )

  test('nobody is there: bounded, and a failure', async () => {
    const { near } = await tunnel({ content: TEXT, absent: true })
    expect(near.ended).toEqual(['no answer'])
  })

  test('B is killed at chunk 4 and started again', () =>
    whole(TEXT, { faults: [{ at: '450ms', crash: 'b', for: '3s' }] }))

  test('a flipped bit of the file is taken as it comes: there is no checksum (and a seal in the default)', async () => {
    const taken: boolean[] = []
    for (let seed = 1; seed <= 20; seed++) {
      const plan = { content: TEXT, link: { corrupt: '8%' }, seed: String(seed) } as const
      const { near } = await tunnel(plan)
      if (near.content.length === TEXT.length) taken.push(!equalBytes(near.content, TEXT))
    }
    expect(taken).toContain(true)
  })
})
