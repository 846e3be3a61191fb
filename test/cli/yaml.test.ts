import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { blaming, findScenario } from '../../cli/find-scenario.ts'
import { describe as oneLine } from '../../cli/report.ts'
import { scenarioJsonSchema } from '../../cli/schema.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { UserError } from '../../sim/user-error.ts'
import { verifyScenario } from '../../sim/verify.ts'
import { Desk } from './program.ts'

const EXAMPLES = join(import.meta.dirname, '../../scenarios/data')
const PAGE = join(import.meta.dirname, '../../docs/yaml.md')
const desk = mkdtempSync(join(tmpdir(), 'twinwire-yaml-'))
afterAll(() => rmSync(desk, { recursive: true, force: true }))

const examples = readdirSync(EXAMPLES)
  .filter((name) => /\.(yaml|json)$/.test(name) && name !== 'digests.json')
  .toSorted()
/** What stands in the documentation runs, too. */
const inPage = [...readFileSync(PAGE, 'utf8').matchAll(/```yaml\n(.*?)```/gs)]
  .map(([, text]) => text!)
  .filter((text) => text.startsWith('name:'))

const check = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(scenarioJsonSchema())

const load = async (name: string, text: string) => {
  const path = join(desk, name)
  writeFileSync(path, text)
  return findScenario(path)
}
const run = async (text: string, settings: { [name: string]: string } = {}) => {
  const loaded = await load('my.yaml', text)
  const files = new MemoryFiles()
  return blaming(loaded, () => runScenario(loaded.scenario, { seed: '1', settings, files }))
}

describe('examples', () => {
  test('are there', () => {
    expect(examples).toEqual(['lossy-link.yaml', 'shared-bottleneck.json', 'switches.yaml'])
    expect(inPage.length).toBeGreaterThan(0)
  })

  test.each(examples)('%s fits the printed schema, passes and verifies', async (name) => {
    expect(check(parse(readFileSync(join(EXAMPLES, name), 'utf8'), { merge: true }))).toBe(true)
    const { scenario } = await findScenario(join(EXAMPLES, name))
    const options = { seed: '1', files: new MemoryFiles() }
    expect((await runScenario(scenario, options)).verdict).toBe('passed')
    const result = await verifyScenario(scenario, { ...options, until: 2e9 })
    expect(result.difference).toBeNull()
  })

  test.each(inPage)('in the documentation: %s', async (text) => {
    expect(check(parse(text, { merge: true }))).toBe(true)
    expect((await run(text)).verdict).toBe('passed')
  })
})

const TWO = `name: two
params:
  loss: { kind: ratio, default: 0%, about: of frames }
  pings: { kind: count, default: 3 }
  words: { kind: text, default: '20' }
topology:
  a: host
  b: { kind: host, tcp: { nagle: false } }
links:
  - ends: { a: 10.0.0.1/24, b: 10.0.0.2/24 }
    delay: 5ms
    loss: \${loss}
    rate: 10Mbit
    queue: \${words} frames
programs:
  a:
    - { ping: b, count: '\${pings}' }
    - ping: 10.0.0.2
      at: 10s
faults:
  - at: 20s
    link: a-b
    down: true
expect:
  - { note: a>b received, equals: '\${pings}' }
`

describe('a scenario', () => {
  test('does what it says: pings, faults, expectations', async () => {
    const outcome = await run(TWO)
    // ARP takes 10 ms and a ping the same; both take 42 and 98 bytes at 10 Mbit/s each way:
    // 33.6 us twice for ARP, 78.4 us twice for the ping.
    expect(outcome.samples['a>b rtt']).toMatchObject({ count: 3, max: 20_224_000, min: 10_156_800 })
    expect(outcome.verdict).toBe('passed')
    expect(outcome.faultsEnded).toBe(20e9)
  })

  test('takes --set, alone and within a text', async () => {
    const outcome = await run(TWO, { loss: '100%', pings: '2', words: '5' })
    expect(outcome.params).toEqual({ loss: '100%', pings: '2', words: '5' })
    expect(outcome.notes['a>b received']).toBe(0)
    expect(outcome.verdict).toBe('failed')
  })

  test('may be JSON', async () => {
    const { scenario } = await load('my.json', JSON.stringify(parse(TWO)))
    const files = new MemoryFiles()
    const [json, yaml] = [await runScenario(scenario, { seed: '1', files }), await run(TWO)]
    expect(json.digest).toBe(yaml.digest)
  })

  test.each([
    ['chain, routers: 1', 'a', 'b'],
    ['star, hosts: 2', 'h1', 'h2'],
    ['star, hosts: 2, centre: router', 'h1', 'h2'],
    ['dumbbell, pairs: 1', 's1', 'd1'],
    ['tree, depth: 2, fanout: 2, of: switch', 'h1', 'h4'],
    ['full-mesh, routers: 3', 'h1', 'h3'],
    ['random, seed: 4, routers: 5', 'h1', 'h5'],
  ])('may have a shape: %s', async (shape, from, to) => {
    const outcome = await run(
      `name: x\nshape: { kind: ${shape} }\nprograms: { ${from}: [{ ping: ${to} }] }\nexpect: [{ note: '${from}>${to} received', equals: 1 }]\n`,
    )
    expect(outcome.verdict).toBe('passed')
  })

  test('may have generated traffic and services', async () => {
    const outcome = await run(`name: x
shape: { kind: chain, routers: 0 }
programs:
  a: [{ traffic: cbr, to: 'b:9', rate: 80kbit, size: 100B, stop: 1s }]
  b: [{ serve: discard }]
`)
    // 100 bytes are 800 bits: one every 10 ms, from 0 to 0.99 s.
    expect(outcome.flows.map(({ forward }) => forward.payloadBytes)).toEqual([100 * 100])
  })

  test('may write records once: anchors and merge keys', async () => {
    const outcome = await run(`name: x
topology: { a: host, s: switch, b: host }
links:
  - &slow { between: [a, s], delay: 5ms }
  - { <<: *slow, between: [s, b] }
programs: { a: [{ ping: b }] }
`)
    expect(outcome.samples['a>b rtt']?.max).toBe(40_000_000)
  })
})

describe('what cannot be right is one line with its place', () => {
  const cases: [string, string | RegExp, string, string][] = [
    // The text.
    ['a tab', '    delay', '\tdelay', ':11'],
    ['a key twice', 'faults:', 'name: again\nfaults:', ':20:1: Map keys must be unique'],
    ['an alias to nothing', 'delay: 5ms', 'delay: *d', 'Unresolved alias'],
    ['two documents', 'topology:', '---\ntopology:', ':6:1: a second document begins'],
    ['no text at all', /.*/s, '\u0000'.repeat(100), ':1: found '],
    ['nothing', /.*/s, '', ':1: found nothing; expected a record'],
    // The form.
    ['no name', 'name: two\n', '', ":1: 'name' is missing"],
    ['an unknown part', 'faults:', 'fautls:', ":20: unknown key 'fautls'; did you mean 'faults'?"],
    [
      'an unknown key',
      'delay:',
      'dealy:',
      ":11: links 1: unknown key 'dealy'; did you mean 'delay'?",
    ],
    ['a kind of node', 'a: host', 'a: hots', ":7: topology: a: found 'hots'; did you mean 'host'?"],
    [
      'a node record',
      'kind: host,',
      'kind: hst,',
      ":8: topology: b: kind: found 'hst'; did you mean 'host'?",
    ],
    ['a node without kind', 'kind: host, ', '', ":8: topology: b: 'kind' is missing"],
    [
      'a TCP option',
      'nagle',
      'nagel',
      ":8: topology: b: tcp: unknown key 'nagel'; did you mean 'nagle'?",
    ],
    [
      'a TCP value',
      'nagle: false',
      'nagle: no',
      ":8: topology: b: tcp: nagle: found 'no'; expected true or false",
    ],
    [
      'a list',
      'rate: 10Mbit',
      'rate: [1]',
      ':13: links 1: rate: found a list; expected a quantity',
    ],
    [
      'a kind of parameter',
      'ratio',
      'raito',
      ":3: params: loss: kind: found 'raito'; did you mean 'ratio'?",
    ],
    ['no default', 'default: 3', 'about: x', ":4: params: pings: 'default' is missing"],
    ['a program', 'ping: b,', 'pong: b,', ':17: programs: a 1: found a record; expected a program'],
    [
      'a program key',
      'count:',
      'cuont:',
      ":17: programs: a 1: unknown key 'cuont'; did you mean 'count'?",
    ],
    ['down what', 'down: true', 'down: yes', ":23: faults 1: down: found 'yes'; expected true"],
    [
      'an expectation',
      'equals',
      'equal',
      ":25: expect 1: unknown key 'equal'; did you mean 'equals'?",
    ],
    ['one end', ', b: 10.0.0.2/24', '', ':10: link 1: a link has two ends, not 1'],
    ['no ends', 'ends: { a: 10.0.0.1/24, b: 10.0.0.2/24 }', 'mtu: 1500', ":10: 'ends' is missing"],
    ['both', '    delay', '    between: [a, b]\n    delay', ":10: both 'ends' and 'between'"],
    [
      'two networks',
      'topology:',
      'shape: { kind: chain, routers: 1 }\ntopology:',
      ":7: both 'shape' and",
    ],
    ['no network', /topology:.*frames\n/s, '', ":1: 'topology' is missing; write 'topology' with"],
    // Parameters.
    [
      'an unknown parameter',
      '${loss}',
      '${los}',
      ":12: there is no parameter 'los'; did you mean 'loss'?",
    ],
    ['a default', 'default: 0%', 'default: 5', ':3: param loss: 5 is not between 0 and 1'],
    ['a count', 'default: 3', 'default: many', ":4: param pings: 'many' is not a whole number"],
    // What it means.
    ['a unit', '5ms', '5msecs', ":11: link a-b: delay: '5msecs' has an unknown unit"],
    [
      'a rate',
      '10Mbit',
      '10Mbps',
      ":13: link a-b: rate: '10Mbps' may mean bits or bytes per second",
    ],
    ['a filled text', "default: '20'", 'default: many', ':14: link a-b: queue: '],
    ['an address', '10.0.0.2/24', '10.0.7.2/24', ':10: link a-b: b: 10.0.7.2/24 is outside'],
    ['another node', 'b: 10.0.0.2/24', 'c: 10.0.0.2/24', ":10: link a-c: there is no node 'c'"],
    ['a remote', 'ping: b,', 'ping: c,', ":17: program 1 of a: ping: 'c' is neither a node"],
    ['a start', 'at: 10s', 'at: soon', ":19: program 2 of a: at: 'soon' is not a duration"],
    ['no host', 'programs:\n  a:', 'programs:\n  x:', ":16: programs: there is no node 'x'"],
    ['a fault', 'link: a-b', 'link: a-c', ":22: fault 1: link: there is no link 'a-c'"],
    ['a time of a fault', 'at: 20s', 'at: 20x', ":21: fault 1: at: '20x' has an unknown unit"],
  ]
  test.each(cases)('%s', async (_, from, to, line) => {
    let error: unknown = null
    try {
      await run(TWO.replace(from, () => to))
    } catch (e) {
      error = e
    }
    expect(error).toBeInstanceOf(UserError)
    const text = oneLine(error as UserError).replaceAll(`${desk}/`, '')
    expect(text).toContain('my.yaml')
    expect(text).toContain(line)
    expect(text).not.toMatch(/\n|undefined|\[object/)
  })

  test.each([
    ['an unknown shape', '{ kind: ring }', ":2: shape: kind: found 'ring'"],
    [
      'a count',
      '{ kind: chain, routers: many }',
      ":2: shape: routers: found 'many'; expected a whole",
    ],
    ['no count', '{ kind: star }', ":2: shape: 'hosts' is missing"],
    [
      'a key',
      '{ kind: star, hots: 2, hosts: 2 }',
      ":2: shape: unknown key 'hots'; did you mean 'hosts'?",
    ],
    ['too many', '{ kind: full-mesh, routers: 2000 }', ':2: shape: routers: 2000 is not a whole'],
    ['a pool', '{ kind: star, hosts: 2, pool: x }', ":2: shape: pool: 'x' is not an IP address"],
  ])('a shape: %s', async (_, shape, line) => {
    await expect(run(`name: x\nshape: ${shape}\n`).catch(oneLine)).resolves.toContain(line)
  })

  test.each([
    ['traffic: cbrr', ":3: programs: a 1: traffic: found 'cbrr'; did you mean 'cbr'?"],
    ["traffic: cbr, to: 'b:9'", ":3: program 1 of a: 'rate' is missing; it needs to, rate"],
    ["traffic: bulk, to: 'b:9', rate: 1Mbit", ":3: program 1 of a: unknown key 'rate'"],
    ["traffic: bulk, to: 'c:9'", ":3: program 1 of a: to: 'c' is neither a node"],
    ['serve: ecko', ":3: programs: a 1: serve: found 'ecko'; did you mean 'echo'?"],
    ['serve: echo, port: 70000', ':3: program 1 of a: port: there is no port 70000'],
    ["bulk: 'b'", ":3: program 1 of a: bulk: 'b' has no port; write 'b:5000'"],
    ['sink: 0', ':3: program 1 of a: sink: there is no port 0'],
  ])('a program: %s', async (program, line) => {
    const text = `name: x\nshape: { kind: chain, routers: 0 }\nprograms: { a: [{ ${program} }] }\n`
    await expect(run(text).catch(oneLine)).resolves.toContain(line)
  })

  test('no such file, and no such kind of file', async () => {
    await expect(findScenario('no/where.yaml')).rejects.toThrow("there is no file 'no/where.yaml'")
    await expect(findScenario(join(desk, 'x.toml'))).rejects.toThrow('is not a scenario file')
  })
})

test('the schema refuses what a run refuses', () => {
  for (const [from, to] of [
    ['delay:', 'dealy:'],
    ['a: host', 'a: hots'],
    ['name: two\n', ''],
    ['ping: b,', 'pong: b,'],
    ['down: true', 'down: 1'],
  ] as const) {
    expect(check(parse(TWO.replace(from, to)))).toBe(false)
  }
  expect(check(parse(TWO))).toBe(true)
})

describe('the program', () => {
  const program = new Desk()
  afterAll(() => program.clear())

  test('prints the schema', () => {
    const { code, out, err } = program.run('schema')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toEqual(scenarioJsonSchema())
  })

  test('runs, lists and refuses files of data', () => {
    program.write('two.yaml', TWO)
    program.write('bad.yaml', TWO.replace('delay', 'dealy'))
    expect(program.run('run', 'two.yaml', '--set', 'pings=2')).toMatchObject({ code: 0, err: '' })
    expect(program.run('list', 'two.yaml').out).toContain('--set loss=0%   of frames\n')
    expect(program.run('run', 'two')).toMatchObject({ code: 2 })
    expect(program.run('run', 'two').err).toContain("did you mean './two.yaml'?")
    expect(program.run('run', 'bad.yaml')).toEqual({
      code: 2,
      out: '',
      err: "error: bad.yaml:11: links 1: unknown key 'dealy'; did you mean 'delay'?\n",
    })
  })
})
