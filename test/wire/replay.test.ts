import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import liveServer from '../../scenarios/live-server.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { PreparedRun } from '../../sim/prepared-run.ts'
import { runScenario } from '../../sim/run.ts'
import { readRecording } from '../../wire/recording.ts'
import { replay } from '../../wire/replay.ts'
import { readWhole } from '../../wire/wire-port.ts'
import { Desk } from '../cli/program.ts'
import { Live, type LiveReport } from './live.ts'
import { Namespace, needs } from './namespace.ts'

// One scenario, simulated, live and replayed; and what may not differ between the three.

const able = needs('curl', 'nc')
const LETTER = readFileSync(join(import.meta.dirname, '../../scenarios/data/letter.txt'))
const files = () => new MemoryFiles({ 'shipped:letter.txt': LETTER })
const LOSS = { loss: '5%', delay: '1ms' }

describe.skipIf(!able)('a live transfer under loss', () => {
  const desk = new Desk()
  let live: LiveReport
  let recorded: Uint8Array

  beforeAll(async () => {
    const namespace = new Namespace()
    try {
      const set = Object.entries(LOSS).flatMap(([name, value]) => ['--set', `${name}=${value}`])
      const run = ['live-server', '--bind', 'b=tap:tap0', '--seed', '9', ...set]
      const running = await Live.start(namespace, ...run, '--record', `${desk.path}/run.tw`)
      namespace.run('ping', '-c', '5', '-i', '0.02', '10.0.0.1')
      const { out } = namespace.run('curl', '-sS', '-m', '60', 'http://10.0.0.1/file')
      expect(out).toHaveLength(LETTER.length)
      live = await running.stop()
      recorded = Uint8Array.from(desk.read('run.tw'))
    } finally {
      namespace.remove()
    }
  }, 90_000)
  afterAll(() => desk.clear())

  async function again(options: { recorded?: boolean; wireExact?: boolean } = {}): Promise<string> {
    const { header, frames, ended } = readRecording(recorded, 'run.tw')
    const settings = { ...LOSS }
    const run = new PreparedRun(liveServer, {
      ...options,
      seed: header.seed,
      settings,
      places: ['b'],
      files: files(),
    })
    const injections = frames.map(({ at, bytes }) => {
      return { at, node: 'b', frame: readWhole(bytes as Uint8Array) }
    })
    await replay(run, injections, ended)
    return run.outcome().digest
  }

  test('a hundred replays give its digest', { timeout: 60_000 }, async () => {
    expect(live.links.some(({ dropped }) => (dropped['loss'] ?? 0) > 0)).toBe(true)
    for (let i = 0; i < 100; i++) expect(await again()).toBe(live.digest)
  })

  test('so do a recorded and a wire-exact one', async () => {
    expect(await again({ recorded: true })).toBe(live.digest)
    expect(await again({ wireExact: true })).toBe(live.digest)
  })

  test('twinwire replay: the same run, and its capture', () => {
    const done = desk.run('replay', 'run.tw', '--json', '-w', 'again.pcapng')
    expect(done.code).toBe(0)
    const outcome = JSON.parse(done.out) as { digest: string; same: boolean; notes: unknown }
    expect(outcome).toMatchObject({ digest: live.digest, same: true, notes: live.notes })
    expect(desk.read('again.pcapng').length).toBeGreaterThan(LETTER.length)
    expect(desk.run('replay', 'run.tw', '--until', '1ms').code).toBe(0)
  })

  test('a cut or changed file is refused with one line', () => {
    const cuts = [0, 5, 15, 40, recorded.length >> 1, recorded.length - 1]
    for (const length of cuts) {
      expect(() => readRecording(recorded.subarray(0, length), 'x')).toThrow(/recorded/)
    }
    for (let at = 0; at < recorded.length; at += Math.ceil(recorded.length / 200)) {
      const flipped = recorded.slice()
      flipped[at]! ^= 1 << (at & 7)
      expect(() => readRecording(flipped, 'x'), `byte ${at}`).toThrow(/recorded/)
    }
    desk.write('cut.tw', recorded.subarray(0, recorded.length - 100))
    const { code, err } = desk.run('replay', 'cut.tw')
    expect({ code, err }).toEqual({
      code: 2,
      err: 'error: cut.tw: was cut short or changed since it was recorded; its own checksum does not fit; take it from where it was made\n',
    })
  })
})

describe('simulated, live and replayed', () => {
  test('the scenario also runs without any wire', async () => {
    const outcome = await runScenario(liveServer, { seed: '9', settings: LOSS, files: files() })
    expect(outcome.verdict).toBe('passed')
  })

  test('no engine and no link is told, nor imports what could tell it', () => {
    const root = join(import.meta.dirname, '..', '..')
    const told: string[] = []
    for (const folder of ['protocols', 'sim', 'trace']) {
      for (const entry of readdirSync(join(root, folder), { recursive: true })) {
        const path = join(folder, String(entry))
        if (!path.endsWith('.ts')) continue
        const text = readFileSync(join(root, path), 'utf8')
        const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')
        if (/\bis(Live|Real|Simulated)\b|from '[^']*\/wire\//.test(code)) told.push(path)
      }
    }
    expect(told).toEqual([])
    // The one node that leads outside is a repeater, as any other.
    const world = readFileSync(join(root, 'sim/world.ts'), 'utf8')
    expect(world.match(/'device'/g)).toHaveLength(1)
  })

  test('a bound network has the same engines: only the place is another', () => {
    const [whole, bound] = [[], ['b']].map(
      (places) => new PreparedRun(liveServer, { seed: '1', places, files: files() }),
    ) as [PreparedRun, PreparedRun]
    const kinds = ({ network }: PreparedRun) => network.nodes.map(({ name, kind }) => [name, kind])
    expect(kinds(whole)).toEqual([
      ['a', 'host'],
      ['b', 'host'],
    ])
    expect(kinds(bound)).toEqual([
      ['a', 'host'],
      ['b', 'device'],
    ])
    const hosts = [whole, bound].map(({ world }) => JSON.stringify(world.node('a').state))
    expect(hosts[0]).toBe(hosts[1])
    expect(bound.network.links).toEqual(whole.network.links)
  })
})
