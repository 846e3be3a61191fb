import { build, type BuildResult } from 'esbuild'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { expect, test } from 'vitest'
import fileTransfer from '../scenarios/file-transfer.ts'
import ping from '../scenarios/ping.ts'
import { MemoryFiles } from '../sim/files.ts'
import type { Outcome } from '../sim/outcome.ts'
import { type RunOptions, runScenario } from '../sim/run.ts'
import type { Scenario } from '../sim/scenario.ts'

/** The core runs in a browser as it is: bundled for one, and run where no global of Node's exists. */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CORE = ['protocols', 'trace', 'sim']

function coreFiles(): string[] {
  return CORE.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
}

type Bundle = BuildResult<{ write: false; metafile: true }>

/** A script for a browser. esbuild itself fails on any import that a browser cannot resolve. */
const bundle = (contents: string): Promise<Bundle> =>
  build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2023',
    logLevel: 'silent',
  })

/** What a page offers and the language does not; nothing of Node's. */
const browserGlobals = () => ({ MessageChannel, TextDecoder, TextEncoder })

test('every file of the core bundles for a browser, with two packages and nothing else', async () => {
  const everything = coreFiles().map((file) => `import ${JSON.stringify(file)}`)
  const { metafile, outputFiles } = await bundle(everything.join('\n'))
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== '<stdin>')
  const origins = new Set(
    inputs.map((path) => path.replace(/^(node_modules\/[^/]+|[^/]+)\/.*/, '$1')),
  )
  // seedrandom mentions `require('crypto')` in its other generators; none of them is here.
  expect([...origins].sort()).toEqual(
    [...CORE, 'node_modules/immer', 'node_modules/seedrandom'].sort(),
  )
  expect(inputs.filter((path) => path.includes('seedrandom'))).toEqual([
    'node_modules/seedrandom/lib/alea.js',
  ])
  expect(() => runInContext(outputFiles[0]!.text, createContext(browserGlobals()))).not.toThrow()
})

test.each(["import 'node:fs'", "import fs from 'fs'; console.log(fs)"])(
  'a bundle with %s fails',
  async (source) => {
    await expect(bundle(source)).rejects.toThrow('Could not resolve')
  },
)

test('the context has no global of Node to fall back on', () => {
  const context = createContext(browserGlobals())
  const names = ['process', 'Buffer', 'require', 'setTimeout', 'setImmediate', 'performance']
  expect(names.map((name) => runInContext(`typeof ${name}`, context) as string)).toEqual(
    names.map(() => 'undefined'),
  )
})

type Settings = NonNullable<RunOptions['settings']>
const content = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255)

/** A page that runs a scenario and leaves the promise of its outcome. */
const page = (name: string, settings: Settings) => `
  import scenario from './scenarios/${name}.ts'
  import { MemoryFiles } from './sim/files.ts'
  import { runScenario } from './sim/run.ts'
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255)
  const files = new MemoryFiles({ 'in.bin': bytes })
  globalThis.outcome = runScenario(scenario, {
    seed: 'page', settings: ${JSON.stringify(settings)}, files,
  })
`

const runs: readonly (readonly [string, Scenario, Settings])[] = [
  ['ping', ping, { loss: '20%' }],
  ['file-transfer', fileTransfer, { file: 'in.bin', loss: '1%' }],
]

test.each(runs)(
  '%s gives the same digest on a page as in Node',
  async (name, scenario, settings) => {
    const { outputFiles } = await bundle(page(name, settings))
    const context = createContext(browserGlobals())
    runInContext(outputFiles[0]!.text, context)
    const onPage = await (runInContext('outcome', context) as Promise<Outcome>)
    const files = new MemoryFiles({ 'in.bin': content })
    const here = await runScenario(scenario, { seed: 'page', settings, files })
    expect(onPage.failure).toBeNull()
    expect(onPage.verdict).toBe('passed')
    expect(onPage.digest).toBe(here.digest)
  },
)
