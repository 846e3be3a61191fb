import { expect, test } from 'vitest'
import { runScenario } from '../../sim/run.ts'
import { defineScenario } from '../../sim/scenario.ts'

test('each node: frames that it sent and received, and what it let go', async () => {
  const { hosts, fairness } = await runScenario(
    defineScenario({
      name: 'hosts',
      topology: { a: 'host', r: 'router', b: 'host' },
      links: [
        { ends: { a: '10.0.0.1/24', r: '10.0.0.254/24' } },
        { ends: { b: '10.0.1.1/24', r: '10.0.1.254/24' } },
      ],
      programs: {
        b: (host) => void host.udp(9),
        a: async (host) => {
          const socket = host.udp()
          for (let i = 0; i < 3; i++) socket.sendTo('x'.repeat(58), '10.0.1.1', 9)
          const other = host.udp()
          other.sendTo('x'.repeat(58), '10.0.1.1', 10)
          await host.sleep('1s')
        },
      },
    }),
    { seed: '1' },
  )
  // Four datagrams of 100 bytes, an ARP exchange of 42 each way on each link, and one ICMP error:
  // 14 + 20 + 8 + 20 + 8 + 58 = 128 bytes.
  expect(hosts).toEqual([
    { name: 'a', sentFrames: 5, sentBytes: 442, receivedFrames: 2, receivedBytes: 170, drops: {} },
    {
      name: 'b',
      sentFrames: 2,
      sentBytes: 170,
      receivedFrames: 5,
      receivedBytes: 442,
      drops: expect.any(Object),
    },
    { name: 'r', sentFrames: 7, sentBytes: 612, receivedFrames: 7, receivedBytes: 612, drops: {} },
  ])
  expect(Object.values(hosts[1]!.drops)).toEqual([1])
  expect(fairness).toBe(null)
})
