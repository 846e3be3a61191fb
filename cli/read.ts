import { readFileSync } from 'node:fs'
import { nearest } from '../sim/suggest.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { dissect } from '../trace/dissect.ts'
import { defectText, layerLines } from '../trace/dissect-layers.ts'
import { type FrameFilter, parseFilter } from '../trace/filter.ts'
import { FilterError } from '../trace/filter-tokens.ts'
import { PacketText } from '../trace/packet-text.ts'
import {
  type CapturedFrame,
  isCapture,
  LINKTYPE_ETHERNET,
  readCapture,
} from '../trace/pcap-reader.ts'
import { LineOut } from './data-out.ts'
import { EXIT_OK, EXIT_USER } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { hexDump } from './hex-dump.ts'
import { message } from './report.ts'
import { type RegisterVerb } from './verb.ts'

export interface ReadCommand {
  readonly filter?: string
  /** Header fields under each line. */
  readonly verbose: boolean
  /** The bytes behind the Ethernet header. */
  readonly hex: boolean
  readonly absolute: boolean
  /** The UDP port whose datagrams carry TCP. */
  readonly tcpInUdp?: string
  /** At most so many frames. */
  readonly count?: string
  readonly json: boolean
}

/**
 * Prints the frames of a capture file, one line each. `-` reads from stdin.
 *
 * @returns the exit code: that of unusable input where a part of the file could not be read.
 */
export function read(path: string, command: ReadCommand, files: NodeFiles): number {
  const passes = filterOf(command.filter)
  const limit = countOf(command.count)
  const bytes = path === '-' ? fromStdin() : files.read(path).bytes
  if (!isCapture(bytes)) {
    throw new UserError(`'${path}' is not a capture`, { hint: 'expected pcap or pcapng' })
  }
  const out = new LineOut(process.stdout)
  const printer = new Printer(command, out)
  let code: number = EXIT_OK
  for (const item of readCapture(bytes)) {
    if (printer.shown >= limit) break
    if (item.kind === 'damage') {
      out.flush()
      code = EXIT_USER
      message(`${path}: byte ${item.offset}: ${item.why}`)
    } else if (item.linkType !== LINKTYPE_ETHERNET) printer.other += 1
    else printer.frame(item, passes(item.bytes, item.length))
  }
  out.flush()
  printer.remarks()
  return code
}

class Printer {
  shown = 0
  /** Frames of other links than Ethernet. */
  other = 0
  #offloaded = 0
  readonly #command: ReadCommand
  readonly #out: LineOut
  readonly #text: PacketText
  readonly #tcpInUdp: number

  constructor(command: ReadCommand, out: LineOut) {
    this.#command = command
    this.#out = out
    this.#tcpInUdp = portOf(command.tcpInUdp)
    this.#text = new PacketText({ absolute: command.absolute, tcpInUdp: this.#tcpInUdp })
  }

  frame(frame: CapturedFrame, passes: boolean): void {
    // A frame that is filtered out does not fix relative numbers, as with tcpdump.
    if (!passes) return
    this.shown += 1
    const { bytes, length } = frame
    const found = dissect(bytes, length, this.#tcpInUdp)
    if (found.offloaded) this.#offloaded += 1
    const text = this.#text.frame(bytes)
    const at = `${frame.seconds}.${String(frame.nanos).padStart(9, '0')}`
    if (this.#command.json) {
      const { number, interface: port, comments } = frame
      const object = { number, time: at, length, captured: bytes.length, interface: port, text }
      const { layers, defects, offloaded } = found
      this.#out.line(JSON.stringify({ schema: 1, ...object, layers, defects, offloaded, comments }))
      return
    }
    const defects = found.defects.map((each) => ` MALFORMED ${defectText(each)}`).join('')
    this.#out.line(`${at} ${text}${defects}`)
    if (this.#command.verbose) {
      for (const line of layerLines(found)) for (const row of rows(line)) this.#out.line(row)
      const captured = found.cut ? `, ${bytes.length} of them captured` : ''
      const port = frame.interface === null ? '' : `, interface ${frame.interface}`
      this.#out.line(`    frame ${frame.number}: ${length} bytes${captured}${port}`)
      for (const comment of frame.comments) this.#out.line(`    comment: ${comment}`)
    }
    if (this.#command.hex) for (const line of hexDump(bytes)) this.#out.line(line)
  }

  /** What holds for the file as a whole. */
  remarks(): void {
    const frames = (n: number) => `${n} ${n === 1 ? 'frame' : 'frames'}`
    if (this.#offloaded > 0) {
      message(
        `${frames(this.#offloaded)} with a checksum left to the network card: ` +
          'captured on the sender, before it was filled in',
      )
    }
    if (this.other > 0) message(`${frames(this.other)} not of Ethernet: not shown`)
  }
}

/** At most 100 columns, broken behind a comma. */
function rows(line: string): string[] {
  const broken: string[] = []
  let row = '   '
  for (const part of line.split(/(?<=,) /)) {
    if (row.length + 1 + part.length > 100) {
      broken.push(row)
      row = '       '
    }
    row += ` ${part}`
  }
  return [...broken, row]
}

function filterOf(text: string | undefined): FrameFilter {
  if (text === undefined) return () => true
  try {
    return parseFilter(text)
  } catch (e) {
    if (!(e instanceof FilterError)) throw e
    const near = e.word === '' ? null : nearest(e.word, e.candidates)
    const hint = near === null ? e.hint : `did you mean '${near}'?`
    throw new UserError(e.message, { where: `--filter, character ${e.at + 1}`, hint })
  }
}

function countOf(text: string | undefined): number {
  if (text === undefined) return Infinity
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (count > 0) return count
  throw new UserError(`'${text}' is not a count`, { where: '-c', hint: 'write -c 10' })
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port > 0 && port <= 0xffff) return port
  const hint = 'write --tcp-in-udp 9899'
  throw new UserError(`'${text}' is not a port`, { where: '--tcp-in-udp', hint })
}

function fromStdin(): Uint8Array {
  if (process.stdin.isTTY) {
    throw new UserError('a capture does not come from a terminal', {
      where: '-',
      hint: 'pipe it: tcpdump -w - | twinwire read -',
    })
  }
  try {
    return Uint8Array.from(readFileSync(0))
  } catch (e) {
    throw new EnvironmentError(`cannot read stdin: ${(e as Error).message}`)
  }
}

const READ_EXAMPLES = `
Examples:
  $ twinwire read capture.pcapng --filter 'tcp port 80 and host 10.0.0.1'
  $ twinwire read capture.pcap --filter 'tcp[tcpflags] & tcp-syn != 0' -v -c 1
  $ tcpdump -w - -i eth0 | twinwire read -`

export const readVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('read')
    .description('show the frames of a capture file')
    .argument('<file>', "pcap or pcapng; '-' is stdin")
    .option('--filter <expression>', "'tcp and host 10.0.0.1'")
    .option('-c, --count <number>', 'at most so many frames')
    .option('-v, --verbose', 'header fields', false)
    .option('-x, --hex', 'the bytes behind the Ethernet header', false)
    .option('-S, --absolute', 'TCP numbers as they are on the wire', false)
    .option('--tcp-in-udp <port>', 'datagrams of this UDP port carry TCP')
    .option('--json', 'one JSON object a line', false)
    .addHelpText('after', READ_EXAMPLES)
    .action((file: string, command: ReadCommand) => {
      verb.act = async () => ({ code: read(file, command, files) })
    })
}
