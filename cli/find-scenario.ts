import { existsSync } from 'node:fs'
import { scenarios } from '../scenarios/index.ts'
import { nearest } from '../sim/suggest.ts'
import { UserError } from '../sim/user-error.ts'
import type { LoadedScenario } from './load-scenario.ts'
import { blame } from './source-place.ts'

const isModule = (name: string): boolean => /\.[cm]?[jt]s$/.test(name)
const isData = (name: string): boolean => /\.(ya?ml|json)$/.test(name)
const isPath = (name: string): boolean => /[\\/]/.test(name) || isModule(name) || isData(name)

/**
 * A scenario that comes with the package by its name, or one of the user's by the path of its file.
 *
 * @throws UserError when there is none, or its file cannot be used.
 */
export async function findScenario(name: string): Promise<LoadedScenario> {
  const shipped = scenarios.find(({ spec }) => spec.name === name)
  if (shipped !== undefined) return { scenario: shipped, sources: [] }
  if (isPath(name)) {
    if (isData(name)) return (await import('./yaml-scenario.ts')).loadYamlScenario(name)
    if (!isModule(name)) {
      const hint = 'expected .ts or .js, .yaml or .json'
      throw new UserError(`'${name}' is not a scenario file`, { hint })
    }
    const { loadScenarioFile } = await import('./load-scenario.ts')
    return await loadScenarioFile(name)
  }
  throw unknownScenario(name)
}

function unknownScenario(name: string): UserError {
  const near = nearest(
    name,
    scenarios.map(({ spec }) => spec.name),
  )
  const file = [`${name}.ts`, `${name}.js`, `${name}.yaml`, `${name}.json`].find((path) =>
    existsSync(path),
  )
  const meant = near !== null ? `'${near}'` : file !== undefined ? `'./${file}'` : null
  const all = "'twinwire list' shows all"
  return new UserError(`there is no scenario '${name}'`, {
    hint: meant === null ? all : `did you mean ${meant}? ${all}`,
  })
}

/** Runs `act`; an error that comes from the user's files then names file and line. */
export async function blaming<T>(loaded: LoadedScenario, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (e) {
    throw blame(e, loaded.sources, loaded.locate)
  }
}
