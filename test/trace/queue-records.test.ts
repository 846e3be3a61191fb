import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { NEVER, ms, s } from '../../protocols/time.ts'
import { describeDifference } from '../../trace/difference.ts'
import { TraceDigest } from '../../trace/digest.ts'
import { PcapngWriter } from '../../trace/pcapng.ts'
import type { FrameDeparted, FrameDiscarded, FrameMarked, TraceRecord } from '../../trace/record.ts'
import { TraceStatistics } from '../../trace/statistics.ts'
import { TraceText } from '../../trace/text.ts'
import { carrying, datagram, received, sent } from './records.ts'

const frame = carrying(datagram(5))
const place = { at: ms(10), event: 7, node: 'a', port: 0, link: 'a>b', frame } as const

const departed = (change: Partial<FrameDeparted> = {}): FrameDeparted => ({
  kind: 'departed',
  ...place,
  sojourn: ms(3),
  dropped: null,
  arrives: ms(20),
  duplicates: 0,
  corruptedBit: -1,
  reordered: false,
  ...change,
})
const discarded = (change: Partial<FrameDiscarded> = {}): FrameDiscarded => ({
  kind: 'discarded',
  ...place,
  why: 'codel',
  sojourn: ms(23.5),
  ...change,
})
const marked = (change: Partial<FrameMarked> = {}): FrameMarked => ({
  kind: 'marked',
  ...place,
  by: 'red',
  sojourn: 0,
  ...change,
})
/** Waits for a queue's decision. */
const waits = (at: number) => sent(frame, { at, arrives: NEVER, waits: NEVER })

function digest(...records: readonly TraceRecord[]): string {
  const digest = new TraceDigest()
  for (const record of records) digest.observer(record)
  return digest.hex()
}

describe('the digest', () => {
  const others: readonly (readonly [TraceRecord, TraceRecord, string])[] = [
    [departed(), departed({ sojourn: ms(4) }), 'sojourn: 3000000, 4000000'],
    [departed(), departed({ dropped: 'loss' }), 'dropped: null, loss'],
    [departed(), departed({ arrives: ms(21) }), 'arrives: 20000000, 21000000'],
    [departed(), departed({ duplicates: 1 }), 'duplicates: 0, 1'],
    [departed(), departed({ corruptedBit: 4 }), 'corruptedBit: -1, 4'],
    [departed(), departed({ reordered: true }), 'reordered: false, true'],
    [departed(), departed({ port: 1 }), 'port: 0, 1'],
    [discarded(), discarded({ why: 'queue-full' }), 'why: codel, queue-full'],
    [discarded(), discarded({ sojourn: 1 }), 'sojourn: 23500000, 1'],
    [discarded(), discarded({ link: 'a>c' }), 'link: a>b, a>c'],
    [marked(), marked({ by: 'pie' }), 'by: red, pie'],
    [marked(), marked({ sojourn: 1 }), 'sojourn: 0, 1'],
    [marked(), discarded(), 'kind: marked, discarded'],
  ]
  test.each(others)('%# counts it', (a, b, field) => {
    expect(describeDifference(a, b)).toBe(field)
    expect(digest(a)).not.toBe(digest(b))
  })

  test('how long a frame will wait follows from the rest', () => {
    expect(digest(sent(frame, { waits: 5 }))).toBe(digest(sent(frame)))
  })
})

test('lines: what a queue did, with the time that the frame had waited', () => {
  const text = new TraceText({ hosts: 'all' })
  const ip = 'IP 10.0.0.1.50000 > 10.0.0.2.40000: UDP, length 5'
  const line = (record: TraceRecord) => text.line(record)
  expect(line(discarded())).toBe(`0.010000000 a>b  ${ip} DROP codel after 23.5ms`)
  expect(line(marked())).toBe(`0.010000000 a>b  ${ip} MARK red`)
  expect(line(departed())).toBeNull()
  expect(line(departed({ dropped: 'loss', corruptedBit: 3 }))).toBe(
    `0.010000000 a>b  ${ip} CORRUPT bit 3 DROP loss after 3ms`,
  )
})

describe('figures', () => {
  const statistics = new TraceStatistics({ rates: new Map([['a>b', 1_000_000]]) })
  const records: TraceRecord[] = [
    sent(frame, { at: 0 }),
    ...[1, 2, 3, 4].map((n) => waits(ms(n))),
    marked(),
    departed({ sojourn: ms(1) }),
    departed({ sojourn: ms(8), dropped: 'loss', arrives: NEVER }),
    departed({ sojourn: ms(2), duplicates: 1, reordered: true, corruptedBit: 9 }),
    discarded(),
    sent(frame, { at: ms(30), dropped: 'pie', arrives: NEVER }),
    received(frame),
  ]
  for (const record of records) statistics.observer(record)
  const [link] = statistics.links(s(1))

  test('a frame counts once, when it was decided about', () => {
    expect(link).toMatchObject({
      offeredFrames: 6,
      dropped: { codel: 1, loss: 1, pie: 1 },
      marked: 1,
      duplicates: 1,
      reordered: 1,
      corrupted: 1,
    })
    // Four were transmitted: what the queue dropped took no time.
    expect(link!.utilisation).toBe((4 * frame.size * 8) / 1_000_000)
  })

  test('queueing delay: of all that were transmitted', () => {
    const { samples, minNanos, avgNanos, maxNanos, p50Nanos, p99Nanos } = link!.queueing!
    expect([samples, minNanos, avgNanos, maxNanos]).toEqual([4, 0, ms(2.75), ms(8)])
    expect(p50Nanos / ms(1)).toBeCloseTo(1, 2)
    expect(p99Nanos).toBe(ms(8))
  })

  test('drops belong to their flow', () => {
    expect(statistics.flows()[0]!.forward.drops).toEqual({
      'codel on a>b': 1,
      'loss on a>b': 1,
      'pie on a>b': 1,
    })
  })
})

const hasTshark = spawnSync('tshark', ['-v']).status === 0

test.skipIf(!hasTshark)('captures: on an interface of the queue', () => {
  const pieces: Uint8Array[] = []
  const writer = new PcapngWriter((piece) => pieces.push(piece))
  const records = [waits(0), discarded(), marked({ sojourn: ms(1) }), departed()]
  for (const record of [...records, departed({ dropped: 'forced' })]) writer.observer(record)
  writer.end()
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-'))
  try {
    const file = join(folder, 'queue.pcapng')
    writeFileSync(file, Buffer.concat(pieces))
    const names = ['frame.interface_name', 'frame.interface_description', 'frame.comment']
    const fields = names.flatMap((name) => ['-e', name])
    const read = execFileSync('tshark', ['-n', '-r', file, '-T', 'fields', ...fields], {
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    })
    expect(read.trim().split('\n')).toEqual([
      'a:0\ta>b\tevent 7',
      'a:0 queue\ta>b\tevent 7, drop codel on a>b, after 23.5ms in the queue',
      'a:0 queue\ta>b\tevent 7, marked by red on a>b, after 1ms in the queue',
      'a:0 queue\ta>b\tevent 7, drop forced on a>b, after 3ms in the queue',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
