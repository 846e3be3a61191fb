import pc from 'picocolors'
import { type EnvironmentError, UserError } from '../sim/user-error.ts'

/** Messages are for people and go to stderr; colours only where a terminal shows them. */
export function message(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function errorLine(text: string): void {
  // Control characters of a path or a setting must not break the one line.
  // oxlint-disable-next-line no-control-regex
  const safe = text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
  message(`${colours().red('error:')} ${safe}`)
}

/** One line: where, what, and what to do about it. */
export function describe(e: UserError | EnvironmentError): string {
  const where = e instanceof UserError && e.where !== undefined ? `${e.where}: ` : ''
  return `${where}${e.message}${e.hint === undefined ? '' : `; ${e.hint}`}`
}

export function colours() {
  const env = process.env
  const wanted = process.stderr.isTTY && env['TERM'] !== 'dumb'
  return pc.createColors(wanted && (env['NO_COLOR'] ?? '') === '')
}
