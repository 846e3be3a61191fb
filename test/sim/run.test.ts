import { describe, expect, test } from 'vitest'
import { AbortedError, type Progress } from '../../sim/run.ts'
import type { Program } from '../../sim/scenario.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { codeOf, Log, randomBytes, run, twoHosts } from './two-hosts.ts'

/** Carries bytes from a to b; notes what arrived, and when the last of it did. */
const carry = (bytes: Uint8Array): { a: Program; b: Program } => ({
  a: async (host) => {
    const socket = await host.connect('10.0.0.2', 80)
    await socket.send(bytes)
    socket.close()
  },
  b: async (host) => {
    const socket = await host.listen(80).accept()
    const arrived = await socket.receiveAll()
    host.note('intact', String(Buffer.compare(Buffer.from(arrived as Uint8Array), bytes) === 0))
    host.note('at', host.now)
    socket.close()
  },
})

describe('faults', () => {
  test('change a link from their time on, in one direction or both', async () => {
    const log = new Log()
    const pings: Program = async (host) => {
      for (let i = 0; i < 5; i++) {
        const result = await host.ping('10.0.0.2', { timeout: '500ms' })
        log.say(host, result === null ? 'silence' : `${result.rtt / 1e6} ms`)
        await host.sleep(Math.max((i + 1) * 1e9 - host.now, 0))
      }
    }
    await run(
      twoHosts({
        a: pings,
        faults: [
          { at: '0.5s', link: 'a>b', set: { delay: '30ms' } },
          { at: '1.5s', link: 'b>a', set: { loss: 1 } },
          { at: '2.5s', link: 'a-b', set: { loss: 0, delay: '5ms' } },
        ],
      }),
    )
    expect(log.lines).toEqual([
      '40 a 40 ms',
      '1040 a 40 ms',
      '2500 a silence',
      '3010 a 10 ms',
      '4010 a 10 ms',
    ])
  })

  test('a link that is cut and mended lets every transfer complete', async () => {
    for (const [cut, mended] of [
      [0, 0.01],
      [0.015, 9],
      [0.055, 0.5],
      [0.1, 20],
      [0.3, 40],
    ]) {
      const outcome = await run(
        twoHosts({
          ...carry(randomBytes(300_000, 3)),
          link: { rate: '10Mbit', queue: '20 frames' },
          faults: [
            { at: `${cut}s`, link: 'a-b', set: { loss: 1 } },
            { at: `${mended}s`, link: 'a-b', set: { loss: 0 } },
          ],
        }),
      )
      expect(outcome.failure).toBeNull()
      expect(outcome.notes['intact'], `cut from ${cut} to ${mended} s`).toBe('true')
      // It was really cut: nothing arrives complete in between.
      expect(Number(outcome.notes['at']) / 1e9).toBeGreaterThan(mended!)
    }
  })

  test('random ones, then peace: whatever happened, what was sent arrives', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const dice = randomBytes(60, 1000 + seed)
      const faults = Array.from({ length: 10 }, (_, i) => ({
        at: `${i * 300 + dice[6 * i]!}ms`,
        link: ['a>b', 'b>a', 'a-b'][dice[6 * i + 1]! % 3]!,
        set: {
          loss: dice[6 * i + 2]! / 300,
          delay: `${dice[6 * i + 3]!}ms`,
          reorder: dice[6 * i + 4]! / 600,
          duplicate: dice[6 * i + 5]! / 600,
          corrupt: dice[6 * i + 5]! / 1500,
        },
      }))
      const heal = { loss: 0, delay: '10ms', reorder: 0, duplicate: 0, corrupt: 0 }
      const outcome = await run(
        twoHosts({
          ...carry(randomBytes(150_000, seed)),
          link: { rate: '4Mbit', queue: '15 frames' },
          faults: [...faults, { at: '4s', link: 'a-b', set: heal }],
        }),
        { seed: String(seed) },
      )
      expect([outcome.failure, outcome.notes['intact']], `seed ${seed}`).toEqual([null, 'true'])
    }
  })
})

describe('what the user got wrong is one line:', () => {
  const refusal = (play: Parameters<typeof twoHosts>[0]) => codeOf(run(twoHosts(play)))

  test('a fault on a link that is not there', async () => {
    const set = { loss: 1 }
    expect(await refusal({ faults: [{ at: '1s', link: 'a>c', set }] })).toMatch(/'a>c'/)
    expect(await refusal({ faults: [{ at: '1', link: 'a>b', set }] })).toMatch(/unit/)
    expect(await refusal({ faults: [{ at: '1s', link: 'a>b', set: { loss: '140%' } }] })).toMatch(
      /140%/,
    )
  })

  test('an end without a unit', async () => {
    expect(await refusal({ until: '10' })).toMatch(/unit/)
  })
})

describe('whoever waits outside', () => {
  const endless: Program = async (host) => {
    for (;;) await host.sleep('1us')
  }

  test('hears how far the run is', async () => {
    const heard: Progress[] = []
    await run(twoHosts({ a: endless, until: '150ms' }), {
      onProgress: (progress) => heard.push({ ...progress }),
    })
    expect(heard.length).toBe(3)
    for (const [i, { now, events, fraction }] of heard.entries()) {
      expect(events).toBe(50_000 * (i + 1))
      expect(now).toBe(events * 1000)
      expect(fraction).toBeCloseTo((i + 1) / 3, 10)
    }
  })

  test('may break it off', async () => {
    const signal = { aborted: false }
    const onProgress = () => {
      signal.aborted = true
    }
    const running = run(twoHosts({ a: endless }), { signal, onProgress })
    await expect(running).rejects.toBeInstanceOf(AbortedError)
  })
})

test('observers hear the same records in the same order, and change nothing', async () => {
  const [first, second]: [TraceRecord[], TraceRecord[]] = [[], []]
  const scenario = twoHosts({ ...carry(randomBytes(20_000, 9)), link: { loss: '5%' } })
  const observers = [
    (r: TraceRecord) => void first.push(r),
    (r: TraceRecord) => void second.push(r),
  ]
  const watched = await run(scenario, { observers })
  expect(first.length).toBeGreaterThan(100)
  expect(second.every((record, i) => record === first[i])).toBe(true)
  expect((await run(scenario)).digest).toBe(watched.digest)
})

test('programs that share a run do not share a random stream', async () => {
  const drawn: number[] = []
  const draws =
    (name: string): Program =>
    (host) =>
      void drawn.push(host.random(name)())
  await run(twoHosts({ a: [draws('x'), draws('y'), draws('x')], b: draws('x') }))
  const [ax, ay, again, bx] = drawn
  expect(again).toBe(ax)
  expect(new Set([ax, ay, bx]).size).toBe(3)
})
