import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutation } from './mutation.ts'
import { MUTATIONS } from './mutations.ts'

/**
 * Breaks one thing of the TCP at a time, in a copy of the tree, and asks whether a test notices. One
 * that no test notices is a gap in the tests; a change that no longer applies is a mistake in the
 * list. Usage: npm run mutate [-- WORD …], where the words choose by name.
 */

/** From `dist/scripts/`, where this runs. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What the tests below need. */
const COPIED = ['protocols', 'trace', 'sim', 'matchers', 'test', 'package.json', 'tsconfig.json']

const CONFIG = `import { defineConfig } from 'vitest/config'
export default defineConfig({
  test: {
    include: [
      'test/sim/packetdrill/scripts.test.ts',
      'test/protocols/tcp/*.test.ts',
      'test/protocols/host/*.test.ts',
      'test/sim/*-socket*.test.ts',
    ],
    // Whole networks: they take longer than all the rest.
    exclude: ['**/traps.test.ts'],
    testTimeout: 20_000,
    bail: 1,
  },
})
`

/** A script that goes round for ever is not to take the whole memory. */
const FRUGAL = { ...process.env, NODE_OPTIONS: '--max-old-space-size=1024' }

/** A run that takes longer hangs. */
const PATIENCE_MS = 120_000

interface Verdict {
  /** The first test that failed; \`null\`: none. */
  readonly failed: string | null
  readonly seconds: number
}

const copy = mkdtempSync(join(tmpdir(), 'mutate-'))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

function run(words: readonly string[]): number {
  const chosen = MUTATIONS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  )
  if (chosen.length === 0) return complain(`no mutation has '${words.join("' or '")}' in its name`)
  const stale = MUTATIONS.flatMap(misfit)
  if (stale.length > 0) return complain(stale.join('\n'))
  for (const each of COPIED) cpSync(join(ROOT, each), join(copy, each), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  writeFileSync(join(copy, 'vitest.config.ts'), CONFIG)
  const sound = tested()
  if (sound.failed !== null) return complain(`without any mutation fails: ${sound.failed}`)
  const width = Math.max(...chosen.map(({ name }) => name.length))
  say(`${'unchanged'.padEnd(width)}  ${took(sound)}  every test passes`)
  let survivors = 0
  for (const mutation of chosen) {
    const verdict = judged(mutation)
    if (verdict.failed === null) survivors += 1
    const notice = (verdict.failed ?? 'NO TEST NOTICES').slice(0, 90 - width)
    say(`${mutation.name.padEnd(width)}  ${took(verdict)}  ${notice}`)
  }
  say(`${chosen.length} mutations, ${survivors} that no test notices`)
  return survivors === 0 ? 0 : 1
}

const took = ({ seconds }: Verdict): string => `${seconds.toFixed(1).padStart(5)} s`

function complain(text: string): number {
  process.stderr.write(`mutate: ${text}\n`)
  return 2
}

/** Why a mutation does not apply: nothing, or more than one place, is what it replaces. */
function misfit({ name, file, find, replace }: Mutation): string[] {
  const places = readFileSync(join(ROOT, file), 'utf8').split(find).length - 1
  if (places !== 1) return [`'${name}': ${file} has ${places} places like it, not one`]
  return find === replace ? [`'${name}': changes nothing`] : []
}

function judged({ file, find, replace }: Mutation): Verdict {
  const path = join(copy, file)
  const sound = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    sound.replace(find, () => replace),
  )
  try {
    return tested()
  } finally {
    writeFileSync(path, sound)
  }
}

interface JsonReport {
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

/** Runs the tests on the copy as it is, up to the first that fails. */
function tested(): Verdict {
  const started = performance.now()
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const { stdout, status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--reporter=json', '--root', copy],
    { cwd: copy, encoding: 'utf8', timeout: PATIENCE_MS, maxBuffer: 2 ** 28, env: FRUGAL },
  )
  const seconds = (performance.now() - started) / 1000
  if (status === 0) return { failed: null, seconds }
  if (status === null || !stdout.includes('{')) return { failed: 'the tests do not end', seconds }
  return { failed: firstFailure(stdout), seconds }
}

function firstFailure(stdout: string): string {
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as JsonReport
  for (const { assertionResults, message, name } of report.testResults) {
    const failed = assertionResults.find((each) => each.status === 'failed')
    if (failed !== undefined) return failed.fullName
    if (message !== '') return `${name.slice(copy.length + 1)}: ${message.split('\n', 1)[0]}`
  }
  return 'the test runner failed'
}

process.on('SIGINT', () => {
  rmSync(copy, { recursive: true, force: true })
  process.exit(130)
})

try {
  process.exitCode = run(process.argv.slice(2))
} finally {
  rmSync(copy, { recursive: true, force: true })
}
