import { expect, test } from 'vitest'
import { ms, type Nanos, s } from '../../protocols/time.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario, type Fault, type Program } from '../../sim/scenario.ts'
import type { TraceRecord } from '../../trace/record.ts'

/** Two hosts, one link of 10 ms; what the faults did, in milliseconds, and the outcome. */
async function play(
  faults: readonly Fault[],
  programs: { [node: string]: Program },
  until = '60s',
) {
  const scenario = defineScenario({
    name: 'faults',
    topology: { a: 'host', b: 'host', c: 'host' },
    links: [
      { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' },
      { ends: { b: '10.0.1.2/24', c: '10.0.1.3/24' }, delay: '10ms' },
    ],
    faults,
    programs,
    until,
  })
  const records: TraceRecord[] = []
  const options = { seed: '1', files: new MemoryFiles() }
  const outcome = await runScenario(scenario, {
    ...options,
    observers: [(record) => records.push(record)],
  })
  const again = await runScenario(scenario, { ...options, recorded: true })
  expect(again.digest).toBe(outcome.digest)
  const done = records.flatMap((r) => (r.kind === 'fault' ? [`${r.at / 1e6} ${r.what}`] : []))
  return { outcome, records, done }
}

/** One ping every 100 ms; which of them were answered. */
const pings =
  (remote: string, count: number): Program =>
  async (host) => {
    let answered = ''
    for (let i = 0; i < count; i++) {
      const sent = host.now
      const reply = await host.ping(remote, { sequence: i, timeout: '90ms' })
      answered += reply?.kind === 'reply' ? '!' : '.'
      host.note('pings', answered)
      await host.sleep(sent + ms(100) - host.now)
    }
  }

test('a link goes down for a span: requests sent meanwhile are lost, the others are answered', async () => {
  const { outcome, done } = await play([{ at: '250ms', link: 'a-b', down: true, for: '300ms' }], {
    a: pings('10.0.0.2', 10),
  })
  expect(done).toEqual(['250 link a-b down', '550 end of link a-b down'])
  // Sent at 0, 100, 200 | 300, 400, 500 | 600 …; the first one waits for ARP.
  expect(outcome.notes['pings']).toBe('!!!...!!!!')
})

test('one direction down: requests arrive, answers do not', async () => {
  const { records } = await play([{ at: '50ms', link: 'b>a', down: true }], {
    a: pings('10.0.0.2', 3),
  })
  const dropped = records.filter((r) => r.kind === 'sent' && r.dropped === 'down')
  expect(dropped.map((r) => r.kind === 'sent' && `${r.at / 1e6} ${r.link}`)).toEqual([
    '110 b>a',
    '210 b>a',
  ])
})

test('two faults on one link: it is up again only when both have ended', async () => {
  const faults: Fault[] = [
    { at: '150ms', link: 'a-b', down: true, for: '300ms' },
    { at: '250ms', partition: [['a'], ['b', 'c']], for: '500ms' },
  ]
  const { outcome } = await play(faults, { a: pings('10.0.0.2', 10) })
  // Down from 150 to 750: the requests of 200 to 700 are lost.
  expect(outcome.notes['pings']).toBe('!!......!!')
})

test('a partition cuts between its groups and nowhere else; heal ends it', async () => {
  const faults: Fault[] = [
    { at: '150ms', partition: [['a'], ['b', 'c']] },
    { at: '350ms', heal: true },
  ]
  const { outcome, done } = await play(faults, {
    a: pings('10.0.0.2', 5),
    c: async (host) => {
      let count = 0
      for (let i = 0; i < 4; i++) {
        if ((await host.ping('10.0.1.2', { sequence: i, timeout: '90ms' })) !== null) count += 1
        await host.sleep('60ms')
      }
      host.note('inside', count)
    },
  })
  expect(done).toEqual(['150 partition a | b+c', '350 all links up'])
  expect(outcome.notes).toEqual({ pings: '!!..!', inside: 4 })
})

test('held frames arrive together, in order, at the release', async () => {
  const arrivals: Nanos[] = []
  await play([{ at: '100ms', link: 'a>b', hold: true, for: '400ms' }], {
    a: async (host) => {
      const socket = host.udp()
      socket.sendTo('x', '10.0.0.2', 7) // ARP comes first
      await host.sleep('150ms')
      for (let i = 0; i < 3; i++) {
        socket.sendTo(String(i), '10.0.0.2', 7)
        await host.sleep('50ms')
      }
    },
    b: async (host) => {
      arrivals.length = 0
      const socket = host.udp(7)
      for (;;) {
        const { payload } = await socket.receive()
        arrivals.push(host.now / 1e6, payload[0]!)
      }
    },
  })
  const [x, zero, one, two] = ['x', '0', '1', '2'].map((c) => c.charCodeAt(0))
  expect(arrivals).toEqual([30, x, 500, zero, 500, one, 500, two])
})

test('set changes a value and `for` brings the old one back', async () => {
  const { records } = await play(
    [{ at: '200ms', link: 'a>b', set: { delay: '30ms' }, for: '200ms' }],
    { a: pings('10.0.0.2', 5) },
  )
  const delays = records.flatMap((r) =>
    r.kind === 'sent' && r.link === 'a>b' && r.frame.etherType === 0x800
      ? [(r.arrives - r.at) / 1e6]
      : [],
  )
  // At 200 ms the fault was scheduled before the program's timer: it comes first.
  expect(delays).toEqual([10, 10, 30, 30, 10])
})

test('a crash loses connections, a restart runs the programs again with their storage', async () => {
  const { outcome, done, records } = await play([{ at: '1s', crash: 'b', for: '2s' }], {
    b: async (host) => {
      const before = host.storage.get('served')?.[0] ?? 0
      host.note(`boot ${host.boots}`, `${host.now / 1e6} ms, served ${before}`)
      const listener = host.listen(80)
      for (;;) {
        const socket = await listener.accept()
        const served = (host.storage.get('served')?.[0] ?? 0) + 1
        host.storage.set('served', Uint8Array.of(served))
        await socket.send(`hello ${served}`)
        await socket.receive()
      }
    },
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      host.note('first', String.fromCharCode(...((await socket.receive()) ?? [])))
      await host.sleep('3.5s')
      // The other side has forgotten the connection: it answers with a reset.
      await socket.send('still there?')
      await socket.receive().catch((e: Error) => host.note('old connection', e.message))
      const second = await host.connect('10.0.0.2', 80)
      host.note('second', String.fromCharCode(...((await second.receive()) ?? [])))
    },
  })
  expect(done).toEqual(['1000 host b crashed', '3000 end of host b crashed'])
  expect(outcome.failure).toBe(null)
  expect(outcome.notes).toMatchObject({
    'boot 1': '0 ms, served 0',
    'boot 2': '3000 ms, served 1',
    first: 'hello 1',
    'old connection': 'ECONNRESET: connection to 10.0.0.2:80',
    second: 'hello 2',
  })
  expect(records.some((r) => r.kind === 'event' && r.said.kind === 'failed')).toBe(true)
})

test('what comes to a crashed host is lost there, and nothing in it happens any more', async () => {
  const { records } = await play([{ at: '150ms', crash: 'b' }], {
    a: pings('10.0.0.2', 3),
    b: async (host) => {
      for (;;) {
        await host.sleep('40ms')
        host.note('alive at', host.now / 1e6)
      }
    },
  })
  const ofB = records.filter((r) => r.node === 'b' && r.at > ms(150))
  expect(ofB.map((r) => [r.at / 1e6, r.kind === 'event' && 'why' in r.said && r.said.why])).toEqual(
    [
      [210, false], // the frame arrives …
      [210, 'host down'], // … at nobody
    ],
  )
})

test('a paused host answers everything late, at once', async () => {
  const { records } = await play([{ at: '150ms', pause: 'b', for: '1s' }], {
    a: pings('10.0.0.2', 4),
  })
  const replies = records.flatMap((r) =>
    r.kind === 'sent' && r.node === 'b' && r.frame.etherType === 0x800 ? [r.at / 1e6] : [],
  )
  expect(replies).toEqual([30, 110, 1150, 1150])
})

test('every: again and again; when: after something happened; both said in the trace', async () => {
  const { done } = await play(
    [
      { every: '400ms', until: '1s', link: 'b>c', set: { loss: '10%' }, for: '100ms' },
      { when: 'second frame on b>a', after: '5ms', link: 'a>b', set: { delay: '1ms' } },
    ],
    { a: pings('10.0.0.2', 3) },
  )
  expect(done).toEqual([
    '35 link a>b set delay', // b's ARP reply at 10 ms is the first, its echo reply at 30 the second
    '400 link b>c set loss',
    '500 end of link b>c set loss',
    '800 link b>c set loss',
    '900 end of link b>c set loss',
  ])
})

test('random faults: within their span, the same for a seed, all mended', async () => {
  const random: Fault = {
    random: {
      every: '300ms',
      for: ['50ms', '200ms'],
      of: [{ link: 'a-b', down: true }, { pause: 'b' }],
      until: '5s',
    },
  }
  const { done } = await play([random], { a: pings('10.0.0.2', 3) })
  const starts = done.filter((line) => !line.includes('end of'))
  expect(starts.length).toBeGreaterThan(5)
  expect(done.length).toBe(2 * starts.length)
  expect(new Set(starts.map((line) => line.split(' ').slice(1).join(' ')))).toEqual(
    new Set(['link a-b down', 'host b paused']),
  )
  for (const line of done) expect(Number(line.split(' ')[0])).toBeLessThanOrEqual(s(5) / 1e6)
  expect((await play([random], { a: pings('10.0.0.2', 3) })).done).toEqual(done)
})

test.each<[string, Fault, RegExp]>([
  ['no time', { link: 'a-b', down: true }, /it has no time; say one of 'at'/],
  ['two times', { at: '1s', every: '1s', heal: true }, /both 'at' and 'every'/],
  ['nothing done', { at: '1s' }, /it does nothing; say what/],
  ['an unknown link', { at: '1s', link: 'a-d', down: true }, /there is no link 'a-d'/],
  ['an unknown host', { at: '1s', crash: 'bb' }, /there is no node 'bb'.*did you mean 'b'/],
  ['no unit', { at: 10, link: 'a-b', set: { loss: '140%' } }, /'140%' is more than all/],
  ['an unknown thing', { when: 'first retransmitt on a', heal: true }, /did you mean 'retransmit'/],
  ['an unknown place', { when: 'first drop on z', heal: true }, /no node or link 'z'/],
])('bad input is one clear line: %s', async (_, fault, line) => {
  const failed = await play([fault], {}).catch((error: Error & { hint?: string }) => error)
  expect(failed).toBeInstanceOf(Error)
  const { message, hint } = failed as Error & { hint?: string }
  expect(`${message}; ${hint ?? ''}`).toMatch(line)
})
