import { afterAll, describe, expect, test } from 'vitest'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

describe('the third task of Simple-FTP, beside published values', () => {
  const args = ['simple-ftp', '--task', '3', '--set', 'sweekar52', '--runs', '1']

  test('a table, a file of it and a plot, each made whole', () => {
    const { code, out, err } = desk.run('experiment', ...args, '--out', 'plots')
    expect({ code, err }).toEqual({
      code: 0,
      err: 'wrote plots/simple-ftp-3-sweekar52.csv and .svg\n',
    })
    const lines = out.trimEnd().split('\n')
    expect(lines.every((line) => line.length <= 100)).toBe(true)
    expect(lines[0]).toMatch(/^simple-ftp, task 3 \(sweekar52: 1049268 bytes, timeout 1000 ms/)
    expect(lines.at(-1)).toMatch(/^Mean distance from the published values: \d+\.\d %\.$/)
    const csv = desk.read('plots/simple-ftp-3-sweekar52.csv').toString().trimEnd().split('\n')
    expect(csv[0]).toBe('p,mean s,sd s,published s,of published s')
    expect(csv.slice(1).map((row) => Number(row.split(',')[3]))).toEqual([
      22.39, 44.13, 65.17, 101.83, 117.02, 142.11, 172.09, 195.6, 228.41, 261.82,
    ])
    // Ten times the loss takes several times as long.
    const means = csv.slice(1).map((row) => Number(row.split(',')[1]))
    expect(means.at(-1)! / means[0]!).toBeGreaterThan(4)
    const svg = desk.read('plots/simple-ftp-3-sweekar52.svg').toString()
    expect(svg).toMatch(/^<svg [^]*<\/svg>\n?$/)
    expect(svg).toContain('sweekar52')
    expect(svg).not.toMatch(/href|<script|url\(/)
    expect(desk.names).toEqual(['plots'])
  })

  test('an object a point; the same seed, the same bytes', () => {
    const [once, again] = [1, 2].map(() => desk.run('experiment', ...args, '--json'))
    expect(once).toEqual(again)
    const points = once!.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { schema: number; p: number; runs: number[] })
    expect(points.map(({ p }) => p)).toEqual([
      0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1,
    ])
    expect(points.every(({ schema, runs }) => schema === 1 && runs.length === 1)).toBe(true)
  })
})

test('nonsense is one line, and exit 2; a place where nothing can be made, exit 4', () => {
  desk.write('file', '')
  for (const [args, expected] of [
    [['p2mp'], 2],
    [['p2mp-ftp', '--task', '4'], 2],
    [['p2mp-ftp', '--set', 'cvelai'], 2],
    [['simple-ftp', '--task', '3', '--set', 'course', '--runs', '1', '--out', 'file/x'], 4],
  ] as const) {
    const { code, err } = desk.run('experiment', ...args)
    expect([args.join(' '), code, err.split('\n').length]).toEqual([args.join(' '), expected, 2])
  }
})
