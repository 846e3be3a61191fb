import { describe, expect, test } from 'vitest'
import { ms } from '../../protocols/time.ts'
import { scheduleChanges } from '../../sim/link-schedule.ts'
import { defineScenario } from '../../sim/scenario.ts'
import { runScenario } from '../../sim/run.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { verifyScenario } from '../../sim/verify.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { Bench, rawFrame } from './link-fixture.ts'

describe('a timetable', () => {
  test('what is written for the start holds at once, the rest in its time', () => {
    const bench = new Bench({
      schedule: [
        { at: 0, set: { delay: ms(1) }, keys: ['delay'] },
        { at: ms(5), set: { delay: ms(2) }, keys: ['delay'] },
        { at: ms(9), set: { loss: 1 }, keys: ['loss'] },
      ],
    })
    const due: [number, () => void][] = []
    const said: string[] = []
    scheduleChanges(bench.link, {
      at: (time, wake) => due.push([time, wake]),
      fault: (what) => said.push(what),
    })
    expect(bench.send(0, rawFrame(100))).toBe(ms(1))
    expect(due.map(([time]) => time)).toEqual([ms(5), ms(9)])
    due[0]![1]()
    expect(bench.send(ms(5), rawFrame(100))).toBe(ms(7))
    due[1]![1]()
    expect(bench.send(ms(9), rawFrame(100))).toBe('loss')
    expect(said).toEqual(['link a>b set delay', 'link a>b set loss'])
  })
})

/** One datagram each 100 ms, at 50 ms, 150 ms, … */
const scenario = defineScenario({
  name: 'schedule',
  topology: { a: 'host', b: 'host' },
  links: [
    {
      ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' },
      delay: '1ms',
      to: {
        b: {
          schedule: [
            { at: '200ms', delay: '20ms', jitter: '1ms 50%', distribution: 'normal' },
            { at: '400ms', loss: '100%' },
            { at: '600ms', loss: '0%', delay: '3ms', jitter: 0 },
            { at: '800ms', trace: [7], slot: '30ms' },
          ],
        },
      },
    },
  ],
  programs: {
    a: async (host) => {
      const socket = host.udp()
      await host.sleep('50ms')
      for (let i = 0; i < 10; i++) {
        socket.sendTo('x', '10.0.0.2', 9)
        await host.sleep('100ms')
      }
    },
    b: (host) => {
      host.udp(9)
    },
  },
})

describe('in a run', () => {
  const datagrams = async () => {
    const records: TraceRecord[] = []
    const observers = [(record: TraceRecord) => records.push(record)]
    await runScenario(scenario, { seed: '1', observers })
    const sent = records.filter((r) => r.kind === 'sent' && r.frame.size === 43)
    const got = records.filter((r) => r.kind === 'received' && r.frame.size === 43)
    return { records, sent, got }
  }

  test('frames meet the link as it is when they are sent', async () => {
    const { sent, got, records } = await datagrams()
    const fates = sent.map((r) => (r.kind === 'sent' ? r.dropped : null))
    expect(fates.flatMap((why, i) => (why === null ? [] : [i]))).toEqual([4, 5])
    expect(fates).toHaveLength(10)
    const delays = got.map(({ at }) => (at - 50e6) % 100e6)
    // The first waits for ARP: there and back.
    expect(delays.slice(0, 2)).toEqual([3e6, 1e6])
    expect(delays.slice(2, 4).every((t) => Math.abs(t - 20e6) < 4e6)).toBe(true)
    expect(delays.slice(4, 6)).toEqual([3e6, 3e6])
    // At 854 and 952 ms are the opportunities; 3 ms on the way and 30 for a slot.
    expect(delays.slice(6)).toEqual([(854 + 33 - 850) * 1e6, (952 + 33 - 950) * 1e6])
    const changes = records.flatMap((r) => (r.kind === 'fault' ? [`${r.at / 1e6} ${r.what}`] : []))
    expect(changes).toHaveLength(4)
    expect(changes[1]).toBe('400 link a>b set loss')
  })

  test('alike in every way of running', async () => {
    const { difference } = await verifyScenario(scenario, { seed: '1', files: new MemoryFiles() })
    expect(difference).toBeNull()
  })
})
