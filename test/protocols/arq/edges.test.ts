import { describe, expect, test } from 'vitest'
import { createLoss } from '../../../protocols/arq/loss.ts'
import { type Bytes, equalBytes } from '../../../protocols/bytes.ts'
import { ms } from '../../../protocols/time.ts'
import { randomBytes } from '../../sim/two-hosts.ts'
import { ENGINES, type TransferEngine } from './engines.ts'
import { type Carried, type Mangle, pipe, type PipePlan, type PipeResult } from './pipe.ts'

const UNIT = 100

/** Runs an engine; what it is made of stands in the plan, the rest may be changed. */
function play(engine: TransferEngine, plan: Partial<PipePlan>): PipeResult {
  const { profile, receivers, key = null, raw } = engine
  const carrier = raw ? ({ protocol: 'raw', number: 253 } as const) : ({ protocol: 'udp' } as const)
  return pipe({
    profile,
    receivers,
    content: randomBytes(7 * UNIT + 31, 5),
    unitBytes: UNIT,
    ...plan,
    send: { carrier, key, ...plan.send },
    receive: (i) => ({ carrier, key, ...plan.receive?.(i) }),
  })
}

/** Everybody has the file, once, and both sides say so. */
function expectWhole(result: PipeResult, content: Bytes): void {
  for (const { files, ended } of result.receivers) {
    expect(ended.filter((text) => text.startsWith('finished')).length).toBe(1)
    expect(files.length).toBe(1)
    expect(equalBytes(files[0]!, content)).toBe(true)
  }
  expect(result.sent?.kind).toBe('finished')
}

const data = (carried: Carried): boolean => carried.from === -1
const toFirst = (carried: Carried): boolean => carried.to === 0
const passes: ReturnType<Mangle> = []

describe.each(ENGINES)('$name', (engine) => {
  const content = randomBytes(7 * UNIT + 31, 5)
  const isSession = engine.profile.sessions
  // Hello comes first where there is one.
  const firstData = isSession ? 1 : 0

  test.each([0, 1, UNIT - 1, UNIT, UNIT + 1, 5 * UNIT])('%i bytes', (size) => {
    const bytes = randomBytes(size, 9)
    const result = play(engine, { content: bytes })
    expectWhole(result, bytes)
    expect(result.said).toEqual([])
  })

  test('all values of a byte, and the same in place and recorded', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const inPlace = play(engine, { content: bytes })
    expectWhole(inPlace, bytes)
    expect(play(engine, { content: bytes, recorded: true }).trace).toBe(inPlace.trace)
  })

  test('the first, the last, and one three times over: only who misses it gets it again', () => {
    for (const lost of [[firstData], [firstData + 3, firstData + 3, firstData + 3]]) {
      const result = play(engine, {
        content,
        receive: (i) => ({ loss: createLoss(0, 1, i === 0 ? lost.map(wireOf(engine)) : []) }),
      })
      expectWhole(result, content)
      expect(result.receivers[0]!.said.length).toBe(lost.length)
      const again = result.sent!.peers.map(({ resent }) => resent)
      // A sender that goes back sends more than what was lost, but to nobody else.
      expect(again[0]).toBeGreaterThanOrEqual(lost.length)
      expect(again.slice(1)).toEqual(again.slice(1).map(() => 0))
    }
    const units = Math.ceil(content.length / UNIT)
    const last = wireOf(engine)(units - 1 + firstData)
    const result = play(engine, {
      content,
      receive: (i) => ({ loss: createLoss(0, 1, i === 0 ? [last] : []) }),
    })
    expectWhole(result, content)
    expect(result.receivers[0]!.said.length).toBe(1)
  })

  test('the last acknowledgement is lost: the receiver is still there to repeat it', () => {
    const count = countOf(engine, content)
    for (const last of [count - 1, count - 2]) {
      const result = play(engine, {
        content,
        mangle: (carried) =>
          !data(carried) && carried.from === 0 && carried.index === last ? passes : [carried],
      })
      expectWhole(result, content)
    }
  })

  test('copies and late copies of everything, in both directions', () => {
    const result = play(engine, {
      content,
      mangle: ({ bytes, index }) => [{ bytes }, { bytes, late: ms(index % 3 === 0 ? 150 : 1) }],
    })
    expectWhole(result, content)
  })

  test('datagrams that overtake each other', () => {
    const result = play(engine, {
      content,
      mangle: ({ bytes, index }) => [{ bytes, late: ms(index % 2 === 0 ? 25 : 0) }],
    })
    expectWhole(result, content)
  })

  test('a bit is flipped, in the header or in the payload', () => {
    // The checksum of the assignment covers the data alone: its header is believed, whatever it says.
    const isCovered = isSession || engine.profile.dialect.checksum === 'all'
    const header = [
      [2, 0],
      [7, 1],
    ] as const
    for (const [at, bit] of [[4, 3], [-1, 5], ...(isCovered ? header : [])] as const) {
      const result = play(engine, {
        content,
        mangle: (carried) => {
          if (carried.index % 5 !== 1 || !toFirst(carried)) return [carried]
          const flipped = Uint8Array.from(carried.bytes)
          flipped[at < 0 ? flipped.length - 1 : at]! ^= 1 << bit
          return [{ bytes: flipped }]
        },
      })
      expectWhole(result, content)
    }
  })

  test('acknowledgements are changed, and cut off', () => {
    const result = play(engine, {
      content,
      mangle: (carried) => {
        if (data(carried) || carried.index % 3 !== 0) return [carried]
        const flipped = Uint8Array.from(carried.bytes)
        flipped[5]! ^= 0x01
        return carried.index % 2 === 0 ? [{ bytes: flipped }] : [{ bytes: flipped.subarray(0, 5) }]
      },
    })
    expectWhole(result, content)
  })

  test('packets of a stranger change nothing, in mid-transfer', () => {
    const quiet = play(engine, { content })
    const sent = quiet.trace.split('\n').filter((line) => line.split(' ')[1] === '-1>0')
    const hex = sent[Math.min(2, sent.length - 1)]!.split(' ')[2]!
    const bytes = Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16))
    const result = play(engine, {
      content,
      strangers: [
        { at: 25, to: 0, bytes },
        { at: 35, to: 0, bytes: bytes.subarray(0, 3) },
        { at: 45, to: 0, bytes: randomBytes(40, 3) },
      ],
    })
    expectWhole(result, content)
    expect(result.receivers[0]!.files.length).toBe(1)
  })

  test('sequence numbers wrap at 2³²', () => {
    const first = 2 ** 32 - (engine.profile.dialect.counts === 'bytes' ? 3 * UNIT : 3)
    const dialect = { ...engine.profile.dialect, first }
    expectWhole(play({ ...engine, profile: { ...engine.profile, dialect } }, { content }), content)
  })

  test('nobody is there: it ends, and fails', () => {
    const result = play(engine, { content, absent: [0] })
    expect(result.sent?.kind).toBe('failed')
    expect(result.sent!.peers[0]!.why).toBe('no answer')
    expect(result.end).toBeLessThan(120_000)
    expect(result.receivers[0]!.files).toEqual([])
  })

  test('p = 0 loses nothing, p = 1 everything: it ends, and fails', () => {
    const none = play(engine, { content, receive: (i) => ({ loss: createLoss(0, i) }) })
    expectWhole(none, content)
    expect(none.receivers.flatMap(({ said }) => said)).toEqual([])
    const all = play(engine, { content, receive: (i) => ({ loss: createLoss(1, i) }) })
    expect(all.sent?.kind).toBe('failed')
    expect(all.end).toBeLessThan(120_000)
    expect(all.receivers.flatMap(({ files }) => files)).toEqual([])
  })

  test('a receiver is killed and started anew: all of it, or an error that ends', () => {
    const big = randomBytes(40 * UNIT + 1, 6)
    const result = play(engine, {
      content: big,
      mangle: ({ bytes, from }) => [{ bytes, late: from === -1 ? ms(5) : 0 }],
      restart: { receiver: 0, at: 70, back: 400 },
      receive: () => ({ idle: ms(20_000) }),
    })
    if (isSession) return expectWhole(result, big)
    // Without a session nobody can tell where to go on: it ends, and nobody has half a file.
    expect(result.sent?.kind).toBe('failed')
    expect(result.receivers[0]!.files).toEqual([])
    expect(result.end).toBeLessThan(120_000)
  })

  test('the sender is killed and another one starts', () => {
    const big = randomBytes(40 * UNIT + 1, 6)
    const result = play(engine, {
      content: big,
      mangle: ({ bytes, from }) => [{ bytes, late: from === -1 ? ms(5) : 0 }],
      senderRestart: { at: 70, back: 500 },
      receive: () => ({ idle: ms(3000) }),
    })
    for (const { files } of result.receivers)
      for (const file of files) expect(equalBytes(file, big)).toBe(true)
    if (isSession) expect(result.sent?.kind).toBe('finished')
    expect(result.end).toBeLessThan(120_000)
  })

  test('a hundred seeds: 20 % loss, 30 % out of order, 30 % twice', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = randomBytes(40_000, seed)
      let drawn = 0
      const chance = (of: number) => random[drawn++ % random.length]! < of * 256
      const result = play(engine, {
        content,
        send: { session: seed },
        mangle: ({ bytes }) => {
          const [lost, twice] = [chance(0.2), chance(0.3)]
          const late = () => ({
            bytes,
            late: chance(0.3) ? ms(1 + (random[drawn++ % 4000]! % 30)) : 0,
          })
          const arrivals = twice ? [late(), late()] : [late()]
          return lost ? passes : arrivals
        },
      })
      try {
        expectWhole(result, content)
      } catch (e) {
        throw new Error(`seed ${seed}`, { cause: e })
      }
    }
  })
})

/** Of a unit, counted from the first datagram: its number on the wire. */
const wireOf =
  (engine: TransferEngine) =>
  (datagram: number): number => {
    const { profile } = engine
    const unit = profile.sessions ? datagram - 1 : datagram
    if (profile.sessions) return unit
    return profile.dialect.first + unit * (profile.dialect.counts === 'bytes' ? UNIT : 1)
  }

/** Datagrams that a receiver sends in a transfer without loss. */
function countOf(engine: TransferEngine, content: Bytes): number {
  const quiet = play(engine, { content })
  return quiet.trace.split('\n').filter((line) => line.split(' ')[1] === '0>-1').length
}
