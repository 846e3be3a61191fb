import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** The lint rules that the architecture stands on: each is broken once, so that none dies unseen. */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const GLOBALS = 'eslint(no-restricted-globals)'
const IMPORTS = 'eslint(no-restricted-imports)'
const PROPERTIES = 'eslint(no-restricted-properties)'

type Fixture = readonly [path: string, source: string, rule: string | null]

const uses = (expression: string) => `export const value: unknown = ${expression}\n`
const imports = (from: string) => `import { value } from '${from}'\nexport const other = value\n`
const lines = (count: number, line: string) => `${line}\n`.repeat(count)

const fixtures: readonly Fixture[] = [
  ['protocols/good.ts', uses('1'), null],
  ['protocols/date.ts', uses('Date.now()'), GLOBALS],
  ['protocols/new-date.ts', uses('new Date()'), GLOBALS],
  ['protocols/performance.ts', uses('performance.now()'), GLOBALS],
  ['protocols/timeout.ts', uses('setTimeout'), GLOBALS],
  ['protocols/interval.ts', uses('setInterval'), GLOBALS],
  ['protocols/immediate.ts', uses('setImmediate'), GLOBALS],
  ['protocols/microtask.ts', uses('queueMicrotask'), GLOBALS],
  ['protocols/hidden-timeout.ts', uses('globalThis.setTimeout'), GLOBALS],
  ['protocols/process.ts', uses('process'), GLOBALS],
  ['protocols/buffer.ts', uses('Buffer'), GLOBALS],
  ['protocols/crypto.ts', uses('crypto'), GLOBALS],
  ['protocols/random.ts', uses('Math.random()'), PROPERTIES],
  ['protocols/locale.ts', uses("'a'.localeCompare('b')"), PROPERTIES],
  ['trace/date.ts', uses('Date.now()'), GLOBALS],
  ['sim/date.ts', uses('Date.now()'), GLOBALS],
  ['sim/channel.ts', uses('MessageChannel'), GLOBALS],
  ['sim/turn.ts', uses('MessageChannel'), null],
  ['scenarios/random.ts', uses('Math.random()'), PROPERTIES],
  ['wire/date.ts', uses('Date.now()'), null],

  ['protocols/deep/node.ts', imports('node:fs'), IMPORTS],
  ['protocols/deep/bare-node.ts', imports('fs'), IMPORTS],
  ['protocols/deep/package.ts', imports('zod'), IMPORTS],
  ['protocols/deep/arc4.ts', imports('seedrandom'), IMPORTS],
  ['protocols/deep/alea.ts', imports('seedrandom/lib/alea.js'), null],
  ['protocols/deep/immer.ts', imports('immer'), null],
  ['protocols/deep/sibling.ts', imports('../good.ts'), null],
  ['protocols/deep/to-trace.ts', imports('../../trace/x.ts'), IMPORTS],
  ['protocols/deep/to-sim.ts', "export * from '../../sim/x.ts'\n", IMPORTS],
  ['protocols/type-only.ts', "export type { Value } from '../sim/x.ts'\n", IMPORTS],
  ['trace/to-protocols.ts', imports('../protocols/good.ts'), null],
  ['trace/to-sim.ts', imports('../sim/x.ts'), IMPORTS],
  ['sim/to-trace.ts', imports('../trace/x.ts'), null],
  ['sim/to-wire.ts', imports('../wire/x.ts'), IMPORTS],
  ['sim/to-scenarios.ts', imports('../scenarios/x.ts'), IMPORTS],
  ['wire/to-sim.ts', imports('../sim/x.ts'), null],
  ['wire/to-cli.ts', imports('../cli/x.ts'), IMPORTS],
  ['wire/to-scenarios.ts', imports('../scenarios/x.ts'), IMPORTS],
  ['scenarios/to-sim.ts', imports('../sim/x.ts'), null],
  ['scenarios/to-wire.ts', imports('../wire/x.ts'), IMPORTS],
  ['scenarios/to-package.ts', imports('immer'), IMPORTS],
  ['cli/to-wire.ts', imports('../wire/x.ts'), null],
  ['cli/to-bench.ts', imports('../bench/x.ts'), IMPORTS],
  ['bench/to-cli.ts', imports('../cli/x.ts'), IMPORTS],
  ['bench/to-sim.ts', imports('../sim/x.ts'), null],

  [
    'sim/cycle-a.ts',
    "import { b } from './cycle-b.ts'\nexport const a = () => b\n",
    'import(no-cycle)',
  ],
  [
    'sim/cycle-b.ts',
    "import { a } from './cycle-a.ts'\nexport const b = () => a\n",
    'import(no-cycle)',
  ],
  ['sim/any.ts', 'export const value: any = 1\n', 'typescript(no-explicit-any)'],
  ['sim/CamelCase.ts', uses('1'), 'unicorn(filename-case)'],
  ['sim/loose.ts', 'export const same = (a: unknown) => a == 1\n', 'eslint(eqeqeq)'],
  ['sim/silenced.ts', '// oxlint-disable no-debugger\n' + uses('1'), 'unused directive'],
  ['sim/long-file.ts', uses('1') + lines(400, '// line'), 'eslint(max-lines)'],
  ['sim/file.ts', uses('1') + lines(399, '// line'), null],
  [
    'sim/long-function.ts',
    `export function long(): void {\n${lines(69, '  // line')}}\n`,
    'eslint(max-lines-per-function)',
  ],
  ['sim/function.ts', `export function short(): void {\n${lines(68, '  // line')}}\n`, null],
  [
    'cli/floating.ts',
    'const work = async () => {}\nexport function start(): void {\n  work()\n}\n',
    'typescript(no-floating-promises)',
  ],
  [
    'sim/partial-switch.ts',
    "export function f(k: 'a' | 'b'): void {\n  switch (k) {\n    case 'a':\n      return\n  }\n}\n",
    'typescript(switch-exhaustiveness-check)',
  ],
]

let box = ''
const found = new Map<string, string[]>()

beforeAll(() => {
  box = mkdtempSync(join(tmpdir(), 'lint-'))
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(join(ROOT, file), join(box, file))
  symlinkSync(join(ROOT, 'node_modules'), join(box, 'node_modules'))
  for (const [path, source] of fixtures) {
    mkdirSync(dirname(join(box, path)), { recursive: true })
    writeFileSync(join(box, path), source)
  }
  for (const { filename, code, message } of lint()) {
    const rule = code ?? (message.includes('directive') ? 'unused directive' : message)
    found.set(filename, [...(found.get(filename) ?? []), rule])
  }
})

afterAll(() => rmSync(box, { recursive: true, force: true }))

interface Diagnostic {
  readonly filename: string
  readonly code?: string
  readonly message: string
}

function lint(): readonly Diagnostic[] {
  const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint')
  try {
    execFileSync(oxlint, ['-f', 'json'], { cwd: box, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout } = error as { stdout: string }
    return (JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] }).diagnostics
  }
  throw new Error('nothing was found wrong with files that are')
}

test.each(fixtures)('%s', (path, _source, rule) => {
  expect([...new Set(found.get(path))]).toEqual(rule === null ? [] : [rule])
})
