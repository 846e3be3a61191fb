import { Command, CommanderError } from 'commander'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { chatVerb } from './chat.ts'
import { endQuietlyWithoutReader } from './data-out.ts'
import { encapsulateVerb } from './encapsulate.ts'
import { doctorVerb } from './doctor.ts'
import { echoVerb } from './echo.ts'
import { emulateVerb } from './emulate.ts'
import {
  EXIT_ENVIRONMENT,
  EXIT_EXPECTATION,
  EXIT_INTERNAL,
  EXIT_OK,
  EXIT_USER,
} from './exit-codes.ts'
import { experimentVerb } from './experiment.ts'
import { NodeFiles } from './files.ts'
import { liveVerb } from './live.ts'
import { listVerb } from './list.ts'
import { p2mpFtpVerb } from './p2mp-ftp.ts'
import { packageVersion } from './package-root.ts'
import { packetdrillVerb } from './packetdrill.ts'
import { pingVerb } from './ping.ts'
import { plotVerb } from './plot.ts'
import { readVerb } from './read.ts'
import { describe, errorLine, message } from './report.ts'
import { replayVerb } from './replay.ts'
import { runVerb } from './run.ts'
import { schemaVerb } from './schema-verb.ts'
import { simpleFtpVerb } from './simple-ftp.ts'
import { stackVerb } from './stack.ts'
import { tcVerb } from './tc.ts'
import { tunnelVerb } from './tunnel.ts'
import { type RegisterVerb, type Verb } from './verb.ts'
import { verifyVerb } from './verify.ts'

const EXAMPLES = `
Examples:
  $ twinwire list
  $ twinwire run file-transfer
  $ twinwire run file-transfer --seed 7 --set loss=5% --trace
  $ twinwire run ./my-scenario.ts --until 10s -w my.pcapng
  $ twinwire verify file-transfer`

const COLUMNS = 100

/** In the order in which `--help` lists them. */
const VERBS: readonly RegisterVerb[] = [
  runVerb,
  verifyVerb,
  listVerb,
  schemaVerb,
  readVerb,
  plotVerb,
  tcVerb,
  packetdrillVerb,
  liveVerb,
  replayVerb,
  emulateVerb,
  doctorVerb,
  stackVerb,
  echoVerb,
  pingVerb,
  encapsulateVerb,
  chatVerb,
  p2mpFtpVerb,
  simpleFtpVerb,
  tunnelVerb,
  experimentVerb,
]

/** The whole command line: from arguments without the program's name to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const files = new NodeFiles()
  endQuietlyWithoutReader(() => files.discardAll())
  process.on('exit', () => files.discardAll())
  const verb: Verb = { act: null, reproduce: null }
  try {
    await commandLine(files, verb).parseAsync([...args], { from: 'user' })
    const { code, digest } = verb.act === null ? { code: EXIT_OK } : await verb.act()
    if (code === EXIT_EXPECTATION || code === EXIT_INTERNAL) sayHowToReproduce(verb, digest)
    return code
  } catch (e) {
    return failed(e, verb)
  }
}

function commandLine(files: NodeFiles, verb: Verb): Command {
  const program = new Command('twinwire')
    .description('A deterministic network simulator with a TCP of its own.')
    .version(packageVersion())
    .exitOverride()
    .configureHelp({ helpWidth: COLUMNS })
    .configureOutput({ outputError: (text) => errorLine(oneLine(text)) })
    .showHelpAfterError(false)
    .addHelpText('after', EXAMPLES)
  for (const register of VERBS) register(program, files, verb)
  return program
}

function failed(e: unknown, verb: Verb): number {
  // Commander has said already what is wrong, or has shown the help that was asked for.
  if (e instanceof CommanderError) return e.exitCode === 0 ? EXIT_OK : EXIT_USER
  if (e instanceof UserError) {
    errorLine(describe(e))
    return EXIT_USER
  }
  if (e instanceof EnvironmentError) {
    errorLine(describe(e))
    return EXIT_ENVIRONMENT
  }
  const stack = e instanceof Error ? (e.stack ?? `${e.name}: ${e.message}`) : String(e)
  errorLine('internal error, a defect of twinwire')
  message(stack)
  sayHowToReproduce(verb)
  return EXIT_INTERNAL
}

function sayHowToReproduce(verb: Verb, digest?: string): void {
  if (verb.reproduce === null) return
  // A comment to the shell: what the same run must give.
  const expected = digest === undefined ? '' : ` # digest ${digest}`
  message(`reproduce: ${verb.reproduce()}${expected}`)
}

/** Commander puts its suggestion on a line of its own. */
const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
