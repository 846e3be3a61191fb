import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

test('the scenario in docs/scenarios.md runs, and verifies', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/scenarios.md'), 'utf8')
  desk.write('lines.ts', /```ts\n(.*?)```/s.exec(page)![1]!)
  const { code, out, err } = desk.run('run', 'lines.ts', '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  // 'line 1\n' to 'line 100\n': 100 times six characters, and 9 + 180 + 3 digits.
  expect(JSON.parse(out)).toMatchObject({ notes: { bytes: 792 }, verdict: 'passed' })
  expect(desk.run('verify', 'lines.ts')).toMatchObject({ code: 0, err: '' })
})
