import type { Nanos } from '../protocols/time.ts'
import type { Files, StoredFile } from './files.ts'
import { didYouMean, nearest } from './suggest.ts'
import {
  formatDuration,
  formatRate,
  formatRatio,
  formatSize,
  parseCount,
  parseDuration,
  parseRate,
  parseRatio,
  parseSize,
} from './units.ts'
import { type Refusal, UserError, isRefusal, refused } from './user-error.ts'

/** What a scenario lets its user set, with its default and a phrase that says what it is. */
export type Param =
  | Numeric<'duration'>
  | Numeric<'rate'>
  | Numeric<'size'>
  | Numeric<'ratio'>
  | Numeric<'count'>
  | { readonly kind: 'text'; readonly default: string; readonly about: string }
  | { readonly kind: 'flag'; readonly default: boolean; readonly about: string }
  | ChoiceParam<string>
  | FileParam
  | OutputParam

interface Numeric<Kind> {
  readonly kind: Kind
  readonly default: number
  readonly about: string
}
interface ChoiceParam<Choice extends string> {
  readonly kind: 'choice'
  readonly choices: readonly Choice[]
  readonly default: Choice
  readonly about: string
}
interface FileParam {
  readonly kind: 'file'
  /** A path; `null` where the user must name one. */
  readonly default: string | null
  readonly about: string
}
interface OutputParam {
  readonly kind: 'output'
  readonly about: string
}

export type Params = { readonly [name: string]: Param }

/**
 * The values of parameters: nanoseconds, bits per second, bytes, a share from 0 to 1, a count;
 * the file that was read; the path to write to, `null` where none was given.
 */
export type ParamValues<P extends Params> = { readonly [Name in keyof P]: ParamValue<P[Name]> }

type ParamValue<P extends Param> = P extends { kind: 'duration' }
  ? Nanos
  : P extends { kind: 'rate' | 'size' | 'ratio' | 'count' }
    ? number
    : P extends { kind: 'text' }
      ? string
      : P extends { kind: 'flag' }
        ? boolean
        : P extends ChoiceParam<infer Choice>
          ? Choice
          : P extends { kind: 'file' }
            ? StoredFile
            : string | null

/** Nanoseconds. */
export const duration = (byDefault: string, about = ''): Numeric<'duration'> =>
  numeric('duration', byDefault, about)
/** Bits per second; 0 for `unlimited`. */
export const rate = (byDefault: string, about = ''): Numeric<'rate'> =>
  numeric('rate', byDefault, about)
/** Bytes. */
export const size = (byDefault: string, about = ''): Numeric<'size'> =>
  numeric('size', byDefault, about)
/** A share from 0 to 1, written `'5%'`. */
export const ratio = (byDefault: string, about = ''): Numeric<'ratio'> =>
  numeric('ratio', byDefault, about)
export const count = (byDefault: number, about = ''): Numeric<'count'> =>
  numeric('count', byDefault, about)

export const text = (byDefault: string, about = ''): Param & { readonly kind: 'text' } => ({
  kind: 'text',
  default: byDefault,
  about,
})
export const flag = (byDefault: boolean, about = ''): Param & { readonly kind: 'flag' } => ({
  kind: 'flag',
  default: byDefault,
  about,
})
/** One of several words; the first is the default. */
export function choice<const Choice extends string>(
  choices: readonly [Choice, ...Choice[]],
  about = '',
): ChoiceParam<Choice> {
  return { kind: 'choice', choices, default: choices[0], about }
}
/** A file that is read before the run. A path that starts with `shipped:` comes with the package. */
export const file = (byDefault: string | null, about = ''): FileParam => ({
  kind: 'file',
  default: byDefault,
  about,
})
/** Where to write a file; nowhere unless the user says so. */
export const output = (about = ''): OutputParam => ({ kind: 'output', about })

export interface ResolvedParams<P extends Params> {
  readonly values: ParamValues<P>
  /** The same as text that would set them again; parameters without a value are left out. */
  readonly text: { readonly [name: string]: string }
}

/**
 * Applies settings to parameters: `{ loss: '5%' }`. Reads the files that parameters name and
 * checks that outputs can be written.
 *
 * @throws UserError for an unknown name, a value of the wrong kind, a file that cannot be used.
 */
export function resolveParams<P extends Params>(
  params: P,
  settings: { readonly [name: string]: string },
  files: Files,
): ResolvedParams<P> {
  const names = Object.keys(params)
  for (const name of Object.keys(settings)) {
    if (Object.hasOwn(params, name)) continue
    const hint = names.length === 0 ? 'this scenario has none' : didYouMean(name, names)
    throw new UserError(`there is no parameter '${name}'`, {
      where: `--set ${name}`,
      hint,
    })
  }
  const values: { [name: string]: unknown } = {}
  const texts: { [name: string]: string } = {}
  for (const name of names) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
    const value = resolve(name, params[name]!, setting, files)
    values[name] = value
    const shown = setting ?? defaultText(params[name]!)
    if (shown !== null) texts[name] = shown
  }
  return { values: values as ParamValues<P>, text: texts }
}

/** A parameter's default as one would write it; `null` where it has none. */
export function defaultText(param: Param): string | null {
  switch (param.kind) {
    case 'duration':
      return formatDuration(param.default)
    case 'rate':
      return formatRate(param.default)
    case 'size':
      return formatSize(param.default)
    case 'ratio':
      return formatRatio(param.default)
    case 'count':
    case 'flag':
      return String(param.default)
    case 'output':
      return null
    default:
      return param.default
  }
}

function resolve(name: string, param: Param, setting: string | undefined, files: Files): unknown {
  const where = `--set ${name}`
  if (param.kind === 'output') {
    if (setting === undefined) return null
    if (setting === '') throw new UserError('the path is empty', { where })
    inPlace(where, () => files.create(setting).discard())
    return setting
  }
  if (param.kind === 'file') {
    const path = setting ?? param.default
    if (path !== null && path !== '') return inPlace(where, () => files.read(path))
    throw new UserError('names no file', { where, hint: `give one: --set ${name}=PATH` })
  }
  if (setting === undefined) return param.default
  const value = parseSetting(param, setting)
  if (isRefusal(value)) throw refused(value, where)
  return value
}

function parseSetting(
  param: Exclude<Param, FileParam | OutputParam>,
  setting: string,
): string | number | boolean | Refusal {
  switch (param.kind) {
    case 'text':
      return setting
    case 'flag':
      return parseFlag(setting)
    case 'choice':
      return parseChoice(param.choices, setting)
    default:
      return PARSERS[param.kind](setting)
  }
}

const PARSERS = {
  duration: parseDuration,
  rate: parseRate,
  size: parseSize,
  ratio: parseRatio,
  count: parseCount,
}

function parseFlag(setting: string): boolean | Refusal {
  if (['true', 'yes', 'on'].includes(setting)) return true
  if (['false', 'no', 'off'].includes(setting)) return false
  return { error: `'${setting}' is neither true nor false`, suggestion: "write 'true' or 'false'" }
}

function parseChoice(choices: readonly string[], setting: string): string | Refusal {
  if (choices.includes(setting)) return setting
  const near = nearest(setting, choices)
  const all = `expected ${choices.join(', ')}`
  return {
    error: `'${setting}' is not a choice`,
    suggestion: near === null ? all : `did you mean '${near}'? (${all})`,
  }
}

function numeric<Kind extends keyof typeof PARSERS>(
  kind: Kind,
  byDefault: string | number,
  about: string,
): Numeric<Kind> {
  const value = PARSERS[kind](byDefault)
  if (isRefusal(value)) throw refused(value, `default of a ${kind} parameter`, String(byDefault))
  return { kind, default: value, about }
}

/** Adds the place to a user error that does not know it. */
function inPlace<T>(where: string, act: () => T): T {
  try {
    return act()
  } catch (e) {
    if (!(e instanceof UserError) || e.where !== undefined) throw e
    throw new UserError(e.message, { where, hint: e.hint })
  }
}
