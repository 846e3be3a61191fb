import { createHash, randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BuildFailure, Plugin } from 'esbuild'
import type { Scenario } from '../sim/scenario.ts'
import { UserError } from '../sim/user-error.ts'
import { checkScenario } from './check-scenario.ts'
import { packageRoot } from './package-root.ts'
import { type SourceFiles, blame } from './source-place.ts'

/** A scenario, and the files it was written in (none for those that come with the package). */
export interface LoadedScenario {
  readonly scenario: Scenario
  readonly sources: SourceFiles
  /** Knows the place of a piece that cannot be used better than a search for its words does. */
  readonly locate?: (e: UserError) => string
}

/**
 * Bundles a scenario file of the user and imports it. `twinwire` inside it means the program that
 * runs, so that there is one instance of everything.
 *
 * @throws UserError with file and line for whatever is wrong with the file.
 */
export async function loadScenarioFile(path: string): Promise<LoadedScenario> {
  const full = resolve(path)
  if (!existsSync(full)) throw new UserError(`there is no file '${path}'`)
  const directory = cacheDirectory()
  const { code, sources } = await bundle(path, full, directory)
  const bundled = storeByHash(code, directory)
  // Stacks then name the lines of the user's files.
  process.setSourceMapsEnabled(true)
  try {
    const module: unknown = await import(pathToFileURL(bundled).href)
    const scenario = checkScenario(module as { readonly [name: string]: unknown }, path)
    return { scenario: besideFile(scenario, dirname(full)), sources }
  } catch (e) {
    throw blame(e, sources)
  }
}

async function bundle(path: string, full: string, directory: string) {
  const esbuild = await import('esbuild')
  try {
    const result = await esbuild.build({
      entryPoints: [full],
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      outfile: join(directory, 'scenario.mjs'),
      write: false,
      metafile: true,
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [ourOwnModules],
    })
    const inputs = Object.keys(result.metafile.inputs).map((input) => resolve(input))
    // The file that was named comes first: that is where an error is looked for first.
    const sources = [full, ...inputs.filter((input) => input !== full)]
    return { code: result.outputFiles[0]!.contents, sources }
  } catch (e) {
    const first = (e as Partial<BuildFailure>).errors?.[0]
    if (first === undefined) throw e
    const place = first.location
    const file = place === null ? path : relative(process.cwd(), resolve(place.file))
    throw new UserError(first.text, {
      where: place === null ? path : `${file}:${place.line}:${place.column + 1}`,
    })
  } finally {
    await esbuild.stop()
  }
}

const LAYERS = ['protocols', 'trace', 'sim', 'wire', 'scenarios', 'cli']

/** `twinwire`, `twinwire/sim/link`, and relative paths into our own folders. */
const ourOwnModules: Plugin = {
  name: 'twinwire',
  setup(build) {
    build.onResolve({ filter: /^twinwire(\/|$)/ }, ({ path }) => {
      const target = exported(path)
      if (target !== null) return { path: target, external: true }
      return { errors: [{ text: `there is no module '${path}'` }] }
    })
    build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
      const within = relative(packageRoot, resolve(resolveDir, path))
      const layer = within.split(sep)[0]!
      if (kind === 'entry-point' || !LAYERS.includes(layer)) return undefined
      const target = compiled(within)
      return target === null ? undefined : { path: target, external: true }
    })
  },
}

/** What the package exports under this name, to a scenario as to everybody else. */
function exported(specifier: string): string | null {
  try {
    const url = import.meta.resolve(specifier.replace(/\.[jt]s$/, ''))
    return existsSync(fileURLToPath(url)) ? url : null
  } catch {
    return null
  }
}

function compiled(module: string): string | null {
  const file = join(packageRoot, 'dist', `${module.replace(/\.[jt]s$/, '')}.js`)
  return existsSync(file) ? pathToFileURL(file).href : null
}

/** The user's own cache; where there is none to write to, a new directory. */
function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const directory = join(base, 'twinwire')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const probe = join(directory, `.probe-${randomBytes(4).toString('hex')}`)
    writeFileSync(probe, '')
    renameSync(probe, join(directory, '.probe'))
    return directory
  } catch {
    return mkdtempSync(join(tmpdir(), 'twinwire-'))
  }
}

/** Several processes may do this at once: the file appears whole, and always the same. */
function storeByHash(code: Uint8Array, directory: string): string {
  const hash = createHash('sha256').update(code).digest('hex')
  const target = join(directory, `${hash}.mjs`)
  if (existsSync(target) && readFileSync(target).equals(code)) return target
  const temporary = `${target}.${randomBytes(4).toString('hex')}`
  writeFileSync(temporary, code)
  renameSync(temporary, target)
  return target
}

/** Default files of a scenario lie beside it, wherever it is run from. */
export function besideFile(scenario: Scenario, directory: string): Scenario {
  const params = Object.entries(scenario.spec.params ?? {}).map(([name, param]) => {
    if (param.kind !== 'file' || param.default === null || param.default.startsWith('shipped:')) {
      return [name, param] as const
    }
    return [name, { ...param, default: resolve(directory, param.default) }] as const
  })
  return { spec: { ...scenario.spec, params: Object.fromEntries(params) } }
}
