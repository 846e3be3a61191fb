export interface UserErrorPlace {
  readonly hint?: string | undefined
  readonly where?: string | undefined
  readonly word?: string | undefined
}

/**
 * Something the user wrote cannot be used. Thrown anywhere, caught in one place of the command
 * line, and printed as one line: where, what, and what to do about it.
 */
export class UserError extends Error {
  override name = 'UserError'
  /** What to write instead. */
  readonly hint?: string
  /** The part of the input: `link a-b`, `--set loss`, `my.ts:12`. */
  readonly where?: string
  /** The offending piece as it was written, so that its line in a file can be found. */
  readonly word?: string

  constructor(message: string, about: UserErrorPlace = {}) {
    super(message)
    if (about.hint !== undefined) this.hint = about.hint
    if (about.where !== undefined) this.where = about.where
    if (about.word !== undefined) this.word = about.word
  }
}

/** The machine does not allow it: no space, no device, no capability. */
export class EnvironmentError extends Error {
  override name = 'EnvironmentError'
  /** The command or the setting that mends it. */
  readonly hint?: string

  constructor(message: string, hint?: string) {
    super(message)
    if (hint !== undefined) this.hint = hint
  }
}

/** A refusal as a value, for parsers: what is wrong, and what to write instead. */
export interface Refusal {
  readonly error: string
  readonly suggestion?: string
}

export const isRefusal = (x: unknown): x is Refusal =>
  typeof x === 'object' && x !== null && 'error' in x

/** Turns a refusal into the error that names the place. */
export function refused(refusal: Refusal, where: string, word?: string): UserError {
  return new UserError(refusal.error, { where, hint: refusal.suggestion, word })
}
