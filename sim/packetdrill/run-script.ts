import { DEFAULT_PROFILE, policyOf, type TcpProfile } from '../../protocols/tcp/profile.ts'
import { inPlace } from '../driver.ts'
import { Deviation, type Side } from './deviation.ts'
import { parseScript } from './parse-script.ts'
import { Play } from './play.ts'
import { ScriptSyntaxError, Unsupported } from './script.ts'
import type { Drive } from './stage.ts'
import { checkSupport } from './support.ts'

export interface ScriptOptions {
  readonly profile?: TcpProfile
  /** `--define`: what words of the script stand for. */
  readonly defines?: ReadonlyMap<string, string>
  /** Options as at the head of a script; those that it has itself count. */
  readonly options?: ReadonlyMap<string, string>
  /** See `PlayConfig`. */
  readonly neutral?: boolean
  /** How the host's steps are run. Default: in place. */
  readonly drive?: Drive
}

export interface ScriptResult {
  readonly verdict: 'passed' | 'failed' | 'unsupported'
  /** Where it ended, counted from 1; 0 where it passed. */
  readonly line: number
  /** What deviates, or the word that is not supported; empty where it passed. */
  readonly reason: string
  readonly expected: Side | null
  readonly actual: Side | null
  /** Every packet and call with its time in seconds. */
  readonly log: readonly string[]
}

/**
 * Plays a packetdrill script against one host in virtual time. A script that has anything that is
 * not known is `unsupported`, whether it would get there or not.
 */
export function runScript(source: string, options: ScriptOptions = {}): ScriptResult {
  const {
    profile = DEFAULT_PROFILE,
    defines = new Map(),
    options: given = new Map(),
    neutral = false,
    drive = inPlace,
  } = options
  let log: readonly string[] = []
  const ended = (
    verdict: ScriptResult['verdict'],
    line: number,
    reason: string,
    sides: Partial<Deviation> = {},
  ): ScriptResult => {
    const { expected = null, actual = null } = sides
    return { verdict, line, reason, expected, actual, log }
  }
  try {
    const script = parseScript(source, defines, given)
    checkSupport(script)
    const play = new Play(script, { drive, policy: policyOf(profile), neutral })
    log = play.log
    play.run()
    return ended('passed', 0, '')
  } catch (e) {
    if (e instanceof Unsupported) return ended('unsupported', e.line, e.word)
    if (e instanceof ScriptSyntaxError) return ended('failed', e.line, `syntax: ${e.message}`)
    if (e instanceof Deviation) return ended('failed', e.line, e.message, e)
    throw e
  }
}
