import type { z } from 'zod'
import { didYouMean, nearest } from '../sim/suggest.ts'
import { UserError } from '../sim/user-error.ts'
import { scenarioSchema } from './yaml-schema.ts'
import type { Path, YamlSource } from './yaml-source.ts'

/** What a scenario file holds, in its form as the schema has it. */
export type ScenarioData = z.infer<typeof scenarioSchema>

type Issue = z.core.$ZodIssue

/**
 * Checks the form of a scenario file.
 *
 * @throws UserError with file and line for the first thing that has another form.
 */
export function checkForm(source: YamlSource): ScenarioData {
  const result = scenarioSchema.safeParse(source.data, { reportInput: true })
  if (result.success) return result.data
  const { issue, path } = innermost(result.error.issues[0]!, [])
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    throw new UserError(`unknown key '${key}'`, {
      where: inWords(source.placeOf([...path, key]), path),
      hint: didYouMean(key, issue.message.split(' ')),
    })
  }
  const value = valueAt(source.data, path)
  const name = path.at(-1)
  if (value === undefined && typeof name === 'string') {
    const parent = path.slice(0, -1)
    throw new UserError(`'${name}' is missing`, { where: inWords(source.placeOf(parent), parent) })
  }
  const near = typeof value === 'string' ? nearest(value, wordsOf(issue)) : null
  const expected = issue.message.replace('Invalid input: ', '')
  throw new UserError(`found ${shown(value)}`, {
    where: inWords(source.placeOf(path), path),
    hint: near === null ? expected : `did you mean '${near}'?`,
  })
}

/** Of the alternatives that a value might have been, the one that it was meant to be. */
function innermost(issue: Issue, before: Path): { readonly issue: Issue; readonly path: Path } {
  const path = [...before, ...(issue.path as (string | number)[])]
  if (issue.code !== 'invalid_union') return { issue, path }
  const close = issue.errors
    .map((issues) => issues as readonly Issue[])
    .filter((issues) => issues.length > 0 && !issues.some((each) => isOtherKind(each)))
    .toSorted((a, b) => a.length - b.length)
  const best = close[0]?.[0]
  return best === undefined ? { issue, path } : innermost(best, path)
}

/** The value is of another kind altogether, or what makes it one of this kind is not there. */
function isOtherKind(issue: Issue): boolean {
  if (issue.path.length === 0) {
    return issue.code !== 'unrecognized_keys' && issue.code !== 'invalid_union'
  }
  return issue.path.length === 1 && issue.input === undefined
}

/** Words that would have been right. */
function wordsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code !== 'invalid_union') return []
  const { options } = issue as { options?: readonly unknown[] }
  return options?.map(String) ?? issue.errors.flat().flatMap(wordsOf)
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as { readonly [key: string]: unknown })[step]
  }
  return value
}

function shown(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a record'
  const text = `${value as string | number | boolean}`
  return text.length > 60 ? `'${text.slice(0, 60)}…'` : `'${text}'`
}

/** `my.yaml:12: links 2: to: b`; things in lists are counted from 1. */
function inWords(place: string, path: Path): string {
  const words: string[] = []
  for (const step of path) {
    if (typeof step === 'number') words.push(`${words.pop() ?? ''} ${step + 1}`)
    else words.push(step)
  }
  return [place, ...words].join(': ')
}
