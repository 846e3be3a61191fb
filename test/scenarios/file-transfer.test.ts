import { describe, expect, test } from 'vitest'
import { Sha256 } from '../../protocols/sha256.ts'
import fileTransfer from '../../scenarios/file-transfer.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { stream } from '../../sim/random.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

/** Bytes that look random and follow from the name. */
function randomFile(length: number, name: string): Uint8Array {
  const words = new Int32Array(Math.ceil(length / 4))
  const draw = stream('content', name)
  for (let i = 0; i < words.length; i++) words[i] = draw() * 0x1_0000_0000
  return new Uint8Array(words.buffer, 0, length)
}

function sha256(bytes: Uint8Array): string {
  const hash = new Sha256()
  hash.update(bytes)
  return hash.hex()
}

type Settings = { readonly [name: string]: string }

/** What everything at once does to a link. */
const BAD: Settings = { loss: '10%', reorder: '10%', duplicate: '2%', corrupt: '2%' }

/** What came out at the other end, and how the run ended. */
async function carry(bytes: Uint8Array, settings: Settings = {}, seed = '1') {
  const files = new MemoryFiles({ '/in': bytes })
  const all = { file: '/in', out: '/out', ...settings }
  const outcome = await runScenario(fileTransfer, { seed, settings: all, files })
  const arrived = outcome.failure === null ? files.read('/out').bytes : null
  return { outcome, arrived: arrived as Uint8Array | null }
}

/** Byte for byte: a hash of both ends' making could be wrong in the same way twice. */
const same = (a: Uint8Array, b: Uint8Array | null): boolean =>
  b !== null && Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0

describe('a file arrives intact:', () => {
  test('100 MB at 1 % loss', { timeout: 300_000 }, async () => {
    const file = randomFile(100_000_000, 'large')
    const { outcome, arrived } = await carry(file, { loss: '1%' })
    expect(outcome.failure).toBeNull()
    expect(same(file, arrived)).toBe(true)
    const { forward } = outcome.flows[0]!
    expect(forward.deliveredBytes).toBe(100_000_000)
    // At least 100 MB / 1448 = 69,061 full segments, of which about 1 % was lost.
    expect(forward.dataSegments).toBeGreaterThan(69_060)
    const { drops } = forward
    expect(drops['loss on a>b']).toBeGreaterThan(500)
    expect(drops['loss on a>b']).toBeLessThan(900)
  })

  test(
    '10 MB at 10 % loss, 10 % reordering, 2 % duplication, 2 % corruption',
    { timeout: 120_000 },
    async () => {
      const file = randomFile(10_000_000, 'bad')
      const { outcome, arrived } = await carry(file, BAD)
      expect(outcome.failure).toBeNull()
      expect(same(file, arrived)).toBe(true)
      expect(outcome.verdict).toBe('passed')
      // Without SACK and RACK it takes 1,500 s, 53 kbit/s; with them 120 to 130 s.
      expect(outcome.flows[0]!.forward.goodput).toBeGreaterThan(300_000)
      // It was that bad: every impairment struck more than a hundred times.
      const [link] = outcome.links
      const { duplicates, corrupted, reordered, dropped } = link!
      expect(Math.min(duplicates, corrupted, reordered, dropped['loss']!)).toBeGreaterThan(90)
    },
  )

  test('200 kB over 200 seeds of the same link', { timeout: 300_000 }, async () => {
    const file = randomFile(200_000, 'seeds')
    const settings = Object.entries(BAD).map(([name, value]) => `--set ${name}=${value}`)
    for (let seed = 1; seed <= 200; seed++) {
      const reproduce =
        'head -c 200000 /dev/urandom > random && ' +
        `twinwire run file-transfer --seed ${seed} --set file=random ${settings.join(' ')}`
      let intact = false
      try {
        intact = same(file, (await carry(file, BAD, String(seed))).arrived)
      } catch (error) {
        throw new Error(`seed ${seed} breaks; reproduce: ${reproduce}`, { cause: error })
      }
      expect(intact, `seed ${seed} fails; reproduce: ${reproduce}`).toBe(true)
    }
  })

  // With timestamps a full segment carries 1448 bytes.
  test.each([0, 1, 2, 1447, 1448, 1449, 2896, 65_535, 65_536, 65_537])('%i bytes', async (size) => {
    const file = randomFile(size, 'sizes')
    for (const settings of [{ loss: '0%' }, BAD]) {
      const { outcome, arrived } = await carry(file, settings)
      expect(same(file, arrived)).toBe(true)
      expect(outcome.notes).toEqual({
        'sha256 sent': sha256(file),
        'sha256 received': sha256(file),
        'bytes received': size,
      })
      expect(outcome.verdict).toBe('passed')
    }
  })

  test('in no more segments than it needs where nothing is lost', async () => {
    for (const [size, segments] of [
      [1448, 1],
      [1449, 2],
      [14_480, 10],
    ]) {
      const { outcome } = await carry(randomFile(size!, 'exact'), { loss: '0%' })
      expect(outcome.flows[0]!.forward.dataSegments).toBe(segments)
    }
  })

  test('whatever one impairment does at its worst', { timeout: 120_000 }, async () => {
    const file = randomFile(60_000, 'worst')
    for (const settings of [
      { loss: '35%' },
      { duplicate: '100%', loss: '0%' },
      { reorder: '60%', loss: '0%' },
      { corrupt: '30%', loss: '0%' },
      { jitter: '10ms', loss: '5%' },
      { rate: '64kbit', loss: '5%' },
      { delay: '400ms', loss: '5%' },
    ] as readonly Settings[]) {
      const { arrived } = await carry(file, settings)
      expect(same(file, arrived), JSON.stringify(settings)).toBe(true)
    }
  })
})

describe('the digest', () => {
  const file = randomFile(50_000, 'digest')
  const digest = async (seed: string, settings: Settings = {}) =>
    (await carry(file, settings, seed)).outcome.digest

  test('is the same for the same seed and another one for another', async () => {
    const first = await digest('1')
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await digest('1')).toBe(first)
    const others = await Promise.all(['2', '3', 'x'].map((seed) => digest(seed)))
    expect(new Set([first, ...others]).size).toBe(4)
  })

  test('depends on what is sent and on what the link does', async () => {
    const { outcome } = await carry(randomFile(50_000, 'other'))
    const all = [
      outcome.digest,
      await digest('1'),
      await digest('1', { loss: '20%' }),
      await digest('1', { delay: '11ms' }),
    ]
    expect(new Set(all).size).toBe(4)
  })

  test('is the same in every way of running', { timeout: 60_000 }, async () => {
    const files = new MemoryFiles({ '/in': file })
    for (const settings of [{}, BAD, { ...BAD, jitter: '3ms', rate: '2Mbit' }] as Settings[]) {
      const all = { file: '/in', ...settings }
      const { difference } = await verifyScenario(fileTransfer, { seed: '5', settings: all, files })
      expect(difference, JSON.stringify(settings)).toBeNull()
    }
  })
})
