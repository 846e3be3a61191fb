import { expect, test } from 'vitest'
import { aceOf } from '../../protocols/tcp/accurate-ecn.ts'
import { ECT_0 } from '../../protocols/tcp/codepoints.ts'
import type { TcpSegment } from '../../protocols/tcp/segment.ts'
import type { TcpState } from '../../protocols/tcp/state.ts'
import { PreparedRun } from '../../sim/prepared-run.ts'
import { defineScenario } from '../../sim/scenario.ts'
import { verifyScenario } from '../../sim/verify.ts'
import type { TraceRecord } from '../../trace/record.ts'

// Marks of a whole network, counted where they are written and where their sender hears of them (RFC 9768).

const HOST = { kind: 'host', tcp: { accurateEcn: 'request', accurateEcnOption: true } } as const

const scenario = defineScenario({
  name: 'marks',
  about: 'A bulk flow whose packets a queue marks instead of dropping them.',
  topology: { a: HOST, b: HOST },
  links: [
    {
      ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' },
      rate: '10Mbit',
      delay: '10ms',
      queue: 'codel ecn',
    },
  ],
  programs: {
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 7000)
      for (let i = 0; i < 40; i++) await socket.send(new Uint8Array(50_000))
    },
    b: async (host) => {
      const listener = host.listen(7000)
      const socket = await listener.accept()
      while ((await socket.receive()) !== null) {
        // It reads.
      }
    },
  },
  until: '3s',
})

/** Both hosts when all that was sent has been acknowledged, and everything that happened. */
async function play(): Promise<{ sender: TcpState; receiver: TcpState; records: TraceRecord[] }> {
  const records: TraceRecord[] = []
  const run = new PreparedRun(scenario, {
    seed: '1',
    observers: [(record) => records.push(record)],
  })
  const { world, programs } = run
  await programs.settle()
  while (world.nextDue() <= run.until) {
    world.step()
    if (programs.mayGoOn) await programs.settle()
  }
  expect(run.outcome().failure).toBeNull()
  const connectionOf = (name: string): TcpState =>
    world.node(name).state.sockets.find((s) => s?.kind === 'connection') as TcpState
  return { sender: connectionOf('a'), receiver: connectionOf('b'), records }
}

test('the sender has heard of every mark, and every packet without text is unmarked', async () => {
  const { sender, receiver, records } = await play()
  const marks = records.filter(({ kind }) => kind === 'marked').length
  expect(marks).toBeGreaterThan(3)
  const heard = sender.ecn!.accurate!
  const counted = receiver.ecn!.accurate!
  expect([heard.toldCep - 5, counted.cep - 5]).toEqual([marks, marks])
  expect(heard.toldCeb).toBe(counted.ceb)
  expect(counted.ceb + counted.e0b - 1).toBe(2_000_000)
  // No segment was lost: marks alone have kept the queue short.
  expect(sender.counts.bytesAgain).toBe(0)
  for (const record of records) {
    if (record.kind !== 'sent' || record.node !== 'a' || record.frame.payload.kind !== 'ipv4')
      continue
    const { payload, details } = record.frame.payload
    const segment = payload as TcpSegment
    const isText = segment.payload.length > 0
    expect(details.trafficClass & 3).toBe(isText ? ECT_0 : 0)
  }
})

test('the last ACK shows the count', async () => {
  const { receiver, records } = await play()
  const acks = records.flatMap((record) =>
    record.kind === 'sent' && record.node === 'b' && record.frame.payload.kind === 'ipv4'
      ? [record.frame.payload.payload as TcpSegment]
      : [],
  )
  expect(aceOf(acks.at(-1)!.flags)).toBe(receiver.ecn!.accurate!.cep & 7)
})

test('in place, recorded and wire-exact alike', async () => {
  expect(await verifyScenario(scenario, { seed: '1' })).toMatchObject({ difference: null })
})
