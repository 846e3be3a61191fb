import { expect, test } from 'vitest'
import dumbbell from '../../scenarios/dumbbell.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario } from '../../sim/scenario.ts'
import { type SeriesPoint, seriesText } from '../../trace/series.ts'

const series = async (
  scenario: Parameters<typeof runScenario>[0],
  options: Partial<Parameters<typeof runScenario>[1]> = {},
) => {
  const points: SeriesPoint[] = []
  const outcome = await runScenario(scenario, {
    seed: '1',
    ...options,
    series: (point) => points.push(point),
  })
  return { points, outcome }
}

/** Frames of 1000 bytes take 8 ms at 1 Mbit/s. */
const queueing = (queue: string) =>
  defineScenario({
    name: 'queueing',
    topology: { a: 'host', b: 'host' },
    links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, rate: '1Mbit', queue }],
    programs: {
      b: (host) => void host.udp(9),
      a: async (host) => {
        const socket = host.udp()
        const datagram = new Uint8Array(1000 - 14 - 20 - 8)
        socket.sendTo('x', '10.0.0.2', 9)
        await host.sleep('1s')
        for (let i = 0; i < 4; i++) socket.sendTo(datagram, '10.0.0.2', 9)
      },
    },
  })

test('a queue: what waits when a frame comes, and when a transmission begins', async () => {
  const { points } = await series(queueing('2 frames'))
  const from = 1e9
  // The first goes out at once, two wait, the fourth finds no room.
  expect(points.filter(({ at }) => at >= from)).toEqual([
    { at: from, of: 'link a>b', values: { queueFrames: 1, queueBytes: 1000 } },
    { at: from, of: 'link a>b', values: { queueFrames: 2, queueBytes: 2000 } },
    { at: from + 8e6, of: 'link a>b', values: { queueFrames: 1, queueBytes: 1000 } },
    { at: from + 16e6, of: 'link a>b', values: { queueFrames: 0, queueBytes: 0 } },
  ])
})

test('a connection: from its handshake on, as TCP itself has it', async () => {
  let info: unknown = null
  const { points } = await series(
    defineScenario({
      name: 'connection',
      topology: { a: 'host', b: 'host' },
      links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' }],
      programs: {
        b: (host) => void host.sink(80),
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send(new Uint8Array(1000))
          await host.sleep('1s')
          info = socket.info()
        },
      },
    }),
  )
  const own = points.filter(({ of }) => /^tcp a:\d+ > b:80$/.test(of))
  // ARP and the handshake take 40 ms, which TCP sees as one round trip; the next takes 20 ms.
  expect(own.map(({ at, values }) => [at, values.flight, values.srtt])).toEqual([
    [40e6, 0, 40e6],
    [40e6, 1000, undefined],
    // RFC 6298 (2.3): seven eighths of 40 ms and one of 20 ms.
    [60e6, 0, 37.5e6],
  ])
  const last = new Map(own.flatMap(({ values }) => Object.entries(values)))
  expect(info).toMatchObject({
    tcpi_rtt: Math.round(last.get('srtt')! / 1000),
    tcpi_rto: last.get('rto')! / 1000,
    tcpi_snd_cwnd: Math.floor(last.get('cwnd')! / 1448),
  })
  expect(last.get('cwnd')).toBe(14_480)
})

test('series are the same on every ground, in order, and change nothing', async () => {
  const settings = { flows: '2', time: '400ms', queue: '20 frames', rate: '20Mbit' }
  const plain = await series(dumbbell, { settings })
  const lines = plain.points.map((point) => seriesText('ndjson', point))
  expect(plain.points.length).toBeGreaterThan(500)
  const times = plain.points.map(({ at }) => at)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  for (const ground of [{ recorded: true }, { wireExact: true }]) {
    const { points } = await series(dumbbell, { settings, ...ground })
    expect(points.map((point) => seriesText('ndjson', point))).toEqual(lines)
  }
  const { digest } = await runScenario(dumbbell, { seed: '1', settings })
  expect(plain.outcome.digest).toBe(digest)
  // The bottleneck never holds more than its queue, and holds that.
  const frames = plain.points.flatMap(({ of, values }) =>
    of === 'link r1>r2' && values.queueFrames !== undefined ? [values.queueFrames] : [],
  )
  expect([Math.min(...frames), Math.max(...frames)]).toEqual([0, 20])
})
