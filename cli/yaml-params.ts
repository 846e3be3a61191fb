import type { StoredFile } from '../sim/files.ts'
import {
  type Param,
  type Params,
  choice,
  count,
  defaultText,
  duration,
  file,
  flag,
  output,
  rate,
  ratio,
  size,
  text,
} from '../sim/params.ts'
import { didYouMean } from '../sim/suggest.ts'
import { parseCount } from '../sim/units.ts'
import { UserError, isRefusal, refused } from '../sim/user-error.ts'
import type { YamlSource } from './yaml-source.ts'

/** A parameter as a file declares it; the schema has made sure of its form. */
interface Declared {
  readonly kind: Param['kind']
  readonly default?: unknown
  readonly choices?: readonly string[]
  readonly about?: string
}

type Values = { readonly [name: string]: unknown }

/** @throws UserError for a default that cannot be right. */
export function readParams(declared: { readonly [name: string]: unknown }): Params {
  const params = Object.entries(declared).map(([name, written]) => {
    try {
      return [name, readParam(written as Declared)] as const
    } catch (e) {
      if (!(e instanceof UserError)) throw e
      throw new UserError(e.message, { where: `param ${name}`, hint: e.hint, word: e.word })
    }
  })
  return Object.fromEntries(params)
}

const NUMERIC = { duration, rate, size, ratio }

function readParam({ kind, default: byDefault, choices, about = '' }: Declared): Param {
  switch (kind) {
    case 'duration':
    case 'rate':
    case 'size':
    case 'ratio':
      return NUMERIC[kind](byDefault as string, about)
    case 'count': {
      const value = parseCount(byDefault as string | number)
      if (isRefusal(value)) throw refused(value, '', String(byDefault))
      return count(value, about)
    }
    case 'text':
      return text(byDefault as string, about)
    case 'flag':
      return flag(byDefault as boolean, about)
    case 'choice':
      return choice(choices as [string, ...string[]], about)
    case 'file':
      return file((byDefault as string | null | undefined) ?? null, about)
    case 'output':
      return output(about)
  }
}

/** `${name}`, alone or within a text. */
const PLACE = /\$\{\s*([^}]*?)\s*\}/g

/** @throws UserError with its line for the first `${name}` that is no parameter. */
export function checkPlaces(source: YamlSource, params: Params): void {
  const names = Object.keys(params)
  for (const { text: written, place } of source.texts()) {
    for (const [, name] of written.matchAll(PLACE)) {
      if (Object.hasOwn(params, name!)) continue
      const hint = names.length === 0 ? 'the file has no params' : didYouMean(name!, names)
      throw new UserError(`there is no parameter '${name!}'`, { where: place, hint })
    }
  }
}

/**
 * The same data with every `${name}` replaced: alone by the parameter's value, within a text by
 * what would be written for it.
 */
export function fill(data: unknown, params: Params, values: Values): unknown {
  if (typeof data === 'string') {
    const alone = /^\$\{\s*([^}]*?)\s*\}$/.exec(data)?.[1]
    if (alone !== undefined) return values[alone]
    return data.replaceAll(PLACE, (_, name: string) => inText(params[name]!, values[name]))
  }
  if (Array.isArray(data)) return data.map((item) => fill(item, params, values))
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, fill(value, params, values)]),
  )
}

function inText(param: Param, value: unknown): string {
  if (param.kind === 'file') return (value as StoredFile).name
  if (param.kind === 'output') return (value as string | null) ?? ''
  return defaultText({ ...param, default: value } as Param) ?? ''
}
