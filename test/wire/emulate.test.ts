import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LinkSummary } from '../../trace/summary.ts'
import type { BoundDevice } from '../../wire/live.ts'
import type { Lateness } from '../../wire/real-time.ts'
import { PROGRAM } from './live.ts'
import { Namespace, needs } from './namespace.ts'

// Two kernels, each in a namespace of its own, and our link between their cables.

const able = needs('ping', 'iperf3')

interface Report {
  readonly links: readonly LinkSummary[]
  readonly devices: readonly BoundDevice[]
  readonly lateness: Lateness
}

describe.skipIf(!able)('two kernels across a simulated link', () => {
  const [near, middle, far] = [0, 0, 0].map(() => (able ? new Namespace() : null)) as [
    Namespace,
    Namespace,
    Namespace,
  ]

  beforeAll(() => {
    for (const [namespace, own, cable, address] of [
      [near, 'n0', 'ea', '10.8.0.1/24'],
      [far, 'f0', 'eb', '10.8.0.2/24'],
    ] as const) {
      namespace.ip(`link add ${own} type veth peer name ${cable} netns ${middle.name}`)
      namespace.ip(`addr add ${address} dev ${own}`)
      namespace.ip(`link set ${own} up`)
      middle.ip(`link set ${cable} up`)
    }
  })
  afterAll(() => {
    for (const namespace of [near, middle, far]) namespace.remove()
  })

  /** Emulates while `act` runs. */
  async function across(options: string[], act: () => void | Promise<void>): Promise<Report> {
    const child = middle.start(PROGRAM, 'emulate', 'ea', 'eb', ...options, '--json')
    await child.says(/^emulate: /m)
    try {
      await act()
    } finally {
      child.signal('SIGINT')
    }
    expect(await child.ended).toBe(0)
    return JSON.parse(child.out) as Report
  }
  const ping = (...args: string[]) => near.run('ping', '-q', ...args, '10.8.0.2').out
  /** The smallest and the mean round trip, milliseconds. */
  function rtts(out: string): { readonly min: number; readonly mean: number } {
    const [, min, mean] = /= ([\d.]+)\/([\d.]+)\//.exec(out)!
    return { min: Number(min), mean: Number(mean) }
  }

  test('the delay is what was asked for, within 0.3 ms one way and the lateness', async () => {
    let out = ''
    const { lateness, links } = await across(['--delay', '20ms'], () => {
      out = ping('-c', '60', '-i', '0.02')
    })
    expect(out).toContain('60 received')
    // Every frame is late by what the report says; the fastest is late by no more than most are.
    const late = (2 * lateness.p50) / 1e6
    expect(rtts(out).min).toBeGreaterThanOrEqual(40)
    expect(rtts(out).min).toBeLessThan(40.6 + late)
    expect(links.map(({ name }) => name).toSorted()).toEqual(['ea>eb', 'eb>ea'])
  })

  test('the loss is what was asked for, within 3 σ', async () => {
    const [requests, loss] = [1000, 0.1]
    let out = ''
    const { links } = await across(['--loss', '10%', '--seed', '5'], () => {
      out = ping('-c', String(requests), '-i', '0.001', '-W', '0.2')
    })
    const received = Number(/(\d+) received/.exec(out)![1])
    const share = (1 - loss) ** 2
    const sigma = Math.sqrt(share * (1 - share) * requests)
    expect(Math.abs(received - share * requests)).toBeLessThan(3 * sigma)
    for (const { offeredFrames, dropped } of links) {
      const own = Math.sqrt(loss * (1 - loss) * offeredFrames)
      expect(Math.abs(dropped['loss']! - loss * offeredFrames)).toBeLessThan(3 * own)
    }
  })

  test('the rate is what was asked for, within 3 %', { timeout: 40_000 }, async () => {
    // Frames of 1514 bytes take the rate; 1448 of these are iperf's.
    const expected = (20e6 * 1448) / 1514
    let off = Infinity
    await across(['--rate', '20mbit', '--queue', '100 frames', '--delay', '1ms'], async () => {
      // A machine that has something else to do keeps nobody's rate: it may try again.
      for (let i = 0; i < 3 && off >= 0.03; i++) {
        const server = far.start('iperf3', '-s', '-1', '--forceflush')
        await server.says(/listening/)
        const { out } = near.run('iperf3', '-c', '10.8.0.2', '-t', '3', '-O', '1', '-J')
        const { end } = JSON.parse(out) as {
          end: { sum_received: { bits_per_second: number } }
        }
        off = Math.abs(end.sum_received.bits_per_second / expected - 1)
        await server.ended
      }
    })
    expect(off).toBeLessThan(0.03)
  })

  test.each([
    ['cut into frames where frames may be lost', ['--loss', '0.001%'], 0, 1514],
    ['uncut where nothing happens to frames', ['--delay', '1ms'], 1515, 65_549],
  ] as const)('large segments cross it %s', async (_, options, least, most) => {
    let code: number | null = null
    const { links, devices } = await across([...options], async () => {
      const server = far.start('iperf3', '-s', '-1', '--forceflush')
      await server.says(/listening/)
      ;({ code } = near.run('iperf3', '-c', '10.8.0.2', '-n', '20M'))
      await server.ended
    })
    expect(code).toBe(0)
    const forth = links.find(({ name }) => name === 'ea>eb')!
    const mean = forth.offeredBytes / forth.offeredFrames
    expect(mean).toBeGreaterThanOrEqual(least)
    expect(mean).toBeLessThanOrEqual(most)
    expect(forth.offeredBytes).toBeGreaterThan(15e6)
    expect(devices.map(({ stats }) => stats.sendErrors)).toEqual([0, 0])
  })

  test('what differs towards one end, and a schedule', async () => {
    const out: string[] = []
    const options = ['--delay', '5ms', '--to', 'ea:delay=20ms', '--schedule', 'at=3s delay=40ms']
    await across(options, async () => {
      out.push(ping('-c', '25', '-i', '0.02'))
      await new Promise((resolve) => setTimeout(resolve, 3000))
      out.push(ping('-c', '5', '-i', '0.02'))
    })
    const [before, after] = out.map((text) => rtts(text).min)
    expect(before).toBeGreaterThanOrEqual(25)
    expect(before).toBeLessThan(40)
    expect(after).toBeGreaterThanOrEqual(60)
  })

  test('wrong words are one line and exit code 2; a missing interface is 4', () => {
    const run = (...args: string[]) => middle.run(PROGRAM, 'emulate', ...args)
    expect(run('ea', 'eb', '--loss', '7')).toMatchObject({ code: 2, out: '' })
    expect(run('ea', 'eb', '--schedule', 'rate=1mbit').err).toMatch(/^error: .*no time.*\n$/)
    expect(run('ea', 'eb', '--to', 'nowhere:delay=1ms').err).toMatch(/expected ea or eb\n$/)
    expect(run('ea', 'eb9')).toMatchObject({ code: 4 })
  })
})
