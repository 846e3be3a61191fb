import { expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { createPingClient, pingClient } from '../../protocols/tcp-ping/client.ts'
import { createPingServer, pingServer } from '../../protocols/tcp-ping/server.ts'
import tcpPing from '../../scenarios/tcp-ping.ts'
import type { Host } from '../../sim/programs.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario } from '../../sim/scenario.ts'

test('tcp-ping: loss above TCP loses pings, loss below it makes them late, by 1, 3 and 7 s', async () => {
  const outcome = await runScenario(tcpPing, { seed: '1' })
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  for (const layer of ['ip', 'link']) {
    const { p50, max } = outcome.samples[`${layer} RTT`]!
    expect(p50).toBeLessThan(3.1e9)
    expect(max).toBeGreaterThan(7e9)
  }
  expect(outcome.samples['application RTT']!.max).toBeLessThan(0.1e9)
})

test.each([
  ['1st frame', 'SYN', 1],
  ['1st, 2nd frame', 'SYN twice', 3],
  ['1st, 2nd, 3rd frame', 'SYN thrice', 7],
])('a client whose %s is lost (%s) is %i s late, to the microsecond', async (drops, _, late) => {
  const lost = drops.match(/\d/g)!.map((number) => Number(number) + 1) // behind the ARP request
  const said: number[] = []
  const a = (host: Host) => {
    const config = {
      server: { address: ip('10.0.0.2'), port: 11_000 },
      count: 1,
      timeout: 20e9,
      interval: 0,
      persistent: false,
      startSeconds: 0,
      startMicros: 0,
      icmpWait: 0,
    }
    host.run(pingClient, createPingClient(config), (report) => {
      if (report.kind === 'reply') said.push(report.rtt)
    })
  }
  const b = (host: Host) => void host.run(pingServer, createPingServer({ seed: '1' }))
  const scenario = defineScenario({
    name: 'late',
    topology: { a: 'host', b: 'host' },
    links: [
      { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '5ms', to: { b: { drop: lost } } },
    ],
    programs: { a, b },
  })
  await runScenario(scenario, { seed: '1' })
  // The timeout runs from the SYN that waits for ARP: then a handshake and a message.
  expect(said.map((rtt) => rtt / 1e6)).toEqual([late * 1000 + 20])
})

test('tcp-ping: with a second of patience, lateness is loss', async () => {
  const outcome = await runScenario(tcpPing, { seed: '1', settings: { timeout: '1s' } })
  expect(Number(outcome.notes['link lost'])).toBeGreaterThan(50)
  expect(outcome.notes['link late by a second or more']).toBe(0)
})
