import { expect, test } from 'vitest'
import { ms, s } from '../../protocols/time.ts'
import {
  type DirectionSummary,
  type FlowSummary,
  formatSummary,
  type LinkSummary,
} from '../../trace/summary.ts'

const silent: DirectionSummary = {
  deliveredBytes: 0,
  goodput: 0,
  segments: 700,
  dataSegments: 0,
  payloadBytes: 0,
  retransmissions: { rto: 0, fast: 0, rack: 0, tlp: 0, probe: 0, mtu: 0, spurious: 0 },
  rtt: null,
  drops: {},
}

const busy: DirectionSummary = {
  deliveredBytes: 1_048_576,
  goodput: 8_123_456,
  segments: 1012,
  dataSegments: 740,
  payloadBytes: 1_060_000,
  retransmissions: { rto: 2, fast: 9, rack: 0, tlp: 0, probe: 0, mtu: 0, spurious: 3 },
  rtt: { samples: 700, minNanos: ms(20), avgNanos: ms(21.26), maxNanos: ms(135.1) },
  drops: { 'loss on a>b': 9, 'tcp bad-checksum at b': 2 },
}

const flow = (change: Partial<FlowSummary> = {}): FlowSummary => ({
  protocol: 'tcp',
  from: { node: 'a', address: '10.0.0.1', port: 49152 },
  to: { node: 'b', address: '10.0.0.2', port: 5001 },
  firstNanos: 0,
  lastNanos: s(1),
  forward: busy,
  backward: silent,
  ...change,
})

const link = (change: Partial<LinkSummary> = {}): LinkSummary => ({
  name: 'a>b',
  offeredFrames: 1014,
  offeredBytes: 1_130_000,
  deliveredFrames: 1006,
  deliveredBytes: 1_120_000,
  dropped: { loss: 9, 'queue-full': 1000 },
  duplicates: 1,
  corrupted: 2,
  reordered: 0,
  marked: 0,
  queueFramesMax: 100,
  queueBytesMax: 151_400,
  queueing: null,
  rate: 10_000_000,
  utilisation: 0.9031,
  ...change,
})

test('a table worth reading', () => {
  const flows = [
    flow(),
    flow({
      protocol: 'udp',
      to: { node: null, address: '2001:db8::2', port: 53 },
      forward: {
        ...silent,
        segments: 1,
        rtt: { samples: 3, minNanos: 900, avgNanos: 2_000, maxNanos: 999_999 },
      },
      backward: { ...silent, deliveredBytes: 12, goodput: 960, dataSegments: 1, segments: 1 },
    }),
  ]
  const links = [
    link(),
    link({ name: 'b>a', dropped: {}, corrupted: 0, duplicates: 0, utilisation: null }),
  ]
  expect(`\n${formatSummary(flows, links)}\n`).toBe(`
flow                                bytes      goodput  segments  resent     rtt min/avg/max
tcp a:49152 > b:5001            1,048,576  8.12 Mbit/s     1,012      11  20.0/21.3/135.1 ms
    resent, 3 needlessly: 2 rto, 9 fast
    dropped: 9 loss on a>b, 2 tcp bad-checksum at b
udp a:49152 > [2001:db8::2]:53          0            -         1       0   0.9/2.0/1000.0 us
udp [2001:db8::2]:53 > a:49152         12    960 bit/s         1       0                   -

link  offered  delivered  dropped      bytes   used  queue max: frames    bytes
a>b     1,014      1,006    1,009  1,120,000  90.3%                100  151,400
    dropped: 9 loss, 1,000 queue-full
    also: 1 duplicated, 2 corrupted
b>a     1,014      1,006        0  1,120,000      -                100  151,400
`)
})

test('long lists are wrapped and cut, and nothing is wider than 100 columns', () => {
  const drops = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`queue-full on router${i}>router${i + 1}`, i + 1]),
  )
  const flows = Array.from({ length: 30 }, () => flow({ forward: { ...busy, drops } }))
  const links = Array.from({ length: 25 }, (_, i) => link({ name: `router${i}>router${i + 1}` }))
  const lines = formatSummary(flows, links).split('\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
  expect(lines).toContain('… and 10 more flows with 10,485,760 bytes')
  expect(lines.at(-1)).toBe('… and 5 more link directions')
})

test('of many links those stay that dropped most, in their order', () => {
  const links = Array.from({ length: 22 }, (_, i) =>
    link({ name: `l${i}`, dropped: i < 3 ? {} : { loss: 1 }, deliveredBytes: 100 - i }),
  )
  const names = formatSummary([], links)
    .split('\n')
    .filter((line) => line.startsWith('l') && !line.startsWith('link'))
    .map((line) => line.split(' ')[0])
  expect(names).toEqual(['l0', ...Array.from({ length: 19 }, (_, i) => `l${i + 3}`)])
})

test('a run without frames has nothing to say', () => {
  expect(formatSummary([], [])).toBe('')
})
