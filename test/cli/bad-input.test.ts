import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk, TWO_HOSTS } from './program.ts'

const desk = new Desk()
beforeAll(() => {
  desk.write('two.ts', TWO_HOSTS)
  mkdirSync(join(desk.path, 'folder'))
})
afterAll(() => desk.clear())

describe('one clear line on stderr, nothing on stdout, exit code 2', () => {
  test.each([
    // Usage.
    ['runn two.ts', "unknown command 'runn'; did you mean run?"],
    ['run', "missing required argument 'scenario'"],
    ['run two.ts --sed 4', "unknown option '--sed'; did you mean one of --seed, --set?"],
    ['run two.ts --seed', "option '--seed <text>' argument missing"],
    ['run two.ts --until 5', "--until: '5' has no unit; write '5ms' or '5s'"],
    ['run two.ts --set loss', "--set: 'loss' sets nothing; write --set loss=VALUE"],
    ['run two.ts --set lines=1 --set lines=2', '--set lines: is set twice'],
    // The scenario.
    ['run file-trnsfer', "there is no scenario 'file-trnsfer'; "],
    ['run two', "there is no scenario 'two'; did you mean './two.ts'? 'twinwire list' shows all"],
    ['verify nowhere.ts', "there is no file 'nowhere.ts'"],
    ['run folder/two.txt', "'folder/two.txt' is not a scenario file; expected .ts or .js"],
    // Parameters.
    ['run two.ts --set los=5%', "--set los: there is no parameter 'los'; did you mean 'loss'?"],
    ['run two.ts --set delay=10', "--set delay: '10' has no unit; write '10ms' or '10s'"],
    ['run two.ts --set loss=140%', "--set loss: '140%' is more than all of them; a share is at"],
    ['run two.ts --set loss=10', "--set loss: '10' has no unit; write '10%'"],
    ['run two.ts --set lines=many', "--set lines: 'many' is not a whole number"],
    // Files.
    ['run file.ts', "--set input: cannot read 'nowhere.bin': there is no such file or directory"],
    ['run file.ts --set input=folder', "--set input: cannot read 'folder': it is a directory"],
    ['run two.ts --set out=no/x', "--set out: cannot write 'no/x': there is no such file or dir"],
    ['run two.ts --set out=folder', "--set out: cannot write 'folder': it is a directory"],
    ['run two.ts -w no/x.pcapng', "cannot write 'no/x.pcapng': there is no such file or directory"],
  ])('%s', (command, line) => {
    const withFile = TWO_HOSTS.replace("loss: ratio('1%',", "input: file('nowhere.bin'), $&")
    desk.write('file.ts', withFile.replace('import { count', 'import { file, count'))
    const { code, out, err } = desk.run(...command.split(' '))
    expect(err.replaceAll(`${desk.path}/`, '')).toMatch(/^error: [^\n]*\n$/)
    expect(err.replaceAll(`${desk.path}/`, '')).toContain(`error: ${line}`)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })

  test.each<[from: string | RegExp, to: string, line: string]>([
    [
      ' delay, loss,',
      ' dealy: delay, loss,',
      ":14: link a-b: unknown key 'dealy'; did you mean 'delay'?",
    ],
    ['rate: ', "jitter: '10', rate: ", ":14: link a-b: jitter: '10' has no unit; write '10ms'"],
    ["'10Mbit'", "'10Mbps'", ":14: link a-b: rate: '10Mbps' may mean bits or bytes per second; "],
    ['loss, rate', "loss: '140%', rate", ":14: link a-b: loss: '140%' is more than all of them; "],
    ['10.0.0.2/24', '10.0.1.2/24', ':14: link a-b: b: 10.0.1.2/24 is outside 10.0.0.0/24'],
    ['10.0.0.2/24', '10.0.0.255/24', ':14: link a-b: b: 10.0.0.255 is the broadcast address of'],
    [", b: '10", ", c: '10", ":14: link a-c: there is no node 'c'"],
    ["a: 'host'", "a: 'hots'", ":12: node a: 'hots' is not a kind of node; did you mean 'host'?"],
    ["ratio('1%'", "ratio('10'", ":7: default of a ratio parameter: '10' has no unit; write '10%'"],
    ['topology:', 'topolgy:', ":12: scenario: unknown key 'topolgy'; did you mean 'topology'?"],
    ["name: 'two',", '', ": a scenario needs 'name'"],
    ['export default', 'const nothing =', ': exports no scenario; write: export default'],
    ['about:', 'about', ':5:9: Expected "}" but found'],
    ["'twinwire'", "'twinwire/none'", ":1:64: there is no module 'twinwire/none'"],
    ['=> [\n', '=> [ null.x,\n', ':13: TypeError: Cannot read properties of null'],
    ['expect: (', "expect: () => { throw 'up' }, about: (", ': threw up'],
  ])('a file with %s written as %s', (from, to, line) => {
    desk.write('wrong.ts', TWO_HOSTS.replace(from, to))
    const { code, out, err } = desk.run('run', 'wrong.ts')
    expect(err).toMatch(/^error: wrong\.ts[^\n]*\n$/)
    expect(err).toContain(line)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})

test('help teaches, and asking for it is no error', () => {
  const { code, out, err } = desk.run('run', '--help')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('twinwire run file-transfer --trace | grep DROP')
  expect(desk.run('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('list shows a scenario with its parameters', () => {
  expect(desk.run('list', 'two.ts').out).toBe(`two

Two hosts and a cable. A few lines go across.

--set loss=1%     of the frames
--set delay=10ms  one way
--set lines=50
--set out=PATH    what arrived
`)
  expect(JSON.parse(desk.run('list', 'two.ts', '--json').out)).toMatchObject({
    schema: 1,
    scenarios: [
      {
        name: 'two',
        params: [
          { name: 'loss', kind: 'ratio', default: '1%', about: 'of the frames' },
          { name: 'delay', kind: 'duration', default: '10ms' },
          { name: 'lines', kind: 'count', default: '50' },
          { name: 'out', kind: 'output', default: null },
        ],
      },
    ],
  })
  expect(JSON.parse(desk.run('list', '--json').out)).toMatchObject({ schema: 1 })
  const widths = desk
    .run('list')
    .out.split('\n')
    .map((line) => line.length)
  expect(Math.max(...widths)).toBeLessThanOrEqual(100)
})
