import { expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import {
  createEchoClient,
  echoClient,
  type EchoConfig,
  type EchoReport,
} from '../../../protocols/services/echo-client.ts'
import type { Host } from '../../../sim/programs.ts'
import { verifyScenario } from '../../../sim/verify.ts'
import { run, twoHosts } from '../../sim/two-hosts.ts'

const CONFIG: EchoConfig = {
  protocol: 'tcp',
  remote: ip('10.0.0.2'),
  port: 7,
  count: 3,
  size: 100,
  interval: 1e9,
  timeout: 1e9,
  ttl: 64,
}

const asking = (config: Partial<EchoConfig>, said: string[]) => (host: Host) => {
  host.run(echoClient, createEchoClient({ ...CONFIG, ...config }), (report) =>
    said.push(shortly(report)),
  )
}
function shortly(report: EchoReport): string {
  switch (report.kind) {
    case 'echo':
      return `${report.number} in ${report.rtt / 1e6}`
    case 'icmp':
      return `icmp ${report.number} ${report.type}/${report.code}`
    case 'failed':
      return `failed ${report.error}`
    case 'done':
      return `done ${report.statistics.received}/${report.statistics.sent}`
    default:
      return `${report.kind} ${report.number}`
  }
}
const echoing = (host: Host): void => host.serve('echo')

test.each(['tcp', 'udp', 'icmp'] as const)('over %s, one a second', async (protocol) => {
  const said: string[] = []
  await run(twoHosts({ a: asking({ protocol }, said), b: echoing }))
  // ARP is in the first round trip where no handshake went before.
  expect(said).toEqual([`1 in ${protocol === 'tcp' ? 20 : 40}`, '2 in 20', '3 in 20', 'done 3/3'])
})

test.each([
  ['udp', 4000],
  ['tcp', 50_000],
  ['icmp', 10_000],
] as const)('over %s, %i bytes: fragments or segments', async (protocol, size) => {
  const said: string[] = []
  await run(twoHosts({ a: asking({ protocol, size }, said), b: echoing }))
  expect(said.at(-1)).toBe('done 3/3')
})

test('lost ones are missing over UDP and ICMP, late over TCP', async () => {
  for (const protocol of ['udp', 'icmp', 'tcp'] as const) {
    const said: string[] = []
    const timeout = protocol === 'tcp' ? 60e9 : 1e9
    const a = asking({ protocol, count: 20, timeout }, said)
    await run(twoHosts({ a, b: echoing, link: { loss: '20%' } }))
    const missing = said.filter((line) => line.startsWith('missing')).length
    expect(said.at(-1)).toBe(`done ${20 - missing}/20`)
    expect(missing > 0).toBe(protocol !== 'tcp')
  }
})

test('nobody there: a port that is closed says so, each in its way', async () => {
  const outcomes: string[][] = []
  for (const protocol of ['udp', 'tcp'] as const) {
    const said: string[] = []
    await run(twoHosts({ a: asking({ protocol, count: 1 }, said) }))
    outcomes.push(said)
  }
  expect(outcomes).toEqual([
    ['icmp 1 3/3', 'done 0/1'],
    ['failed ECONNREFUSED', 'done 0/0'],
  ])
})

test('in place, recorded and byte by byte alike', async () => {
  const a = (['tcp', 'udp', 'icmp'] as const).map((protocol) =>
    asking({ protocol, size: 3000 }, []),
  )
  const scenario = twoHosts({ a, b: echoing, link: { loss: '10%' } })
  expect((await verifyScenario(scenario, { seed: '1' })).difference).toBeNull()
})
