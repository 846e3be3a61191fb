import type { Command } from 'commander'
import type { NodeFiles } from './files.ts'

export interface Verdict {
  readonly code: number
  /** Where the run came to its end. */
  readonly digest?: string
}

/** What the arguments ask for. */
export interface Verb {
  act: (() => Promise<Verdict>) | null
  /** The command that shows a failure again. */
  reproduce: (() => string) | null
}

/** Puts a command with its options, help and action on the command line. */
export type RegisterVerb = (program: Command, files: NodeFiles, verb: Verb) => void

/** For options that may be repeated. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value]
