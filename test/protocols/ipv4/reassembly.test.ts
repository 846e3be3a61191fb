import fc from 'fast-check'
import { enableMapSet, produce } from 'immer'
import { describe, expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { emitIpv4 } from '../../../protocols/ipv4/codec.ts'
import { fragment } from '../../../protocols/ipv4/fragment.ts'
import { Ipv4Details, Ipv4Packet, MAY_FRAGMENT } from '../../../protocols/ipv4/packet.ts'
import { reassemble } from '../../../protocols/ipv4/reassembly.ts'
import {
  createReassembly,
  expireFragments,
  type Reassembly,
  reassemblyNextDue,
} from '../../../protocols/reassembly.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { ms, type Nanos, s } from '../../../protocols/time.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'

enableMapSet()

const A = ip('10.0.0.1') as Ipv4Address
const B = ip('10.0.0.2') as Ipv4Address
const bytes = (length: number, from = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (from + i) % 251)

interface Piece {
  readonly at: number
  readonly size: number
  readonly more?: boolean
  readonly id?: number
  readonly protocol?: number
  readonly trafficClass?: number
  readonly fill?: Uint8Array
  readonly options?: Uint8Array
}
function piece({ at, size, more = true, id = 1, protocol = 253, ...rest }: Piece): Ipv4Packet {
  const { trafficClass = 0, options = new Uint8Array(0) } = rest
  const details = new Ipv4Details(trafficClass, false, more, at / 8, options)
  return new Ipv4Packet(A, B, protocol, 60, id, details, new Opaque(rest.fill ?? bytes(size, at)))
}

type Script = readonly (readonly [atMs: number, packet: Ipv4Packet])[]

/** Plays the script in place and recorded, and lists what comes of it. Deadlines run by themselves. */
function play(script: Script, limit?: number): string[] {
  const live = createReassembly(limit)
  let frozen = createReassembly(limit)
  const inPlace = run(
    script,
    () => live,
    (act) => act(live),
  )
  const recorded = run(
    script,
    () => frozen,
    (act) => {
      frozen = produce(frozen, (draft) => act(draft as Reassembly))
    },
  )
  expect(recorded).toEqual(inPlace)
  expect([...frozen.ipv4.keys()]).toEqual([...live.ipv4.keys()])
  return inPlace
}

function run(
  script: Script,
  state: () => Reassembly,
  step: (act: (state: Reassembly) => void) => void,
): string[] {
  const lines: string[] = []
  let now: Nanos = 0
  const say = (text: string) => lines.push(`${now / 1e6} ${text}`)
  const out = { dropped: (p: Ipv4Packet, why: string) => say(`${why} ${p.identification}`) }
  let next = 0
  for (;;) {
    const due = reassemblyNextDue(state())
    const at = Math.min(due, next < script.length ? ms(script[next]![0]) : Infinity)
    if (at === Infinity) return lines
    now = at
    if (due === at) {
      step((r) => {
        for (const first of expireFragments(r, now, out))
          say(`tell ${(first as Ipv4Packet).identification}`)
      })
      continue
    }
    const packet = script[next++]![1]
    step((r) => {
      const whole = reassemble(r, now, packet, out)
      if (whole !== null) say(`whole ${whole.identification}, ${whole.payload.size} bytes`)
    })
    expect(state().bytes).toBeLessThanOrEqual(state().limit)
  }
}

const at0 = piece({ at: 0, size: 16 })
const at16 = piece({ at: 16, size: 24 })
const at40 = piece({ at: 40, size: 5, more: false })

describe('pieces become a datagram', () => {
  test.each([
    ['in order', [at0, at16, at40]],
    ['last one first', [at40, at16, at0]],
    ['the middle last', [at0, at40, at16]],
    ['the middle first', [at16, at0, at40]],
  ])('%s', (_, pieces) => {
    expect(play(pieces.map((p, i) => [i, p]))).toEqual(['2 whole 1, 45 bytes'])
  })

  test('copies of a piece change nothing', () => {
    const script: Script = [
      [0, at0],
      [1, at0],
      [2, at40],
      [3, at40],
      [4, at16],
    ]
    expect(play(script)).toEqual([
      '1 ipv4 duplicate fragment 1',
      '3 ipv4 duplicate fragment 1',
      '4 whole 1, 45 bytes',
    ])
  })

  test('datagrams are told apart by identification, protocol and addresses', () => {
    const other = new Ipv4Packet(B, A, 253, 60, 1, at40.details, at40.payload)
    const script: Script = [
      [0, at0],
      [0, at16],
      [1, piece({ at: 40, size: 5, more: false, id: 2 })],
      [1, piece({ at: 40, size: 5, more: false, protocol: 17 })],
      [1, other],
      [2, at40],
    ]
    expect(play(script).slice(0, 1)).toEqual(['2 whole 1, 45 bytes'])
  })

  test('the header is that of the first piece, and the payload is read like any other', () => {
    const datagram = new UdpDatagram(5, 6, bytes(3000))
    const sent = new Ipv4Packet(A, B, 17, 64, 9, MAY_FRAGMENT, datagram)
    const state = createReassembly()
    const pieces = fragment(sent, 1500)
    const out = { dropped: () => expect.unreachable() }
    expect(reassemble(state, 0, pieces[2]!, out)).toBeNull()
    expect(reassemble(state, 0, pieces[1]!, out)).toBeNull()
    expect(reassemble(state, 0, pieces[0]!, out)).toEqual(sent)
    expect(state).toEqual(createReassembly())
  })

  test('a damaged payload shows once it is whole', () => {
    const sent = new Ipv4Packet(A, B, 17, 64, 9, MAY_FRAGMENT, new UdpDatagram(5, 6, bytes(40)))
    const wire = emitIpv4(sent).subarray(20)
    wire[30]! ^= 1
    const pieces = fragment(new Ipv4Packet(A, B, 17, 64, 9, MAY_FRAGMENT, new Opaque(wire)), 68)
    expect(pieces).toHaveLength(1) // 48 bytes fit into 68
    const state = createReassembly()
    const out = { dropped: () => expect.unreachable() }
    const [first, last] = [wire.subarray(0, 24), wire.subarray(24)]
    reassemble(state, 0, piece({ at: 0, size: 24, protocol: 17, fill: first }), out)
    const end = piece({ at: 24, size: 24, more: false, protocol: 17, fill: last })
    expect(reassemble(state, 0, end, out)?.payload).toMatchObject({
      kind: 'malformed',
      why: 'bad-checksum',
    })
  })
})

describe('pieces that overlap condemn the datagram and what still comes of it, for 30 s', () => {
  test.each([
    ['from before', piece({ at: 8, size: 16 })],
    ['from behind', piece({ at: 32, size: 16 })],
    ['inside', piece({ at: 24, size: 8 })],
    ['around', piece({ at: 8, size: 40 })],
    ['the same place with other bytes', piece({ at: 16, size: 24, fill: new Uint8Array(24) })],
    ['the same bytes, fewer', piece({ at: 16, size: 16 })],
    ['an end before the end', piece({ at: 8, size: 8, more: false })],
    ['the same piece as the end', piece({ at: 16, size: 24, more: false })],
  ])('%s', (_, wrong) => {
    const script: Script = [
      [0, at16],
      [1, wrong],
      [2, at0],
      [29_999, at40],
      [30_001, at0],
    ]
    expect(play(script)).toEqual([
      '1 ipv4 overlapping fragment 1',
      '2 ipv4 overlapping fragment 1',
      '29999 ipv4 overlapping fragment 1',
      // What comes after is a new datagram.
      '60001 ipv4 fragments incomplete 1',
      '60001 tell 1',
    ])
  })

  test.each([
    ['a piece behind the end', piece({ at: 48, size: 8 })],
    ['a second end', piece({ at: 48, size: 8, more: false })],
    ['an end before it', piece({ at: 0, size: 8, more: false })],
  ])('%s', (_, wrong) => {
    expect(
      play([
        [0, at40],
        [1, wrong],
      ]),
    ).toEqual(['1 ipv4 overlapping fragment 1'])
  })
})

describe('what is missing after 30 s', () => {
  test('the deadline runs from the first piece to come; whoever sent offset 0 is told', () => {
    const script: Script = [
      [0, at16],
      [29_000, at0],
      [29_500, piece({ at: 0, size: 8, id: 2 })],
      [30_000, at40],
    ]
    expect(play(script)).toEqual([
      '30000 ipv4 fragments incomplete 1',
      '30000 tell 1',
      '59500 ipv4 fragments incomplete 2',
      '59500 tell 2',
      // The piece that came too late waits for itself, and nobody is told of it.
      '60000 ipv4 fragments incomplete 1',
    ])
  })

  test('a timer that comes early does nothing', () => {
    const state = createReassembly()
    const out = { dropped: () => expect.unreachable() }
    reassemble(state, 5, at0, out)
    expect(expireFragments(state, s(30) + 4, out)).toEqual([])
    expect(reassemblyNextDue(state)).toBe(s(30) + 5)
  })
})

describe('memory', () => {
  // Each of these counts for 256 + 64 + 100 bytes.
  const big = (id: number) => piece({ at: 0, size: 104, id })

  test('the oldest datagram goes when there is no more room', () => {
    const script: Script = [1, 2, 3, 4].map((id) => [id, big(id)])
    expect(play(script, 2 * 424)).toEqual([
      '3 ipv4 fragment memory full 1',
      '4 ipv4 fragment memory full 2',
      '30003 ipv4 fragments incomplete 3',
      '30003 tell 3',
      '30004 ipv4 fragments incomplete 4',
      '30004 tell 4',
    ])
  })

  test('a datagram that is larger than all memory is given up as it grows', () => {
    expect(
      play(
        [
          [0, at0],
          [1, at16],
        ],
        256 + 64 + 16,
      ),
    ).toEqual(['1 ipv4 fragment memory full 1'])
  })
})

describe('what no sender makes', () => {
  test.each([
    ['ipv4 empty fragment', piece({ at: 8, size: 0 })],
    ['ipv4 odd fragment', piece({ at: 0, size: 15 })],
    // The "ping of death": 65,528 + 8 bytes end beyond what a packet can be.
    ['ipv4 fragment too long', piece({ at: 65_528, size: 8, more: false })],
    ['ipv4 fragment too long', piece({ at: 65_512, size: 4, more: false })],
    ['ipv4 tiny fragment', piece({ at: 0, size: 8, protocol: 6 })],
    ['ipv4 tiny fragment', piece({ at: 8, size: 16, protocol: 6 })],
  ])('%s', (why, wrong) => {
    expect(play([[0, wrong]])).toEqual([`0 ${why} 1`])
  })

  test('the longest datagram there can be is 65,515 bytes behind a header of 20', () => {
    const most: Script = [
      [0, piece({ at: 0, size: 65_512 })],
      [1, piece({ at: 65_512, size: 3, more: false })],
    ]
    expect(play(most)).toEqual(['1 whole 1, 65515 bytes'])
    const options = Uint8Array.of(1, 1, 1, 0)
    const first = piece({ at: 0, size: 65_504, options })
    const last = piece({ at: 65_504, size: 11, more: false })
    expect(
      play([
        [0, first],
        [1, last],
      ]),
    ).toEqual(['1 ipv4 fragment too long 1'])
  })
})

describe('congestion marks, RFC 3168 §5.3', () => {
  const marked = (first: number, last: number): Script => [
    [0, piece({ at: 0, size: 16, trafficClass: first })],
    [1, piece({ at: 16, size: 4, more: false, trafficClass: last })],
  ]
  const classOf = (script: Script): number | null => {
    const state = createReassembly()
    const out = { dropped: () => {} }
    reassemble(state, 0, script[0]![1], out)
    return reassemble(state, 0, script[1]![1], out)?.details.trafficClass ?? null
  }
  test.each([
    ['none', 0x28, 0x28, 0x28],
    ['one piece', 0x2a, 0x2b, 0x2b],
    ['the first piece', 0x03, 0x02, 0x03],
    ['one that could not have been set', 0x00, 0x03, null],
  ])('%s', (_, first, last, whole) => {
    expect(classOf(marked(first, last))).toBe(whole)
  })
})

test('random pieces never throw, never take more than the limit, and never make up a byte', () => {
  const anyPiece = fc
    .record({
      at: fc.nat(12).map((n) => n * 8),
      size: fc.nat(40),
      more: fc.boolean(),
      id: fc.nat(3),
      protocol: fc.constantFrom(1, 6, 17, 253),
      trafficClass: fc.nat(3),
      other: fc.boolean(),
    })
    .map(({ other, ...rest }) => piece(other ? { ...rest, fill: new Uint8Array(rest.size) } : rest))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20_000), anyPiece), { maxLength: 60 }), (steps) => {
      const state = createReassembly(1000)
      const out = { dropped: () => {} }
      let now = 0
      for (const [pause, packet] of steps) {
        now += ms(pause)
        expireFragments(state, now, out)
        const whole = reassemble(state, now, packet, out)
        expect(state.bytes).toBeLessThanOrEqual(1000)
        const kept = [...state.ipv4.values()]
        const bytesKept = kept.reduce((sum, d) => sum + d.cost, 0)
        expect(bytesKept).toBe(state.bytes)
        if (whole?.payload.kind !== 'opaque') continue
        for (const [i, byte] of [...whole.payload.bytes].entries()) {
          expect(byte === i % 251 || byte === 0).toBe(true)
        }
      }
      expireFragments(state, now + s(30), out)
      expect(state).toEqual(createReassembly(1000))
    }),
    { seed: 815, numRuns: 2000 },
  )
})
