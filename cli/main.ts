import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { endQuietlyWithoutReader } from './data-out.ts'
import {
  EXIT_ENVIRONMENT,
  EXIT_EXPECTATION,
  EXIT_INTERNAL,
  EXIT_OK,
  EXIT_USER,
} from './exit-codes.ts'
import { NodeFiles } from './files.ts'
import { list } from './list.ts'
import { packageRoot } from './package-root.ts'
import { packetdrill, type PacketdrillCommand } from './packetdrill.ts'
import { type PlotCommand, plot } from './plot.ts'
import { type ReadCommand, read } from './read.ts'
import { describe, errorLine, message } from './report.ts'
import { type RunCommand, type Verdict, run, runReproduction } from './run.ts'
import type { RunSettings } from './settings.ts'
import { type TcCommand, tc } from './tc.ts'
import { verify, verifyReproduction } from './verify.ts'

const EXAMPLES = `
Examples:
  $ twinwire list
  $ twinwire run file-transfer
  $ twinwire run file-transfer --seed 7 --set loss=5% --trace
  $ twinwire run ./my-scenario.ts --until 10s -w my.pcapng
  $ twinwire verify file-transfer`

const RUN_EXAMPLES = `
Examples:
  $ twinwire run file-transfer --set loss=5% --set file=photo.jpg --set out=copy.jpg
  $ twinwire run file-transfer --trace | grep DROP
  $ twinwire run file-transfer -w - | tshark -r -
  $ twinwire run file-transfer --json

'twinwire list SCENARIO' shows what --set can change. Stdout carries one thing: the capture with
'-w -', else the object with --json, else the lines with --trace, else the summary.
Exit codes: 0 passed, 1 an expectation failed, 2 wrong usage or input, 3 an internal error,
4 the machine does not allow it, 130 interrupted.`

const VERIFY_EXAMPLES = `
Examples:
  $ twinwire verify file-transfer
  $ twinwire verify dumbbell --seed 7 --set loss=1%

Prints the one digest that all runs have, or the first record that differs and exit code 3.`

const READ_EXAMPLES = `
Examples:
  $ twinwire read capture.pcapng --filter 'tcp port 80 and host 10.0.0.1'
  $ twinwire read capture.pcap --filter 'tcp[tcpflags] & tcp-syn != 0' -v -c 1
  $ tcpdump -w - -i eth0 | twinwire read -`

const TC_EXAMPLES = `
Examples:
  $ twinwire tc dumbbell
  $ twinwire tc file-transfer --link 'a>b' --dev eth0 | sudo sh -x
  $ twinwire tc file-transfer --link 'a>b' --mahimahi 60s > link.trace`

const PLOT_EXAMPLES = `
Examples:
  $ twinwire run dumbbell --series run.ndjson
  $ twinwire plot run.ndjson --queue --of 'r1>r2'
  $ twinwire plot run.ndjson --cwnd --rtt --queue -o plot.html

Without --cwnd and its like: windows, round-trip times and queues.`

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

/** What the arguments ask for. */
interface Verb {
  act: (() => Promise<Verdict>) | null
  reproduce: (() => string) | null
}

function commandLine(files: NodeFiles, verb: Verb): Command {
  const program = new Command('twinwire')
    .description('A deterministic network simulator with a TCP of its own.')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: (text) => errorLine(oneLine(text)) })
    .showHelpAfterError(false)
    .addHelpText('after', EXAMPLES)
  runOptions(program.command('run').description('run a scenario once'))
    .option('--trace', 'a line for everything that happens', false)
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--series <file>', 'how windows, round-trip times and queues change: .ndjson or .csv')
    .option('--json', 'the outcome as one JSON object', false)
    .option('--recorded', 'keep every state (slower, same digest)', false)
    .option('--update-digest', 'record the digest: later runs are held against it', false)
    .option('--wire-exact', 'encode and parse every frame (slower, same digest)', false)
    .addHelpText('after', RUN_EXAMPLES)
    .action((name: string, command: RunCommand) => {
      verb.act = () => run(name, command, files)
      verb.reproduce = () => runReproduction(name, command)
    })
  runOptions(program.command('verify').description('run a scenario in every way and compare'))
    .addHelpText('after', VERIFY_EXAMPLES)
    .action((name: string, settings: RunSettings) => {
      verb.act = () => verify(name, settings, files)
      verb.reproduce = () => verifyReproduction(name, settings)
    })
  program
    .command('tc')
    .description('print the links of a scenario as tc(8) commands')
    .argument('<scenario>', 'a name, or the path of a scenario file')
    .option('--set <name=value>', 'a parameter; may be repeated', collect, [])
    .option('--link <direction>', 'only this one: a>b')
    .option('--dev <device>', 'for this device, not for namespaces named after the nodes')
    .option('--mahimahi <duration>', "a delivery trace of the link's rate instead")
    .addHelpText('after', TC_EXAMPLES)
    .action((name: string, command: TcCommand) => {
      verb.act = async () => ({ code: await tc(name, command, files) })
    })
  readVerb(program, files, verb)
  plotVerb(program, files, verb)
  packetdrillVerb(program, verb)
  program
    .command('schema')
    .description('print the JSON Schema of scenario files')
    .action(() => {
      verb.act = async () => ({ code: (await import('./schema.ts')).schema() })
    })
  program
    .command('list')
    .description('list the scenarios, or show one with its parameters')
    .argument('[scenario]', 'a name, or the path of a scenario file')
    .option('--json', 'as one JSON object', false)
    .action((name: string | undefined, { json }: { json: boolean }) => {
      verb.act = async () => ({ code: await list(name, json) })
    })
  return program
}

function readVerb(program: Command, files: NodeFiles, verb: Verb): void {
  program
    .command('read')
    .description('show the frames of a capture file')
    .argument('<file>', "pcap or pcapng; '-' is stdin")
    .option('--filter <expression>', "'tcp and host 10.0.0.1'")
    .option('-c, --count <number>', 'at most so many frames')
    .option('-v, --verbose', 'header fields', false)
    .option('-x, --hex', 'the bytes behind the Ethernet header', false)
    .option('-S, --absolute', 'TCP numbers as they are on the wire', false)
    .option('--json', 'one JSON object a line', false)
    .addHelpText('after', READ_EXAMPLES)
    .action((file: string, command: ReadCommand) => {
      verb.act = async () => ({ code: read(file, command, files) })
    })
}

function plotVerb(program: Command, files: NodeFiles, verb: Verb): void {
  program
    .command('plot')
    .description('draw time series of a run: text, or a page')
    .argument('<file>', "what 'run --series FILE.ndjson' has written")
    .option('--cwnd', 'congestion windows')
    .option('--ssthresh', 'slow-start thresholds')
    .option('--flight', 'bytes in flight')
    .option('--rtt', 'smoothed round-trip times')
    .option('--rto', 'retransmission timeouts')
    .option('--queue', 'queues in frames')
    .option('--queue-bytes', 'queues in bytes')
    .option('--of <text>', 'only what has this in its name: r1>r2')
    .option('-o, --output <file>', 'a page for the browser, complete in itself')
    .addHelpText('after', PLOT_EXAMPLES)
    .action((file: string, command: PlotCommand) => {
      verb.act = async () => ({ code: plot(file, command, files) })
    })
}

function packetdrillVerb(program: Command, verb: Verb): void {
  program
    .command('packetdrill')
    .description('play packetdrill scripts against the TCP in virtual time')
    .argument('<path...>', 'scripts, or folders of .pkt files')
    .option('--profile <name>', 'whose choices the TCP makes', 'rfc')
    .option('-D, --define <name=value>', 'what a word stands for; may be repeated', collect, [])
    .option('--neutral', 'leave windows, padding and order of options aside', false)
    .option('-v, --verbose', 'every packet and call', false)
    .option('--json', 'one JSON object', false)
    .action((paths: string[], command: PacketdrillCommand) => {
      verb.act = async () => ({ code: packetdrill(paths, command) })
      verb.reproduce = null
    })
}

const runOptions = (command: Command): Command =>
  command
    .argument('<scenario>', 'a name, or the path of a scenario file')
    .option('--seed <text>', 'the seed of all chance', '1')
    .option('--set <name=value>', 'a parameter; may be repeated', collect, [])
    .option('--until <duration>', 'the latest end, in simulated time: 60s')

const collect = (value: string, before: readonly string[]): string[] => [...before, value]

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

function version(): string {
  const manifest = readFileSync(join(packageRoot, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
