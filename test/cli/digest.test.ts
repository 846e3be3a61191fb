import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

const scenario = (delay: string) => `
import { defineScenario, duration } from 'twinwire'
export default defineScenario({
  name: 'mine',
  params: { wait: duration('5ms') },
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '${delay}' }],
  programs: {
    a: async (host) => {
      await host.ping('10.0.0.2')
    },
  },
})
`

describe("the digest of a user's scenario", () => {
  beforeAll(() => desk.write('mine.ts', scenario('10ms')))

  test('without one, nothing is compared', () => {
    expect(desk.run('run', 'mine.ts').code).toBe(0)
    expect(desk.names).not.toContain('mine.digest')
  })

  test('it is recorded beside the file, and the same run agrees with it', () => {
    const { code, err } = desk.run('run', 'mine.ts', '--update-digest')
    expect(code).toBe(0)
    expect(err).toContain('recorded the digest in')
    const { schema, digests } = JSON.parse(desk.read('mine.digest').toString())
    expect(schema).toBe(1)
    expect(digests).toEqual([
      {
        scenario: 'mine',
        seed: '1',
        params: { wait: '5ms' },
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ])
    expect(desk.run('run', 'mine.ts').code).toBe(0)
  })

  test('other seeds, parameters and a shorter run are not held against it', () => {
    expect(desk.run('run', 'mine.ts', '--seed', '2').code).toBe(0)
    expect(desk.run('run', 'mine.ts', '--set', 'wait=6ms').code).toBe(0)
    expect(desk.run('run', 'mine.ts', '--until', '15ms').code).toBe(0)
  })

  test('another behaviour fails with both digests, and how to record the new one', () => {
    const before = JSON.parse(desk.read('mine.digest').toString()).digests[0].digest
    desk.write('mine.ts', scenario('11ms'))
    const { code, err } = desk.run('run', 'mine.ts')
    expect(code).toBe(1)
    const lines = err.trimEnd().split('\n')
    expect(lines[0]).toContain(`expected: digest ${before}, as recorded in `)
    expect(lines[1]).toMatch(/^ {2}actual: [0-9a-f]{64}$/)
    expect(lines[2]).toContain('--update-digest')
    expect(lines.at(-1)).toMatch(/^reproduce: /)
  })

  test('an update replaces the one for this run and keeps the others', () => {
    desk.run('run', 'mine.ts', '--seed', '7', '--update-digest')
    desk.run('run', 'mine.ts', '--update-digest')
    const { digests } = JSON.parse(desk.read('mine.digest').toString())
    expect(digests.map(({ seed }: { seed: string }) => seed)).toEqual(['1', '7'])
    expect(desk.run('run', 'mine.ts').code).toBe(0)
  })

  test('a run that is cut short leaves none; a damaged file is one clear line', () => {
    expect(desk.run('run', 'mine.ts', '--until', '1ms', '--update-digest')).toMatchObject({
      code: 2,
      err: expect.stringContaining('a run that is cut short leaves no digest'),
    })
    desk.write('mine.digest', '{')
    const { code, err } = desk.run('run', 'mine.ts')
    expect(code).toBe(2)
    expect(err).toMatch(/^error: .*holds no digests; remove it, and record/)
  })
})
