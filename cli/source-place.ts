import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvariantError } from '../protocols/assert.ts'
import { UserError } from '../sim/user-error.ts'

/** Absolute paths of the files that a user's scenario consists of. */
export type SourceFiles = readonly string[]

/**
 * Finds the line of the user's file that an error comes from: by the stack, or, for a piece of
 * the scenario that cannot be used, by where that piece is written. Errors that have nothing to
 * do with the user's files come back as they are.
 */
export function blame(
  e: unknown,
  sources: SourceFiles,
  locate?: (e: UserError) => string,
): unknown {
  if (sources.length === 0 || e instanceof InvariantError) return e
  if (!(e instanceof Error)) {
    return new UserError(`threw ${String(e)}`, { where: shown(sources[0]!) })
  }
  if (e instanceof UserError) {
    const place = locate?.(e) ?? stackPlace(e, sources) ?? writtenPlace(e.word, sources)
    // What the command line says is not in the file.
    if (place === null || e.where?.startsWith('--') === true) return e
    const where = e.where === undefined ? place : `${place}: ${e.where}`
    return new UserError(e.message, { where, hint: e.hint })
  }
  const place = stackPlace(e, sources)
  return place === null ? e : new UserError(`${e.name}: ${e.message}`, { where: place })
}

/** The innermost frame of the stack that is in one of the files, as `my.ts:12`. */
export function stackPlace(e: Error, sources: SourceFiles): string | null {
  for (const line of (e.stack ?? '').split('\n')) {
    const match = /^\s*at .*?\(?((?:file:\/\/)?\/[^()]*?):(\d+):\d+\)?$/.exec(line)
    if (match === null) continue
    const path = match[1]!.startsWith('file:') ? fileURLToPath(match[1]!) : match[1]!
    if (sources.includes(path)) return `${shown(path)}:${match[2]!}`
  }
  return null
}

/** The line on which a word is written, if it is only one. */
function writtenPlace(word: string | undefined, sources: SourceFiles): string | null {
  if (word === undefined || word === '') return null
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const whole = new RegExp(String.raw`(?<![\w.])${escaped}(?![\w.])`)
  const found: string[] = []
  for (const path of sources) {
    readFileSync(path, 'utf8')
      .split('\n')
      .forEach((line, index) => {
        if (whole.test(line)) found.push(`${shown(path)}:${index + 1}`)
      })
  }
  return found.length === 1 ? found[0]! : null
}

function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
