import { expect, test } from 'vitest'
import switchedLan from '../../scenarios/switched-lan.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'
import type { TraceRecord } from '../../trace/record.ts'

async function run(settings: { [name: string]: string } = {}) {
  const records: TraceRecord[] = []
  const outcome = await runScenario(switchedLan, {
    seed: '1',
    settings,
    files: new MemoryFiles(),
    observers: [(record) => records.push(record)],
  })
  const heard = (link: string) =>
    outcome.links.find(({ name }) => name === link)?.deliveredFrames ?? 0
  const learned = (node: string) =>
    records.flatMap((r) =>
      r.kind === 'event' && r.node === node && r.said.kind === 'learned'
        ? [`${r.at / 1e6} ms ${r.said.mac.slice(-2)} at ${r.said.port}`]
        : [],
    )
  const forgotten = (node: string) =>
    records.flatMap((r) =>
      r.kind === 'event' && r.node === node && r.said.kind === 'forgotten'
        ? [`${r.at / 1e6} ms ${r.said.mac.slice(-2)} ${r.said.why}`]
        : [],
    )
  return { outcome, heard, learned, forgotten }
}

test('bystanders hear what is flooded, and nothing else', async () => {
  const { outcome, heard } = await run()
  expect(outcome.verdict).toBe('passed')
  // The ARP request; c's last answer reaches s1 at 4.005 s, so the datagrams of 15 to 24 s find no
  // entry there (that of 14 s arrives at 14.001 s, before 14.005 s).
  expect(heard('s1>b')).toBe(1 + 10)
  expect(heard('s2>d')).toBe(1 + 10)
  // The ARP request and reply, five pings, twenty datagrams: all of a's and c's frames cross.
  expect(heard('s1>s2')).toBe(1 + 5 + 20)
  expect(heard('s2>s1')).toBe(1 + 5)
  expect(outcome.notes['datagrams received']).toBe(20)
})

test('a switch learns each address from the first frame, and forgets it after the ageing time', async () => {
  const { learned, forgotten } = await run()
  // MAC addresses count through nodes and ports: a 01, b 02, s1 03 to 05, s2 06 to 08, c 09, d 0a.
  // Ports in the order of the links. The request takes 1 ms a link and c answers at 3 ms.
  expect(learned('s1')).toEqual(['1 ms 01 at 0', '5 ms 09 at 2'])
  expect(learned('s2')).toEqual(['2 ms 01 at 0', '4 ms 09 at 1'])
  // Noticed with the first datagram that comes too late.
  expect(forgotten('s1')).toEqual(['15001 ms 09 aged'])
  expect(forgotten('s2')).toEqual(['15002 ms 09 aged'])
})

test('the first ping waits for ARP: twice the time', async () => {
  const { outcome } = await run()
  expect(outcome.notes).toMatchObject({ 'ping 1': '12 ms', 'ping 2': '6 ms', 'ping 5': '6 ms' })
})

test.each([
  [{ ageing: '300s' }, 0],
  // Forgotten between any two of a's frames.
  [{ ageing: '500ms' }, 4 + 20],
  [{ ageing: '10s', delay: '50ms', datagrams: '15' }, 5],
])('%o: b hears one request and %i floods', async (settings, floods) => {
  const { outcome, heard } = await run(settings)
  expect(outcome.verdict).toBe('passed')
  expect(heard('s1>b')).toBe(1 + floods)
})

test('in place, recorded and wire-exact are the same', async () => {
  const result = await verifyScenario(switchedLan, { seed: '1', files: new MemoryFiles() })
  expect(result.difference).toBeNull()
})
