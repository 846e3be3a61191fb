import type { Nanos } from '../../protocols/time.ts'

/** What was to be, or what was, and when; `text` in the notation of scripts. */
export interface Side {
  /** `null`: never, or whenever. */
  readonly at: Nanos | null
  readonly text: string
}

/** Something did not go as the script has it. */
export class Deviation extends Error {
  override name = 'Deviation'
  readonly line: number
  readonly expected: Side | null
  readonly actual: Side | null

  constructor(
    what: string,
    line: number,
    expected: Side | null = null,
    actual: Side | null = null,
  ) {
    super(what)
    this.line = line
    this.expected = expected
    this.actual = actual
  }
}
