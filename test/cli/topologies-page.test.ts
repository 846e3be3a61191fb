import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

test('the scenario in docs/topologies.md runs, and verifies', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/topologies.md'), 'utf8')
  desk.write('hops.ts', /```ts\n(import.*?)```/s.exec(page)![1]!)
  const { code, out, err } = desk.run('run', 'hops.ts', '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  // Four links of 5 ms. At 10 Mbit/s an ARP packet (42 bytes) takes 33.6 us and a ping (98 bytes)
  // 78.4 us: ARP asks on each link before the first ping can go on, and never on the way back.
  expect(JSON.parse(out)).toMatchObject({ notes: { rtt: 4 * (4 * 5e6 + 2 * 33_600 + 2 * 78_400) } })
  expect(desk.run('verify', 'hops.ts')).toMatchObject({ code: 0, err: '' })
})
