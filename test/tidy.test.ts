import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** Style that no compiler checks. Every failure names its file and line. */

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const FOLDERS = [
  'protocols',
  'trace',
  'sim',
  'wire',
  'scenarios',
  'cli',
  'bench',
  'testing',
  'scripts',
  'test',
]
const OTHERS = ['types', 'bin', 'docs', '.ci']

/** Who may import whom, folder by folder. Tests may import everything. */
const ARROWS: { readonly [folder: string]: readonly string[] } = {
  protocols: ['protocols'],
  trace: ['protocols', 'trace'],
  sim: ['protocols', 'trace', 'sim'],
  wire: ['protocols', 'trace', 'sim', 'wire'],
  scenarios: ['protocols', 'sim', 'scenarios'],
  cli: ['protocols', 'trace', 'sim', 'wire', 'scenarios', 'cli'],
  bench: ['protocols', 'trace', 'sim', 'wire', 'scenarios', 'bench'],
  matchers: ['protocols', 'sim', 'matchers'],
  scripts: ['scripts'],
  test: FOLDERS,
}
/** What the folders that run in a browser may import from outside. */
const CORE_PACKAGES = ['immer', 'seedrandom/lib/alea.js']
const CORE = ['protocols', 'trace', 'sim']

interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

const read = (path: string): SourceFile => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })

/** What `npm run docs` installs and makes. */
const MADE = /^docs\/(node_modules|api)\//

function filesUnder(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(ROOT.length + 1), entry.name))
    .filter((path) => !MADE.test(path))
    .sort()
}

const sources = FOLDERS.flatMap(filesUnder)
  .filter((path) => path.endsWith('.ts'))
  .map(read)
const texts = [
  ...sources,
  ...OTHERS.flatMap(filesUnder).map(read),
  ...[...FOLDERS.flatMap(filesUnder), ...readdirSync(ROOT)]
    .filter((p) => p.endsWith('.md'))
    .map(read),
]
const folderOf = (path: string) => path.slice(0, path.indexOf('/'))

interface Import {
  readonly where: string
  readonly from: string
  readonly specifier: string
}

/** Every specifier of a static or dynamic import or re-export that is a literal. */
function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = []
  const pattern =
    /^(?:import|export|\})[^'"\n]*?from '([^'\n]+)'|^import '([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm
  for (const match of text.matchAll(pattern)) {
    const line = text.slice(0, match.index).split('\n').length
    const specifier = match[1] ?? match[2] ?? match[3]!
    found.push({ where: `${path}:${line}`, from: path, specifier })
  }
  return found
}

// The lint test holds imports of every wrong kind as text.
const imports = sources.filter((file) => file.path !== 'test/lint.test.ts').flatMap(importsOf)
const relative = imports.filter(({ specifier }) => specifier.startsWith('.'))
const targetOf = ({ from, specifier }: Import) => posix.join(posix.dirname(from), specifier)

describe('imports', () => {
  test('are found at all', () => {
    expect(relative.length).toBeGreaterThan(sources.length)
    const form =
      "import a from './a.ts'\nexport {\n  b,\n} from '../b.ts'\nimport './c.ts'\nimport('./d.ts')"
    expect(
      importsOf({ path: 'sim/x.ts', text: form }).map((i) => `${i.where} ${i.specifier}`),
    ).toEqual(['sim/x.ts:1 ./a.ts', 'sim/x.ts:4 ../b.ts', 'sim/x.ts:5 ./c.ts', 'sim/x.ts:6 ./d.ts'])
  })

  test('point upwards only', () => {
    const wrong = relative.filter((i) => {
      const target = folderOf(targetOf(i))
      return FOLDERS.includes(target) && !ARROWS[folderOf(i.from)]!.includes(target)
    })
    expect(wrong).toEqual([])
  })

  test('of packages are none in the core but immer and alea', () => {
    const outside = imports.filter((i) => !i.specifier.startsWith('.'))
    const wrong = outside.filter(
      (i) => CORE.includes(folderOf(i.from)) && !CORE_PACKAGES.includes(i.specifier),
    )
    expect(wrong).toEqual([])
  })
})

describe('files', () => {
  test('have at most 400 lines', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 401)
    expect(long.map((file) => file.path)).toEqual([])
  })

  test('are named after what they hold', () => {
    const vague = /^(utils?|helpers?|common|misc|shared|manager|.*-(utils?|helpers?|manager))\.ts$/
    const wrong = sources.map((file) => file.path).filter((path) => vague.test(basename(path)))
    const barrels = sources
      .map((file) => file.path)
      .filter((path) => basename(path) === 'index.ts' && path !== 'scenarios/index.ts')
    const spelling = sources
      .map((file) => basename(file.path))
      .filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/.test(name))
    expect([...wrong, ...barrels, ...spelling]).toEqual([])
  })

  test('of tests lie where their subject does', () => {
    const wrong = sources
      .filter(({ path }) => path.startsWith('test/') && path.endsWith('.test.ts'))
      .map(({ path }) => dirname(path.slice('test/'.length)))
      // What theory says is judged by whole networks: it has no folder to lie beside.
      .filter((folder) => folder !== '.' && folder !== 'theory' && !existsSync(join(ROOT, folder)))
    expect(wrong).toEqual([])
  })
})

/** The lines that match, as `path:line text`; this file spells the words out and is left aside. */
function linesWith(pattern: RegExp, files: readonly SourceFile[] = texts): string[] {
  return files
    .filter((file) => file.path !== 'test/tidy.test.ts')
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .map((line, index) => ({ line, at: `${path}:${index + 1}` }))
        .filter(({ line }) => pattern.test(line))
        .map(({ line, at }) => `${at} ${line.trim()}`),
    )
}

const quoted = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

describe('text', () => {
  test('has no markers of unfinished work', () => {
    expect(linesWith(/\b(TODO|FIXME|XXX|HACK)\b|not implemented/)).toEqual([])
  })

  test('has no path of a machine', () => {
    const own = [ROOT, homedir()].filter((path) => path.length > 2)
    const here = own.map((path) => `(?<![\\w.])${quoted(path)}(?![\\w-])`).join('|')
    expect(linesWith(new RegExp(`/home/\\w|/Users/\\w|[A-Z]:\\\\Users|${here}`))).toEqual([])
  })

  test('has no compiler or lint errors silenced without a rule and a reason', () => {
    expect(linesWith(/@ts-(ignore|nocheck)/, sources)).toEqual([])
    const bare = linesWith(/(oxlint|eslint)-disable(-next-line|-line)?\s*(\*\/)?$/, sources)
    expect(bare.filter((line) => !line.startsWith('test/lint.test.ts'))).toEqual([])
  })

  test('of tests has none switched off or alone', () => {
    const files = sources.filter(({ path }) => path.startsWith('test/'))
    expect(linesWith(/\b(test|it|describe)\.(only|skip|todo)\b/, files)).toEqual([])
  })
})

const scenarioFiles = sources.filter(
  ({ path }) => /^scenarios\/[^/]+\.ts$/.test(path) && path !== 'scenarios/index.ts',
)

describe.each(scenarioFiles.map((file) => [file.path, file] as const))('%s', (path, { text }) => {
  const name = basename(path, '.ts')

  test('is called what its file is called', () => {
    expect(/\bname: '([^']+)'/.exec(text)?.[1]).toBe(name)
  })

  test('has a paragraph', () => {
    const about = /\babout:\s*((?:(?:'[^'\n]*'|"[^"\n]*"|`[^`]*`)[\s+]*)+)/.exec(text)?.[1] ?? ''
    expect(about.length, 'the length of `about`').toBeGreaterThan(80)
  })

  test('has a test', () => {
    const tests = sources.filter((file) => file.path.endsWith('.test.ts'))
    const mention = new RegExp(`['"/ ]${quoted(name)}(\\.ts)?['" ]`)
    expect(tests.filter((file) => mention.test(file.text)).map((f) => f.path)).not.toEqual([])
  })
})
