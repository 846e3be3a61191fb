import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  DEFAULT_PROFILE,
  isTcpProfile,
  TCP_PROFILE_NAMES,
  type TcpProfile,
} from '../protocols/tcp/profile.ts'
import type { Side } from '../sim/packetdrill/deviation.ts'
import { sideBySide } from '../sim/packetdrill/report.ts'
import { runScript, type ScriptOptions, type ScriptResult } from '../sim/packetdrill/run-script.ts'
import { didYouMean } from '../sim/suggest.ts'
import { UserError } from '../sim/user-error.ts'
import { EXIT_EXPECTATION, EXIT_OK } from './exit-codes.ts'
import { collect, type RegisterVerb } from './verb.ts'

export interface PacketdrillCommand {
  readonly profile: string
  readonly define: readonly string[]
  readonly option: readonly string[]
  readonly neutral: boolean
  readonly verbose: boolean
  readonly json: boolean
}

type Judged = ScriptResult & { readonly file: string }

/** Plays scripts, one host each, and says which passed. */
export function packetdrill(paths: readonly string[], command: PacketdrillCommand): number {
  const options: ScriptOptions = {
    profile: profileOf(command.profile),
    defines: pairsOf(command.define, '--define'),
    options: pairsOf(command.option, '--option'),
    neutral: command.neutral,
  }
  const all: Judged[] = []
  const say = (text: string): void => {
    process.stdout.write(`${text}\n`)
  }
  for (const file of paths.flatMap(scriptsAt)) {
    const result = { file, ...runScript(readScript(file), options) }
    all.push(result)
    if (command.json) continue
    if (command.verbose) for (const line of result.log) say(`${file}: ${line}`)
    for (const line of lines(result)) say(line)
  }
  const count = (verdict: ScriptResult['verdict']): number =>
    all.filter((each) => each.verdict === verdict).length
  const counts = {
    passed: count('passed'),
    failed: count('failed'),
    unsupported: count('unsupported'),
  }
  if (command.json) {
    say(JSON.stringify({ schema: 1, ...counts, scripts: all.map((r) => asJson(r, command)) }))
  } else say(`${counts.passed} passed, ${counts.failed} failed, ${counts.unsupported} unsupported`)
  return counts.passed === all.length ? EXIT_OK : EXIT_EXPECTATION
}

function profileOf(name: string): TcpProfile {
  if (isTcpProfile(name)) return name
  const hint = didYouMean(name, TCP_PROFILE_NAMES)
  throw new UserError(`there is no profile '${name}'`, { where: '--profile', hint })
}

function pairsOf(written: readonly string[], where: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const each of written) {
    const [, name, value = ''] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(each) ?? []
    if (name === undefined) {
      const hint = `write ${where} NAME=VALUE`
      throw new UserError(`'${each}' is no name with a value`, { where, hint })
    }
    pairs.set(name, value)
  }
  return pairs
}

/** A file, or every `.pkt` file below a folder, in the order of their names. */
function scriptsAt(path: string): string[] {
  if (!statOf(path).isDirectory()) return [path]
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pkt'))
    .sort()
  if (found.length === 0) {
    throw new UserError('no script', { where: path, hint: 'scripts end in .pkt' })
  }
  return found.map((name) => join(path, name))
}

function statOf(path: string) {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined) return found
  throw new UserError('there is no such file', { where: path, hint: 'name a script or a folder' })
}

function readScript(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (e) {
    throw new UserError(`it cannot be read: ${e instanceof Error ? e.message : String(e)}`, {
      where: file,
    })
  }
}

function lines(result: Judged): string[] {
  const { file, verdict, line, reason } = result
  if (verdict === 'passed') return [`${file}: passed`]
  return [`${file}:${line}: ${verdict}: ${reason}`, ...sideBySide(result)]
}

function asJson(
  { file, verdict, line, reason, expected, actual, log }: Judged,
  c: PacketdrillCommand,
) {
  const seconds = (side: Side) => ({ ...side, at: side.at === null ? null : side.at / 1e9 })
  return {
    file,
    verdict,
    ...(verdict === 'passed' ? {} : { line, reason }),
    ...(expected === null ? {} : { expected: seconds(expected) }),
    ...(actual === null ? {} : { actual: seconds(actual) }),
    ...(c.verbose ? { log } : {}),
  }
}

const EXAMPLES = `
Examples:
  $ twinwire packetdrill connect.pkt --verbose
  $ twinwire packetdrill scripts/ --profile freebsd --define FreeBSD=1
  $ twinwire packetdrill scripts/ --profile linux --neutral --option tolerance_usecs=10000
`

export const packetdrillVerb: RegisterVerb = (program, _files, verb) => {
  program
    .command('packetdrill')
    .description('play packetdrill scripts against the TCP in virtual time')
    .argument('<path...>', 'scripts, or folders of .pkt files')
    .option(
      '--profile <name>',
      `whose choices the TCP makes: ${TCP_PROFILE_NAMES.join(', ')}`,
      DEFAULT_PROFILE,
    )
    .option('-D, --define <name=value>', 'what a word stands for; may be repeated', collect, [])
    .option('-o, --option <name=value>', 'as at the head of a script, whose own count', collect, [])
    .option('--neutral', 'leave windows, padding and order of options aside', false)
    .option('-v, --verbose', 'every packet and call', false)
    .option('--json', 'one JSON object', false)
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], command: PacketdrillCommand) => {
      verb.act = async () => ({ code: packetdrill(paths, command) })
      verb.reproduce = null
    })
}
