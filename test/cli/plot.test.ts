import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Curve, panelsOf, reduced } from '../../cli/plot-panels.ts'
import { niceAbove, plotText } from '../../cli/plot-text.ts'
import { Desk, TWO_HOSTS } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())
beforeAll(() => {
  desk.write('two.ts', TWO_HOSTS)
  desk.run('run', 'two.ts', '--series', 'two.ndjson')
})

describe('run --series', () => {
  test('NDJSON has a schema line, then what changed', () => {
    const lines = desk.read('two.ndjson').toString().trimEnd().split('\n')
    expect(JSON.parse(lines[0]!)).toEqual({ schema: 1, kind: 'series', scenario: 'two', seed: '1' })
    expect(lines.length).toBeGreaterThan(50)
    for (const line of lines.slice(1)) {
      expect(JSON.parse(line)).toMatchObject({ at: expect.any(Number), of: expect.any(String) })
    }
  })

  test('CSV by the name of the file', () => {
    expect(desk.run('run', 'two.ts', '--series', 'two.csv').code).toBe(0)
    const [head, first] = desk.read('two.csv').toString().split('\n')
    expect(head).toBe('at,of,variable,value')
    expect(first).toMatch(/^\d+,(tcp|link) [^,]+,\w+,\d+$/)
  })

  test('another name is refused', () => {
    expect(desk.run('run', 'two.ts', '--series', 'two.txt')).toEqual({
      code: 2,
      out: '',
      err: "error: --series: 'two.txt' does not say its format; write a name that ends in .ndjson or .csv\n",
    })
  })
})

describe('plot', () => {
  test('as text, within 100 columns', () => {
    const { code, out } = desk.run('plot', 'two.ndjson', '--cwnd', '--queue')
    expect(code).toBe(0)
    expect(out).toMatch(/^a:\d+ > b:7: congestion window, kB\n/)
    expect(out).toContain('a>b: queue, frames\n')
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  test('as a page with everything in it', () => {
    const { code, err } = desk.run('plot', 'two.ndjson', '-o', 'two.html')
    expect({ code, err: err.replace(/ \/.*\//, ' ') }).toEqual({ code: 0, err: 'wrote two.html\n' })
    const page = desk.read('two.html').toString()
    expect(page).toContain('<title>two, seed 1</title>')
    expect(page).toContain('congestion window')
    expect(page).not.toMatch(/(src|href)=|@import|url\(|fetch\(/)
  })

  test.each([
    [
      ['two.ts'],
      "error: two.ts:1: this is no file of series; write one with 'twinwire run SCENARIO --series FILE.ndjson'",
    ],
    [
      ['two.ndjson', '--of', 'a>c'],
      "error: two.ndjson: there is nothing of 'a>c'; did you mean 'a>b'?",
    ],
    [['two.ndjson', '--of', 'a>b', '--cwnd'], 'error: two.ndjson: it has no values of this kind'],
  ])('%j is refused in one line', (args, line) => {
    expect(desk.run('plot', ...args)).toEqual({ code: 2, out: '', err: `${line}\n` })
  })
})

const curve = (times: number[], values: number[]): Curve => ({ name: 'x', times, values })

test('a curve is reduced to the ends and the extremes of each column', () => {
  const times = Array.from({ length: 1000 }, (_, i) => i / 1000)
  const values = times.map((_, i) => (i === 333 ? 99 : i === 700 ? -5 : i % 3))
  const few = reduced(curve(times, values), 0, 1, 10)
  expect(few.times.length).toBeLessThanOrEqual(40)
  expect(few.values).toContain(99)
  expect(few.values).toContain(-5)
  expect([few.times[0], few.times.at(-1)]).toEqual([0, 0.999])
  expect(few.times).toEqual(few.times.toSorted((a, b) => a - b))
  expect(reduced(curve([0, 1], [1, 2]), 0, 1, 10).times).toEqual([0, 1])
})

test('steps in text: a value holds until the next one', () => {
  const points = [
    { at: 0, of: 'link a>b', values: { queueFrames: 0 } },
    { at: 5e8, of: 'link a>b', values: { queueFrames: 8 } },
    { at: 1e9, of: 'link a>b', values: { queueFrames: 8 } },
  ]
  const file = { scenario: 's', seed: '1', points }
  const lines = plotText(panelsOf(file, ['queue'], () => true, 4)).split('\n')
  expect(lines[0]).toBe('a>b: queue, frames')
  // The left half lies on the ground, the right half at the top; one column joins them.
  expect(lines[1]).toBe(`        8 ┤${'⠀'.repeat(43)}⡏${'⠉'.repeat(42)}`)
  expect(lines[8]).toBe(`        0 ┤${'⣀'.repeat(43)}⡇${'⠀'.repeat(42)}`)
  expect(lines[10]!.trim()).toMatch(/^0 +0\.5 +1 s$/)
})

test('axes end at round numbers', () => {
  expect([0, 0.7, 1, 1.2, 7, 14480, 99].map(niceAbove)).toEqual([1, 0.8, 1, 1.5, 8, 15000, 100])
})
