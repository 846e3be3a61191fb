import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import {
  createPingClient,
  pingClient,
  type PingConfig,
  type PingReport,
} from '../../../protocols/tcp-ping/client.ts'
import { createPingServer, pingServer } from '../../../protocols/tcp-ping/server.ts'
import type { Host } from '../../../sim/programs.ts'
import { runScenario } from '../../../sim/run.ts'
import { defineScenario, type Program } from '../../../sim/scenario.ts'
import { verifyScenario } from '../../../sim/verify.ts'
import { run, twoHosts } from '../../sim/two-hosts.ts'

const CONFIG: PingConfig = {
  server: { address: ip('10.0.0.2'), port: 11_000 },
  count: 3,
  timeout: 1e9,
  interval: 0,
  persistent: false,
  startSeconds: 1_726_146_326,
  startMicros: 979_706,
  icmpWait: 0,
}

function pinging(config: Partial<PingConfig>, said: string[]) {
  return (host: Host): void => {
    host.run(pingClient, createPingClient({ ...CONFIG, ...config }), (report, now) => {
      said.push(`${now / 1e6} ${shortly(report)}`)
    })
  }
}
function shortly(report: PingReport): string {
  switch (report.kind) {
    case 'reply':
      return `${report.text} in ${report.rtt / 1e6}`
    case 'done':
      return `done ${report.statistics.received}/${report.statistics.sent}`
    case 'unreachable':
    case 'timeout': {
      const { icmp } = report
      return `${report.kind} ${report.packet}${icmp === null ? '' : ` ${icmp.type}/${icmp.code}`}`
    }
    default:
      return `${report.kind} ${report.packet}`
  }
}
const serving =
  (options: Partial<Parameters<typeof createPingServer>[0]> = {}) =>
  (host: Host) =>
    void host.run(pingServer, createPingServer({ seed: '1', ...options }))

test('a connection each: the handshake is in the round trip', async () => {
  const said: string[] = []
  const ports: number[] = []
  const b = (host: Host) =>
    void host.run(pingServer, createPingServer({ seed: '1' }), (report) => {
      if (report.kind === 'accepted') ports.push(report.remote.port)
    })
  await run(twoHosts({ a: pinging({}, said), b }))
  expect(said).toEqual([
    // ARP takes 20 ms, then the handshake, then the message.
    '60 PING 1 1726146327.019706 in 60',
    '100 PING 2 1726146327.059706 in 40',
    '140 PING 3 1726146327.099706 in 40',
    '140 done 3/3',
  ])
  expect(new Set(ports).size).toBe(3)
})

test('one connection for all', async () => {
  const said: string[] = []
  await run(twoHosts({ a: pinging({ persistent: true, interval: 5e6 }, said), b: serving() }))
  expect(said).toEqual([
    '60 PING 1 1726146327.019706 in 60',
    '85 PING 2 1726146327.044706 in 20',
    '110 PING 3 1726146327.069706 in 20',
    '110 done 3/3',
  ])
})

test('a lost message costs its ping a second, and no other; the seed waits one more for ICMP', async () => {
  const lossy = (icmpWait: number, persistent: boolean) => {
    const said: string[] = []
    const a = pinging({ count: 4, icmpWait, persistent }, said)
    return run(twoHosts({ a, b: serving({ loss: 0.5 }) })).then(() => said)
  }
  const sound = await lossy(0, false)
  const lost = sound.filter((line) => line.includes('timeout'))
  expect(lost.length).toBeGreaterThan(0)
  expect(sound.at(-1)).toMatch(
    new RegExp(
      `^${60 + 40 * (3 - lost.length) + 1000 * lost.length - (sound[0]!.includes('timeout') ? 20 : 0)} done ${4 - lost.length}/4`,
    ),
  )
  const seed = await lossy(1e9, false)
  const time = (lines: readonly string[]) => Number(lines.at(-1)!.split(' ')[0])
  expect(time(seed) - time(sound)).toBe(1000 * lost.length)
  // The same messages are lost on one connection.
  const kept = await lossy(0, true)
  expect(kept.map((line) => line.includes('timeout'))).toEqual(
    sound.map((line) => line.includes('timeout')),
  )
})

test.each([0, 1])('a loss of %f of all messages', async (loss) => {
  const said: string[] = []
  await run(twoHosts({ a: pinging({ count: 5 }, said), b: serving({ loss }) }))
  expect(said.at(-1)).toMatch(loss === 0 ? /done 5\/5$/ : /done 0\/5$/)
})

test('no ping at all, and one', async () => {
  for (const count of [0, 1]) {
    const said: string[] = []
    await run(twoHosts({ a: pinging({ count }, said), b: serving() }))
    expect(said.at(-1)).toMatch(new RegExp(` done ${count}/${count}$`))
  }
})

test('a closed port is refused within a round trip', async () => {
  const said: string[] = []
  await run(twoHosts({ a: pinging({ count: 2 }, said) }))
  expect(said).toEqual(['40 refused 1', '60 refused 2', '60 done 0/2'])
})

test('a server that dies in the middle: the rest time out, nothing hangs', async () => {
  const said: string[] = []
  const a = pinging({ interval: 1e9, persistent: true }, said)
  await run(twoHosts({ a, b: serving(), faults: [{ at: '500ms', crash: 'b' }], until: '30s' }))
  expect(said.slice(0, 3)).toEqual([
    '60 PING 1 1726146327.019706 in 60',
    '2060 timeout 2',
    '4060 timeout 3',
  ])
})

test('over ten thousand messages 20 % are lost, within three standard deviations', async () => {
  const said: string[] = []
  const scenario = twoHosts({
    link: { delay: '0ms' },
    a: pinging({ count: 10_000, persistent: true, timeout: 1e6 }, said),
    b: serving({ loss: 0.2 }),
  })
  await run(scenario)
  const [, received] = /done (\d+)\/10000/.exec(said.at(-1)!)!
  expect(Math.abs(Number(received) - 8000)).toBeLessThan(120)
})

test('a hundred clients at once each get their own answers', async () => {
  const lines: string[][] = []
  const a = Array.from({ length: 100 }, (_, i) => {
    const said: string[] = []
    lines.push(said)
    return pinging(
      { count: 5, startSeconds: 1000 * (i + 1), timeout: 9e9, persistent: i % 2 === 0 },
      said,
    )
  })
  // Not all of a hundred SYNs can wait for ARP: some are sent again after a second.
  await run(twoHosts({ a, b: serving() }))
  for (const [i, said] of lines.entries()) {
    expect(said).toHaveLength(6)
    for (const line of said.slice(0, 5)) {
      const [, seconds] = / PING \d (\d+)\./.exec(line)!
      expect(Math.floor(Number(seconds) / 1000)).toBe(i + 1)
    }
  }
})

/** A server that is the test's hand: says these pieces, at these times, to whatever comes. */
const saying = (pieces: readonly [at: string, text: string][]) => async (host: Host) => {
  const socket = await host.listen(11_000).accept()
  await socket.receive()
  for (const [at, text] of pieces) {
    await host.at(at)
    await socket.send(text)
  }
  await host.sleep('5s')
  socket.close()
}

test('a reply may come in two segments, or two in one, or too late', async () => {
  const split: string[] = []
  const b = saying([
    ['100ms', 'PING 1 1726146'],
    ['200ms', '327.019706'],
  ])
  await run(twoHosts({ a: pinging({ count: 1 }, split), b }))
  expect(split[0]).toBe('210 PING 1 1726146327.019706 in 210')

  const late: string[] = []
  const server = saying([['1500ms', 'PING 1 1726146327.019706\nPING 2 1726146327.979706\n']])
  await run(twoHosts({ a: pinging({ count: 2, persistent: true }, late), b: server }))
  expect(late).toEqual(['1000 timeout 1', '1510 PING 2 1726146327.979706 in 510', '1510 done 1/2'])
})

test('two messages in one segment are two; a client that only connects costs nothing', async () => {
  const got: string[] = []
  const scenario = twoHosts({
    a: async (host) => {
      const idle = await host.connect('10.0.0.2', 11_000)
      idle.abort()
      const socket = await host.connect('10.0.0.2', 11_000)
      await socket.send('ping 1 a\nping 2 b\n')
      await host.sleep('1s')
      got.push(new TextDecoder().decode((await socket.receive()) as Uint8Array))
      socket.shutdown()
      got.push((await socket.receive()) === null ? 'end' : 'more')
    },
    b: serving(),
  })
  await run(scenario)
  expect(got).toEqual(['PING 1 A\nPING 2 B\n', 'end'])
})

/** A client behind a router; `r` knows no way to 10.9.0.0/16. */
const routed = (said: string[], config: Partial<PingConfig>, more: Program = () => {}) =>
  defineScenario({
    name: 'routed',
    topology: { a: { kind: 'host', gateway: '10.0.0.254' }, r: 'router', b: 'host' },
    links: [
      { ends: { a: '10.0.0.1/24', r: '10.0.0.254/24' }, delay: '1ms' },
      { ends: { r: '10.0.2.254/24', b: '10.0.2.1/24' }, delay: '1ms' },
    ],
    programs: { a: [pinging(config, said), more] },
    until: '30s',
  })

describe('an ICMP error', () => {
  test('network and host unreachable are told apart', async () => {
    const net: string[] = []
    await runScenario(routed(net, { count: 1, server: { address: ip('10.9.0.1'), port: 1 } }), {
      seed: '1',
    })
    expect(net).toEqual(['4 unreachable 1 3/0', '4 done 0/1'])
    // The router asks three times by ARP before it says that nobody is there.
    const host: string[] = []
    const config = { count: 1, timeout: 10e9, server: { address: ip('10.0.2.77'), port: 1 } }
    await runScenario(routed(host, config), { seed: '1' })
    expect(host[0]).toMatch(/ unreachable 1 3\/1$/)
  })

  test('of another flow is none of ours', async () => {
    const said: string[] = []
    const scenario = routed(
      said,
      { count: 2, server: { address: ip('10.0.2.1'), port: 11_000 } },
      async (host) => {
        for (let i = 0; i < 5; i++) {
          await host.connect('10.9.0.1', 80).catch(() => {})
          await host.sleep('1ms')
        }
      },
    )
    await runScenario(scenario, { seed: '1' })
    // Nobody listens on b: refused, whatever ICMP said about the others.
    expect(said.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'refused 1',
      'refused 2',
      'done 0/2',
    ])
  })
})

test('in place, recorded and byte by byte alike', async () => {
  const said: string[] = []
  const link = { loss: '20%' }
  const scenario = twoHosts({
    link,
    a: [pinging({ timeout: 5e9 }, said), pinging({ persistent: true }, said)],
    b: serving({ loss: 0.2 }),
  })
  expect((await verifyScenario(scenario, { seed: '4' })).difference).toBeNull()
})
