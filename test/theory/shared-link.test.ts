import { describe, expect, test } from 'vitest'
import { jain, runSharedLink } from '../../bench/shared-link.ts'
import { NEVER } from '../../protocols/time.ts'

// Many flows over one bottleneck with a drop-tail queue: what one flow with random loss never shows.

describe.each(['reno', 'cubic'])('%s', (congestion) => {
  test.each([
    ['ten flows', '10', '10Mbit', '100 frames'],
    ['a hundred flows', '100', '20Mbit', '300 frames'],
  ])('%s fill a drop-tail bottleneck, and none starves', async (_, flows, rate, queue) => {
    const settings = { flows, rate, queue, congestion }
    const run = await runSharedLink({ settings, warmUp: 10, seconds: 60 })
    expect(run.goodputs.length).toBe(Number(flows))
    expect(run.utilisation).toBeGreaterThan(0.95)
    expect(jain(run.goodputs)).toBeGreaterThan(0.9)
    expect(run.drops).toBeGreaterThan(100)
  })
})

test('ten flows of BBR fill it, too, and share it', async () => {
  const settings = { flows: '10', rate: '20Mbit', congestion: 'bbr' }
  const run = await runSharedLink({ settings, warmUp: 10, seconds: 60 })
  expect(run.utilisation).toBeGreaterThan(0.95)
  expect(jain(run.goodputs)).toBeGreaterThan(0.9)
})

test('goodput collapse: there is none where a buffer exceeds what the path holds', async () => {
  // A path that holds 25 kB in flight and 50 frames in its queue: 100 kB in all.
  const goodputs: number[] = []
  for (const buffer of ['128KiB', '1MiB', '16MiB']) {
    const settings = { flows: '1', rate: '10Mbit', queue: '50 frames', buffer }
    goodputs.push((await runSharedLink({ settings, warmUp: 5, seconds: 25 })).goodputs[0]!)
  }
  for (const each of goodputs) expect((each * 8) / 9.56e6).toBeGreaterThan(0.95)
})

describe('congestion controls that behave alike: these do not', () => {
  const alone = async (congestion: string, more: { readonly [name: string]: string }) => {
    const settings = { flows: '1', rate: '10Mbit', congestion, ...more }
    let waited = 0
    let waits = 0
    const { goodputs } = await runSharedLink({
      settings,
      warmUp: 5,
      seconds: 35,
      observer: (record) => {
        if (record.kind !== 'sent' || record.link !== 'r1>r2' || record.waits === NEVER) return
        waited += record.waits
        waits += 1
      },
    })
    return { mbit: (goodputs[0]! * 8) / 1e6, queueMs: waited / waits / 1e6 }
  }

  test('random loss: BBR takes it for what it is, the others for congestion', async () => {
    const [reno, cubic, bbr] = [
      await alone('reno', { loss: '1%' }),
      await alone('cubic', { loss: '1%' }),
      await alone('bbr', { loss: '1%' }),
    ]
    expect(bbr.mbit).toBeGreaterThan(9)
    expect(reno.mbit).toBeLessThan(7.5)
    expect(cubic.mbit).toBeLessThan(8)
  })

  test('a deep queue: Reno and CUBIC fill it, BBR leaves it empty', async () => {
    const deep = { queue: '400 frames' }
    const [reno, cubic, bbr] = [
      await alone('reno', deep),
      await alone('cubic', deep),
      await alone('bbr', deep),
    ]
    for (const each of [reno, cubic, bbr]) expect(each.mbit).toBeGreaterThan(9)
    // 400 frames take 484 ms.
    expect(reno.queueMs).toBeGreaterThan(200)
    expect(cubic.queueMs).toBeGreaterThan(200)
    expect(bbr.queueMs).toBeLessThan(30)
  })

  test('a long path: CUBIC is back long before Reno', async () => {
    // 200 ms, 50 Mbit/s: a window of 860 segments; Reno needs 430 round trips for what a loss takes.
    const long = { rate: '50Mbit', delay: '98ms', queue: '100 frames', buffer: '16MiB' }
    const [reno, cubic] = [await alone('reno', long), await alone('cubic', long)]
    expect(cubic.mbit).toBeGreaterThan(1.1 * reno.mbit)
  })
})
