import type { Scenario } from '../sim/scenario.ts'
import { didYouMean } from '../sim/suggest.ts'
import { UserError } from '../sim/user-error.ts'

const REQUIRED = ['name', 'topology', 'links']
const KEYS = [...REQUIRED, 'about', 'params', 'programs', 'faults', 'until', 'expect']

/**
 * The scenario that a module exports: its default export, or the only one among the others.
 *
 * @throws UserError when there is none, several, or one with unknown or missing parts.
 */
export function checkScenario(
  module: { readonly [name: string]: unknown },
  path: string,
): Scenario {
  const found = Object.entries(module).filter(([, value]) => isScenario(value))
  const chosen = found.find(([name]) => name === 'default') ?? found[0]
  if (chosen === undefined) {
    throw new UserError('exports no scenario', {
      where: path,
      hint: "write: export default defineScenario({ name: '…', topology: …, links: … })",
    })
  }
  if (found.length > 1 && chosen[0] !== 'default') {
    throw new UserError(`exports ${found.length} scenarios: ${found.map(([n]) => n).join(', ')}`, {
      where: path,
      hint: 'make one of them the default export',
    })
  }
  const scenario = chosen[1] as Scenario
  for (const key of Object.keys(scenario.spec)) {
    if (KEYS.includes(key)) continue
    const hint = didYouMean(key, KEYS)
    throw new UserError(`unknown key '${key}'`, {
      where: 'scenario',
      word: key,
      hint,
    })
  }
  const missing = REQUIRED.filter((key) => !(key in scenario.spec))
  if (missing.length === 0) return scenario
  throw new UserError(`a scenario needs ${missing.map((key) => `'${key}'`).join(' and ')}`, {
    where: path,
  })
}

const isScenario = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'spec' in value &&
  typeof value.spec === 'object' &&
  value.spec !== null
