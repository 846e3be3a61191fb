import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Page, Shell } from './page.ts'

/**
 * The package as its users get it: packed, installed into an empty project, imported, type-checked
 * strictly, and the pages' examples run there. Where the registry cannot be reached, the tarball is
 * unpacked and exactly the dependencies that it declares are linked.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'project-'))
const installed = join(project, 'node_modules', 'twinwire')
const shell = new Shell(project, [join(project, 'node_modules', '.bin')])
const readme = new Page(join(ROOT, 'README.md'))
const library = new Page(join(ROOT, 'docs', 'library.md'))

interface Manifest {
  readonly exports: { readonly [subpath: string]: string | { types: string; default: string } }
  readonly dependencies: { readonly [name: string]: string }
}

function npm(cwd: string, ...args: string[]) {
  return spawnSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' })
}

beforeAll(() => {
  const packed = npm(ROOT, 'pack', '--ignore-scripts', '--pack-destination', project, '--silent')
  expect(packed.stderr + packed.status).toMatch(/0$/)
  const tarball = packed.stdout.trim()
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  const done = npm(project, 'install', `./${tarball}`, '--prefer-offline', '--fetch-retries=0')
  if (done.status !== 0) {
    expect(done.stderr).toMatch(/ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network/)
    process.stderr.write('no registry: the tarball is unpacked, its dependencies are linked\n')
    unpack(tarball)
  }
  shell.link('vitest', join(ROOT, 'node_modules', 'vitest'))
  shell.link('.bin/vitest', join(ROOT, 'node_modules', '.bin', 'vitest'))
  for (const page of [readme, library]) page.writeFiles(project)
}, 120_000)
afterAll(() => rmSync(project, { recursive: true, force: true }))

function unpack(tarball: string): void {
  mkdirSync(installed, { recursive: true })
  spawnSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'], { cwd: project })
  for (const name of Object.keys(manifest().dependencies)) {
    shell.link(name, join(ROOT, 'node_modules', name))
  }
  shell.link('.bin/twinwire', join(installed, 'bin', 'twinwire'))
}

const manifest = () => JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest

/** Every specifier that `exports` allows and the tarball holds. */
function specifiers(): string[] {
  const found: string[] = []
  for (const [subpath, target] of Object.entries(manifest().exports)) {
    const name = `twinwire${subpath.slice(1)}`
    if (typeof target === 'string') continue
    if (!subpath.includes('*')) {
      found.push(name)
      continue
    }
    const [before = '', after = ''] = target.default.split('*')
    for (const entry of readdirSync(join(installed, before), { recursive: true })) {
      const path = String(entry).replaceAll('\\', '/')
      if (path.endsWith(after)) found.push(name.replace('*', path.slice(0, -after.length)))
    }
  }
  return found
}

/** Loads modules in the project; a line for each of their exports, or for why there are none. */
function imported(modules: readonly string[]): string[] {
  const code = `for (const name of ${JSON.stringify(modules)}) {
    const found = await import(name).catch((e) => ({ ['fails: ' + (e.code ?? e.message)]: e }))
    for (const each of Object.keys(found)) console.log(name, each)
  }`
  const args = ['--input-type=module', '--eval', code]
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })
  expect(status).toBe(0)
  return stdout.trimEnd().split('\n')
}

/** TypeScript's complaints about files of the project, with the package's types checked as well. */
function complaints(files: readonly string[], options: { readonly [name: string]: unknown }) {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    lib: ['es2023', 'dom'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    ...options,
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  return spawnSync(tsc, ['-p', '.'], { cwd: project, encoding: 'utf8' }).stdout
}

describe('the packed package', () => {
  test('gives what its exports promise, and nothing else', () => {
    const lines = imported(['twinwire', 'twinwire/testing', 'twinwire/scenarios/ping'])
    for (const each of [
      'twinwire defineScenario',
      'twinwire runScenario',
      'twinwire World',
      'twinwire parseEthernet',
      'twinwire TraceDigest',
      'twinwire LinkDirection',
      'twinwire/testing timeline',
      'twinwire/scenarios/ping default',
    ]) {
      expect(lines).toContain(each)
    }
    expect(imported(['twinwire/cli/main', 'twinwire/dist/sim/api.js'])).toEqual([
      'twinwire/cli/main fails: ERR_PACKAGE_PATH_NOT_EXPORTED',
      'twinwire/dist/sim/api.js fails: ERR_PACKAGE_PATH_NOT_EXPORTED',
    ])
  })

  test('can be imported module by module', () => {
    const all = specifiers().filter((name) => name !== MATCHERS)
    expect(all.length).toBeGreaterThan(100)
    expect(imported(all).filter((line) => line.includes(' fails: '))).toEqual([])
  })

  test.each(['nodenext', 'preserve'])('has types that hold under strict, module %s', (module) => {
    const all = specifiers().filter((name) => name !== MATCHERS)
    const lines = all.map(
      (name, i) => `import type * as m${i} from '${name}'\nexport type M${i} = typeof m${i}`,
    )
    writeFileSync(join(project, 'all.ts'), `${lines.join('\n')}\n`)
    writeFileSync(join(project, 'wrong.ts'), WRONG)
    const examples = [...readme.files, ...library.files]
      .map(({ name }) => name)
      // They name modules of vitest and of Node, whose types are not ours.
      .filter((name) => !name.endsWith('.test.ts') && !['capture.mjs', 'layers.mjs'].includes(name))
    expect(complaints([...examples, 'all.ts'], { module })).toBe('')
    // The same check does find what is wrong.
    expect(complaints(['wrong.ts'], { module })).toMatch(/wrong\.ts\(4,.*'dealy'/s)
  })

  test('gives matchers with types, to whoever has Vitest', () => {
    expect(specifiers()).toContain(MATCHERS)
    writeFileSync(join(project, 'matched.ts'), MATCHED)
    writeFileSync(join(project, 'mistaken.ts'), MATCHED.replace("['1s']", "{ at: '1s' }"))
    const options = { module: 'nodenext', skipLibCheck: true }
    expect(complaints(['matched.ts'], options)).toBe('')
    expect(complaints(['mistaken.ts'], options)).toMatch(/mistaken\.ts\(4,/)
  })

  test.each(readme.steps.filter((step) => /hello\.ts$|syn\.test\.ts$/.test(step)))('%s', (step) => {
    const { status, shown } = shell.run(step)
    expect({ status, shown }).toMatchObject({ status: 0 })
  })

  test('prints what the README shows', () => {
    const ours = (step: string) => step.endsWith('hello.ts')
    expect(readme.rewritten(shell.run, ours)).toBe(readme.text)
  })

  test.each(library.steps)('%s', (step) => {
    const { status, shown } = shell.run(step)
    expect({ status, shown }).toMatchObject({ status: 0 })
  })

  test('prints what docs/library.md shows', async () => {
    await expect(library.rewritten(shell.run)).toMatchFileSnapshot(library.path)
  })
})

/** It imports Vitest, whose types are not ours, and which works within a test only. */
const MATCHERS = 'twinwire/vitest'

const MATCHED = `import { packetdrill, timeline } from '${MATCHERS}'
import { expect } from 'vitest'
expect(packetdrill\`0 f() = 1\`).toPass({ profile: 'linux' })
expect(timeline('0 connect', { until: '1s' })).toRetransmitAt(['1s'], { cause: 'rto' })
`

const WRONG = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'wrong', topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: null, b: null }, dealy: '10ms' }],
})
`
