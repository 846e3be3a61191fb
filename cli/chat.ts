import { randomBytes } from 'node:crypto'
import { createInterface, type Interface } from 'node:readline'
import pc from 'picocolors'
import { type Endpoint, formatIp } from '../protocols/address.ts'
import { toHex } from '../protocols/bytes.ts'
import {
  CHAT_HELP,
  chatClient,
  type ChatClientReport,
  createChatClient,
} from '../protocols/chat/client.ts'
import { isName } from '../protocols/chat/commands.ts'
import { CHAT_DEFAULT, CHAT_SEED, type ChatPolicy } from '../protocols/chat/policy.ts'
import { chatServer } from '../protocols/chat/server.ts'
import { createChatServer } from '../protocols/chat/state.ts'
import { NEVER } from '../protocols/time.ts'
import { didYouMean } from '../sim/suggest.ts'
import { UserError } from '../sim/user-error.ts'
import { EXIT_EXPECTATION, EXIT_OK } from './exit-codes.ts'
import { addressOf, cannotListen, hostFor, onKernel, portOf } from './kernel-app.ts'
import { errorLine, message } from './report.ts'
import type { RegisterVerb } from './verb.ts'

interface ServerCommand {
  readonly listen: string
  readonly port: string
  readonly profile: string
}

interface ClientCommand {
  readonly host: string
  readonly port: string
  /** `false`: the server knows no keys. */
  readonly key: string | boolean
}

const PROFILES: { readonly [name: string]: ChatPolicy } = { default: CHAT_DEFAULT, seed: CHAT_SEED }

/** As Python writes an address, since that is what readers of these lines look for. */
const pythonAddress = ({ address, port }: Endpoint): string => `('${formatIp(address)}', ${port})`

async function server(command: ServerCommand): Promise<number> {
  const policy = PROFILES[command.profile]
  if (policy === undefined) {
    throw new UserError(`there is no profile '${command.profile}'`, {
      where: '--profile',
      hint: didYouMean(command.profile, Object.keys(PROFILES)),
    })
  }
  const port = portOf(command.port, '--port')
  const address = await addressOf(command.listen)
  const host = hostFor(address)
  const say = (text: string) => void process.stdout.write(`${text}\n`)
  return onKernel(host, (_done, fail) => {
    const state = createChatServer({ ...policy, port }, address)
    host.run(chatServer, state, (report) => {
      if (report.kind === 'refused') return fail(cannotListen(address, port, report.error))
      const from = pythonAddress(report.remote)
      if (report.kind === 'connected') return say(`[CONNECT] ${from}`)
      say(`[DISCONNECT] ${from} user=${report.name ?? 'None'}`)
    })
    say(`[SERVER] Listening on ${formatIp(address)}:${port}`)
  })
}

async function client(name: string, command: ClientCommand): Promise<number> {
  if (!isName(name)) {
    throw new UserError(`'${name}' is no name`, {
      hint: 'up to 32 letters, digits, dots, - or _',
    })
  }
  const address = await addressOf(command.host)
  const port = portOf(command.port, '--port')
  const key =
    command.key === false ? '' : command.key === true ? toHex(randomBytes(8)) : command.key
  const host = hostFor(address)
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  const input = createInterface({
    input: process.stdin,
    ...(terminal ? { output: process.stdout, prompt: '> ' } : {}),
  })
  const code = await onKernel(host, (done) => {
    const state = createChatClient({ server: { address, port }, name, key })
    const running = host.run(chatClient, state, (report) => {
      shown(report, terminal ? input : null)
      if (report.kind === 'finished') done(EXIT_OK)
      if (report.kind === 'lost' && report.retryIn === NEVER) done(EXIT_EXPECTATION)
    })
    if (terminal) message(CHAT_HELP)
    input.on('line', (text) => {
      running.command({ kind: 'typed', text })
      if (terminal) input.prompt()
    })
    input.on('SIGINT', () => process.emit('SIGINT'))
    input.on('close', () => running.command({ kind: 'finish' }))
  })
  input.close()
  return code
}

/** What others write must not command the terminal. */
// oxlint-disable-next-line no-control-regex
const harmless = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')

function shown(report: ChatClientReport, terminal: Interface | null): void {
  switch (report.kind) {
    case 'line':
      return print(lineText(report.tag, harmless(report.text), terminal !== null), terminal)
    case 'hint':
      return message(report.text)
    case 'lost': {
      if (report.error === null && report.retryIn === NEVER) return
      const why = report.error === null ? 'the server has ended the connection' : report.error
      if (report.retryIn === NEVER) return errorLine(why)
      return message(`connection lost: ${why}; next attempt in ${report.retryIn / 1e9} s`)
    }
    default:
  }
}

function lineText(tag: string, text: string, pretty: boolean): string {
  if (!pretty) return `${tag} ${text}`
  if (tag === 'ERR') return pc.red(text)
  if (tag !== 'FROM') return pc.dim(text)
  const space = text.indexOf(' ')
  return `${pc.bold(pc.cyan(text.slice(0, space)))}: ${text.slice(space + 1)}`
}

/** Above the line that is being typed. */
function print(text: string, terminal: Interface | null): void {
  if (terminal === null) {
    process.stdout.write(`${text}\n`)
    return
  }
  process.stdout.write(`\r\u001b[K${text}\n`)
  terminal.prompt(true)
}

const SERVER_EXAMPLES = `
Examples:
  $ twinwire chat server
  $ twinwire chat server --listen 0.0.0.0 --port 5001
  $ printf 'HELLO anna\\nLIST\\nQUIT\\n' | nc 127.0.0.1 5000`

const CLIENT_EXAMPLES = `
Examples:
  $ twinwire chat client anna
  $ twinwire chat client ben --host 192.0.2.7 --port 5001
  $ printf '/chat anna\\nhello\\n' | twinwire chat client ben

${CHAT_HELP}.`

export const chatVerb: RegisterVerb = (program, _files, verb) => {
  const chat = program
    .command('chat')
    .description('a chat server, and a client for a terminal')
    .addHelpText(
      'after',
      "\n'twinwire chat server --help' and 'twinwire chat client --help' say more.",
    )
  chat
    .command('server')
    .description('let people talk in pairs and rooms; any line-based client will do')
    .option('--listen <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'TCP port', '5000')
    .option(
      '--profile <name>',
      'default: limits, rooms, history, keys; seed: six commands',
      'default',
    )
    .addHelpText('after', SERVER_EXAMPLES)
    .action((command: ServerCommand) => {
      verb.act = async () => ({ code: await server(command) })
    })
  chat
    .command('client')
    .description('talk; what you type goes to whoever you are in a chat with')
    .argument('<name>', 'who you are')
    .option('--host <host>', 'where the server is', '127.0.0.1')
    .option('--port <number>', 'its TCP port', '5000')
    .option('--key <text>', 'what proves later that the name is yours; random unless given', true)
    .option('--no-key', 'for servers that know no keys: no reconnecting')
    .addHelpText('after', CLIENT_EXAMPLES)
    .action((name: string, command: ClientCommand) => {
      verb.act = async () => ({ code: await client(name, command) })
    })
}
