import { formatDuration, parseDuration } from '../sim/units.ts'
import { UserError, isRefusal, refused } from '../sim/user-error.ts'
import type { Command } from 'commander'
import { collect } from './verb.ts'

/** What `run` and `verify` have in common. */
export interface RunSettings {
  readonly seed: string
  readonly set: readonly string[]
  readonly until?: string
}

/** `['loss=5%']` as `{ loss: '5%' }`. */
export function readSettings(set: readonly string[]): { [name: string]: string } {
  const settings: { [name: string]: string } = {}
  for (const text of set) {
    const equals = text.indexOf('=')
    if (equals < 1) {
      throw new UserError(`'${text}' sets nothing`, {
        where: '--set',
        hint: `write --set ${equals === 0 ? 'NAME' : text}${equals === 0 ? text : '=VALUE'}`,
      })
    }
    const name = text.slice(0, equals)
    if (Object.hasOwn(settings, name)) {
      throw new UserError('is set twice', { where: `--set ${name}` })
    }
    settings[name] = text.slice(equals + 1)
  }
  return settings
}

/** Nanoseconds. */
export function readUntil(text: string): number {
  const until = parseDuration(text)
  if (isRefusal(until)) throw refused(until, '--until')
  return until
}

/** The command that does the same again, for a shell. */
export function reproduceCommand(
  verb: string,
  scenario: string,
  { seed, set, until }: RunSettings,
  flags: readonly string[] = [],
): string {
  const words = ['twinwire', verb, scenario, '--seed', seed]
  for (const setting of set) words.push('--set', setting)
  if (until !== undefined) words.push('--until', formatDuration(readUntil(until)))
  return [...words, ...flags].map(quoted).join(' ')
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Of commands that run a scenario. */
export const runOptions = (command: Command): Command =>
  command
    .argument('<scenario>', 'a name, or the path of a scenario file')
    .option('--seed <text>', 'the seed of all chance', '1')
    .option('--set <name=value>', 'a parameter; may be repeated', collect, [])
    .option('--until <duration>', 'the latest end, in simulated time: 60s')
