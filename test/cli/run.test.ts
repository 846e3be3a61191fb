import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk, PROGRAM, TWO_HOSTS } from './program.ts'

const desk = new Desk()
beforeAll(() => desk.write('two.ts', TWO_HOSTS))
afterAll(() => desk.clear())

const LINES = 'a line of text\n'.repeat(100)
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

test('the summary is data and goes to stdout; nothing else is said', () => {
  const { code, out, err } = desk.run('run', 'two.ts')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^two, seed 1\n/)
  expect(out).toMatch(/\nbytes +75000\n/)
  expect(out).toMatch(/\ndigest +[0-9a-f]{64}\nverdict +passed\n$/)
})

test('one JSON object, the same for the same seed, another for another', () => {
  const [first, again, other] = ['1', '1', '2'].map((seed) => {
    const { code, out } = desk.run('run', './two.ts', '--json', '--seed', seed, '--set', 'loss=5%')
    expect(code).toBe(0)
    expect(out).toMatch(/^\{.*\}\n$/)
    return JSON.parse(out) as { [key: string]: unknown }
  })
  expect(first).toMatchObject({
    schema: 1,
    scenario: 'two',
    seed: '1',
    params: { loss: '5%', delay: '10ms', lines: '50' },
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    verdict: 'passed',
    flows: [{ protocol: 'tcp', forward: { deliveredBytes: 75_000 } }],
  })
  expect(again).toEqual(first)
  expect(other!['digest']).not.toBe(first!['digest'])
})

test('--recorded and --wire-exact give the digest of the plain run, and so does verify', () => {
  const digests = [[], ['--recorded'], ['--wire-exact']].map((flags) => {
    const { out } = desk.run('run', 'two.ts', '--json', '--set', 'lines=5', ...flags)
    return (JSON.parse(out) as { digest: string }).digest
  })
  expect(new Set(digests).size).toBe(1)
  const { code, out, err } = desk.run('verify', 'two.ts', '--set', 'lines=5')
  expect({ code, out, err }).toEqual({ code: 0, out: `${digests[0]}\n`, err: '' })
})

test('an output appears whole under its name; verify only hashes it', () => {
  expect(desk.run('verify', 'two.ts', '--set', 'lines=2', '--set', 'out=got.txt').code).toBe(0)
  expect(desk.names).not.toContain('got.txt')
  expect(desk.run('run', 'two.ts', '--set', 'out=got.txt').code).toBe(0)
  expect(sha256(desk.read('got.txt'))).toBe(sha256(LINES.repeat(50)))
  expect(desk.names.filter((name) => name.includes('.part'))).toEqual([])
})

describe('stdout carries one thing', () => {
  test('lines with --trace, the summary beside them', () => {
    const { out, err } = desk.run('run', 'two.ts', '--trace', '--set', 'lines=1')
    expect(out).toMatch(/^0\.000000000 a +call open tcp\n/)
    expect(out).toContain('a>b  IP 10.0.0.1.')
    expect(out).not.toContain('verdict')
    expect(err).toMatch(/verdict +passed/)
  })

  test('the object with --json, the lines beside it', () => {
    const { out, err } = desk.run('run', 'two.ts', '--trace', '--json', '--set', 'lines=1')
    expect(JSON.parse(out)).toMatchObject({ schema: 1 })
    expect(err).toContain('call open tcp')
  })

  test('the capture with -w -, as it is written to a file with -w', () => {
    const capture = 'set -e; "$T" run two.ts --set lines=1'
    const { code, err } = desk.shell(`${capture} -w - > one.pcapng; ${capture} -w two.pcapng`)
    expect(code).toBe(0)
    expect(err).toMatch(/verdict +passed/)
    expect(desk.read('one.pcapng').readUInt32BE(0)).toBe(0x0a0d0d0a)
    expect(sha256(desk.read('one.pcapng'))).toBe(sha256(desk.read('two.pcapng')))
  })

  test('a reader that goes away ends the run quietly', () => {
    const { out, err } = desk.shell('"$T" run two.ts --trace --set lines=900 2>err.txt | head -1')
    expect(out).toMatch(/^0\.000000000 a +call open tcp\n$/)
    expect(err + desk.read('err.txt').toString()).not.toMatch(/EPIPE|at .*\.js/)
  })
})

describe('failures', () => {
  test('an expectation that does not hold: what, how to see it again, 1', () => {
    const { code, out, err } = desk.run('run', 'two.ts', '--seed', "it's", '--set', 'lines=1000')
    const digest = /digest +([0-9a-f]{64})/.exec(out)![1]!
    expect(code).toBe(1)
    expect(err).toBe(
      'expected: fewer than 1000 lines are sent\n' +
        String.raw`reproduce: twinwire run two.ts --seed 'it'\''s' --set lines=1000 # digest ${digest}` +
        '\n',
    )
  })

  test('the reproduce line does reproduce', () => {
    const { err } = desk.run('run', 'two.ts', '--seed', "it's", '--set', 'loss=100%')
    const [, command, digest] = /reproduce: twinwire (.*) # digest (\w+)/.exec(err)!
    const { code, out } = desk.shell(`"$T" ${command}`)
    expect(code).toBe(1)
    expect(out).toContain(digest)
  })

  test('a program that throws is shown with its line', () => {
    desk.write('throws.ts', TWO_HOSTS.replace('let bytes = 0', "throw new Error('boom')"))
    const { code, err } = desk.run('run', 'throws.ts')
    expect(code).toBe(1)
    expect(err).toMatch(/^failed: throws\.ts:25: program on b: Error: boom\nreproduce: .*\n$/)
  })

  test('a program that asks the real world is found by verify: 3, and the first difference', () => {
    const dice = TWO_HOSTS.replace("'a line of text", "Math.random() + '")
    desk.write('dice.ts', dice)
    const { code, out, err } = desk.run('verify', 'dice.ts', '--set', 'lines=1', '--seed', '7')
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toMatch(/^error: 'dice\.ts' differs when it is run repeated: record \d+: .*\n/)
    expect(err).toMatch(
      /\n {2}plain: .*\n {2}repeated: .*\nreproduce: twinwire verify dice\.ts --seed 7/,
    )
  })

  test("a device without room is not the scenario's fault: 4", () => {
    for (const full of [
      ['--set', 'out=/dev/full'],
      ['-w', '/dev/full'],
    ]) {
      const { code, out, err } = desk.run('run', 'two.ts', ...full)
      expect(err).toBe("error: cannot write '/dev/full': no space left\n")
      expect({ code, out }).toEqual({ code: 4, out: '' })
    }
  })

  test('Ctrl-C: 130, and no half-written file', async () => {
    const args = ['run', 'two.ts', '--set', 'lines=5000000', '--set', 'out=o.txt', '-w', 'w.pcapng']
    const parts = () => desk.names.filter((name) => name.endsWith('.part'))
    const { code, err } = await desk.interrupt(args, 'SIGINT', () => parts().length === 2)
    expect({ code, err }).toEqual({ code: 130, err: '' })
    expect(desk.names.filter((name) => /part|o\.txt|w\.pcapng/.test(name))).toEqual([])
  })
})

describe('from anywhere', () => {
  test('through a symbolic link, with a scenario in JavaScript that imports its neighbour', () => {
    mkdirSync(join(desk.path, 'deep'), { recursive: true })
    symlinkSync(PROGRAM, join(desk.path, 'tw'))
    desk.write('deep/far.js', TWO_HOSTS.replaceAll("'10.0.0.2/24'", 'address'))
    desk.write('deep/address.js', "export const address = '10.0.0.2/24'\n")
    const far = desk.read('deep/far.js').toString()
    desk.write('deep/far.js', `import { address } from './address.js'\n${far}`)
    const { code, out } = desk.shell('cd / && "$OLDPWD/tw" run "$OLDPWD/deep/far.js"')
    expect(code).toBe(0)
    expect(out).toMatch(/verdict +passed/)
  })

  test('a scenario shares the instance of the running program', () => {
    const text =
      "import { UserError } from 'twinwire'\nimport { ip } from 'twinwire/protocols/address'\n"
    const thrown = "throw new UserError(`not ${ip('10.0.0.9')}`, { hint: 'try again' })"
    desk.write('shares.ts', text + TWO_HOSTS.replace('let bytes = 0', thrown))
    const { code, err } = desk.run('run', 'shares.ts')
    expect(code).toBe(2)
    expect(err).toBe('error: shares.ts:27: not 167772169; try again\n')
  })

  test('one bundle is cached for one content', () => {
    const bundles = () => {
      const names = readdirSync(join(desk.path, '.cache', 'twinwire'))
      return names.filter((name) => /^[0-9a-f]{64}\.mjs/.test(name)).toSorted()
    }
    desk.write('cached.ts', TWO_HOSTS)
    desk.run('list', 'cached.ts')
    const before = bundles()
    desk.run('list', 'cached.ts')
    expect(bundles()).toEqual(before)
    desk.write('cached.ts', `${TWO_HOSTS}console.error('new')\n`)
    expect(desk.run('list', 'cached.ts').err).toBe('new\n')
    expect(bundles()).toHaveLength(before.length + 1)
  })
})
