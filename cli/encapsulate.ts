import alea from 'seedrandom/lib/alea.js'
import { emitEthernet } from '../protocols/ethernet/codec.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../protocols/ethernet/frame.ts'
import { conversationsOf } from '../protocols/encapsulation/conversations.ts'
import {
  demonstration,
  notebookPackets,
  type TimedPacket,
} from '../protocols/encapsulation/notebook.ts'
import { type Message, readTable } from '../protocols/encapsulation/table.ts'
import type { Nanos } from '../protocols/time.ts'
import { encapsulationScenario } from '../sim/encapsulation.ts'
import { runScenario } from '../sim/run.ts'
import { formatDuration } from '../sim/units.ts'
import { UserError } from '../sim/user-error.ts'
import { explainFrame } from '../trace/explain.ts'
import { explainText } from '../trace/explain-text.ts'
import { PacketText } from '../trace/packet-text.ts'
import { PcapngWriter } from '../trace/pcapng.ts'
import type { FrameSent } from '../trace/record.ts'
import { readCsv } from './csv.ts'
import { LineOut } from './data-out.ts'
import { explainPage } from './explain-html.ts'
import { EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import { interruptible } from './interrupt.ts'
import type { NodeFiles } from './files.ts'
import { message } from './report.ts'
import type { RegisterVerb } from './verb.ts'

export interface EncapsulateCommand {
  readonly mode: string
  readonly seed: string
  readonly write?: string
  /** `true`: as text. */
  readonly explain?: string | true
  /** A real interface that they leave by, at their times. */
  readonly send?: string
  readonly json: boolean
}

/** What goes onto the wire, as records of a trace, and when time 0 is. */
interface Frames {
  readonly sent: readonly FrameSent[]
  readonly startSeconds: number
}

const MODES = ['real', 'notebook']

/**
 * Puts the messages of a table into frames: a line for each, or whatever was asked for.
 *
 * @throws UserError with the row for a table that cannot be used.
 */
export async function encapsulate(
  path: string | undefined,
  command: EncapsulateCommand,
  files: NodeFiles,
): Promise<number> {
  const { mode, seed, write, explain } = command
  if (!MODES.includes(mode)) {
    throw new UserError(`there is no mode '${mode}'`, { where: '--mode', hint: 'real or notebook' })
  }
  if (path === undefined && mode !== 'notebook') {
    throw new UserError('a table is missing', {
      hint: "name a CSV file; without one, '--mode notebook' sends its demonstration",
    })
  }
  const frames = await framesOf(path, mode, seed, files)
  if (write !== undefined) capture(write, frames, files)
  if (typeof explain === 'string') {
    const page = files.create(explain)
    page.write(new TextEncoder().encode(explainPage(path ?? 'demonstration', frames.sent)))
    message(`wrote ${page.commit().path}`)
  }
  if (write !== '-') print(frames, command)
  return command.send === undefined ? EXIT_OK : await sendOut(command.send, frames.sent)
}

async function framesOf(
  path: string | undefined,
  mode: string,
  seed: string,
  files: NodeFiles,
): Promise<Frames> {
  const draw = alea(`${seed}/notebook`)
  if (path === undefined) return { sent: loopbackFrames(demonstration(draw)), startSeconds: 0 }
  const { header, rows } = readCsv(path, files.read(path).bytes)
  const table = sound(path, readTable(header, rows))
  if (table.messages.length === 0) {
    throw new UserError('the table has no rows', { where: path })
  }
  if (mode === 'notebook') {
    return {
      sent: loopbackFrames(sound(path, notebookPackets(table.messages, draw))),
      startSeconds: 0,
    }
  }
  return { sent: await realFrames(path, table.messages, seed), startSeconds: table.startSeconds }
}

function sound<T extends object>(
  path: string,
  read: T | { readonly line: number; readonly error: string; readonly hint?: string },
): T {
  if (!('error' in read)) return read
  throw new UserError(read.error, { where: `${path}:${read.line}`, hint: read.hint })
}

/** As a capture on Linux's loopback shows them: all MAC addresses zero. */
function loopbackFrames(packets: readonly TimedPacket[]): FrameSent[] {
  const mac = '00:00:00:00:00:00'
  return packets.map(({ at, packet }, i) => ({
    kind: 'sent',
    at,
    event: i + 1,
    node: 'lo',
    port: 0,
    link: 'lo>lo',
    frame: new EthernetFrame(mac, mac, ETHERTYPE_IPV4, packet),
    dropped: null,
    arrives: at,
    duplicates: 0,
    corruptedBit: -1,
    reordered: false,
    queueFrames: 0,
    queueBytes: 0,
    waits: 0,
  }))
}

/** Hosts of our own hold the conversations; each frame is taken where its host sends it. */
async function realFrames(
  path: string,
  messages: readonly Message[],
  seed: string,
): Promise<FrameSent[]> {
  const conversations = sound(path, conversationsOf(messages))
  const about = `The messages of ${path}, held as conversations.`
  const scenario = encapsulationScenario({ name: 'encapsulation', about, conversations })
  const sent: FrameSent[] = []
  const outcome = await runScenario(scenario, {
    seed,
    observers: [
      (record) => {
        if (record.kind === 'sent' && /^h\d+$/.test(record.node)) sent.push(record)
      },
    ],
  })
  const [where, what] = Object.entries(outcome.notes)[0] ?? []
  if (where !== undefined) {
    throw new UserError(`the conversation does not come about: ${what}`, {
      where: `${path}:${where.replace('line ', '')}`,
    })
  }
  return sent
}

function capture(path: string, { sent, startSeconds }: Frames, files: NodeFiles): void {
  if (path === '-' && process.stdout.isTTY) {
    throw new UserError('a capture is not for a terminal', {
      where: '-w -',
      hint: 'pipe it: twinwire encapsulate … -w - | tcpdump -n -r -',
    })
  }
  const file = path === '-' ? null : files.create(path)
  const write = (bytes: Uint8Array) =>
    void (file === null ? process.stdout.write(bytes) : file.write(bytes))
  const pcapng = new PcapngWriter(write, { startSeconds })
  for (const record of sent) pcapng.observer(record)
  pcapng.end()
  if (file !== null) message(`wrote ${file.commit().path}: ${sent.length} frames`)
}

/** Ctrl-C ends it between two frames. */
async function sendOut(name: string, sent: readonly FrameSent[]): Promise<number> {
  const { sendFrames } = await import('../wire/send-frames.ts')
  const frames = sent.map(({ at, frame }) => ({ at, bytes: emitEthernet(frame) }))
  const length = (sent.at(-1)?.at ?? 0) - (sent[0]?.at ?? 0)
  message(`sending ${frames.length} frames on ${name}, over ${formatDuration(length)}`)
  return await interruptible(
    () => {},
    async (interrupt) => {
      const count = await sendFrames(name, frames, interrupt)
      message(`sent ${count} of ${frames.length}`)
      return interrupt.aborted ? EXIT_INTERRUPTED : EXIT_OK
    },
  )
}

function print({ sent, startSeconds }: Frames, { explain, json }: EncapsulateCommand): void {
  const out = new LineOut(process.stdout)
  const text = new PacketText({ absolute: true })
  for (const [index, { at, frame }] of sent.entries()) {
    const bytes = emitEthernet(frame)
    const time = timeText(at, startSeconds)
    const line = text.frame(bytes)
    const layers = explain === true || json ? explainFrame(bytes) : []
    if (json) {
      out.line(JSON.stringify({ schema: 1, number: index + 1, time, text: line, layers }))
      continue
    }
    out.line(`${time} ${line}`)
    if (explain === true) for (const row of explainText(layers)) out.line(row)
  }
  out.flush()
}

function timeText(at: Nanos, startSeconds: number): string {
  const seconds = Math.floor(at / 1e9)
  return `${startSeconds + seconds}.${String(at - seconds * 1e9).padStart(9, '0')}`
}

const EXAMPLES = `
Examples:
  $ twinwire encapsulate messages.csv
  $ twinwire encapsulate messages.csv -w messages.pcapng --explain messages.html
  $ twinwire encapsulate messages.csv --mode notebook --explain
  $ twinwire encapsulate messages.csv -w - | tshark -r -
  $ sudo twinwire encapsulate messages.csv --send eth0

Columns: app_protocol, message, timestamp, and src_app, dst_app or src_port, dst_port; also src_ip,
dst_ip, protocol, payload_size. real: hosts hold the conversations at the table's times, with
handshake and end. notebook: each row a lone segment over loopback, 0.1 s apart.`

export const encapsulateVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('encapsulate')
    .description('put the messages of a CSV table into frames, and explain every byte')
    .argument('[file]', 'a table with one message a row')
    .option('--mode <mode>', 'real: whole conversations; notebook: lone segments', 'real')
    .option('--seed <text>', 'the seed of all chance', '1')
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--explain [file]', 'every header field and checksum: as text, or as a page')
    .option('--send <interface>', 'put the frames onto a real interface, at their times (root)')
    .option('--json', 'one JSON object a frame', false)
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, command: EncapsulateCommand) => {
      verb.act = async () => ({ code: await encapsulate(file, command, files) })
    })
}
