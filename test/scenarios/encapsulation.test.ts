import { expect, test } from 'vitest'
import encapsulation from '../../scenarios/encapsulation.ts'
import { conversationsOf } from '../../protocols/encapsulation/conversations.ts'
import { readTable } from '../../protocols/encapsulation/table.ts'
import { encapsulationScenario } from '../../sim/encapsulation.ts'
import { runScenario } from '../../sim/run.ts'
import type { Scenario } from '../../sim/scenario.ts'

/** Payloads with their times, as hosts send them. */
async function payloadsOf(scenario: Scenario): Promise<string[]> {
  const said: string[] = []
  const outcome = await runScenario(scenario, {
    seed: '1',
    observers: [
      (record) => {
        if (record.kind !== 'sent' || !record.node.startsWith('h')) return
        const packet = record.frame.payload
        if (packet.kind !== 'ipv4') return
        const body = packet.payload
        if (body.kind !== 'tcp' && body.kind !== 'udp') return
        const text = new TextDecoder().decode(body.payload as Uint8Array)
        if (text !== '') said.push(`${record.at / 1e6} ${body.sourcePort} ${text}`)
      },
    ],
  })
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  return said
}

test('encapsulation: every message leaves at its time, from its port', async () => {
  expect(await payloadsOf(encapsulation)).toEqual([
    '100 50000 GET /index.html HTTP/1.1',
    '150 80 HTTP/1.1 200 OK',
    '200 50001 Is anybody there?',
    '250 50002 HELO browser.example',
    '300 5000 Wer fragt das? Grüße',
  ])
})

const scenarioOf = (rows: readonly (readonly string[])[]): Scenario => {
  const [header, ...rest] = rows
  const table = readTable(
    header!,
    rest.map((fields, i) => ({ line: i + 2, fields })),
  )
  if ('error' in table) throw new Error(table.error)
  const conversations = conversationsOf(table.messages)
  if ('error' in conversations) throw new Error(conversations.error)
  return encapsulationScenario({ name: 'table', about: '', conversations })
}

test('addresses of several networks meet at a router; datagrams are answered', async () => {
  const header = 'app_protocol,protocol,src_ip,dst_ip,src_port,dst_port,message,timestamp'
  const rows = [
    header,
    'DNS,UDP,192.168.1.2,10.9.8.7,5353,53,where?,0',
    'DNS,UDP,10.9.8.7,192.168.1.2,53,5353,there,0.1',
    'HTTP,TCP,192.168.1.3,192.168.1.2,,8080,GET,0.2',
  ]
  const said = await payloadsOf(scenarioOf(rows.map((row) => row.split(','))))
  expect(said.map((line) => line.replace(/ \d{5} /, ' * '))).toEqual([
    // The router's address is asked for through a switch first: four cables.
    '0.4 5353 where?',
    '100 53 there',
    '200 * GET',
  ])
})

test('a long message is cut into segments and arrives in one piece', async () => {
  const text = 'x'.repeat(70_000)
  const rows = [
    ['app_protocol', 'src_app', 'dst_app', 'message', 'timestamp'],
    ['X', 'a', 'b', text, '0'],
  ]
  const said = await payloadsOf(scenarioOf(rows))
  const sizes = said.map((line) => line.replace(/^\S+ \S+ /, '').length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(70_000)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1460)
})
