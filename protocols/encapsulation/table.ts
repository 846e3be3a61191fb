import { type Ipv4Address, parseIpv4Text } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'

/*
 * Messages of applications as a table: one row a message. Three sets of columns are understood:
 *
 *   msg_id, app_protocol, src_app, dst_app, message, timestamp
 *   app_protocol, src_port, dst_port, message, timestamp
 *   timestamp, src_ip, dst_ip, protocol, src_port, dst_port, app_protocol, payload_size, …
 *
 * and any mixture of them. Columns of other names are left alone.
 */

/** One row: where it stands in the file, and its fields as text. */
export interface TableRow {
  readonly line: number
  readonly fields: readonly string[]
}

/** One end of a message; `null` for what the table does not say. */
export interface Party {
  readonly app: string | null
  readonly address: Ipv4Address | null
  readonly port: number | null
}

export interface Message {
  readonly line: number
  /** As written: `HTTP`. */
  readonly protocol: string
  readonly transport: 'tcp' | 'udp'
  readonly from: Party
  readonly to: Party
  readonly payload: Bytes
  /** Since the table's start. */
  readonly at: Nanos
}

export interface MessageTable {
  readonly messages: readonly Message[]
  /** What time 0 is, whole seconds since 1970; 0 where the table counts from its own start. */
  readonly startSeconds: number
}

/** What is wrong with a table, and where: `line` 1 is the header. */
export interface TableError {
  readonly line: number
  readonly error: string
  readonly hint?: string
}

/** Of pandas, and of people. They all mean that nothing is there. */
const NOTHING = /^(|nan|null|none)$/i
/** Seconds beyond this count from 1970: a nanosecond of them does not fit a number. */
const EPOCH_FROM = 1_000_000
/** Between rows that say no time, as the notebook paces them. */
export const PACE: Nanos = 100_000_000

const SIDES = [
  ['src_app', 'dst_app'],
  ['src_port', 'dst_port'],
  ['src_ip', 'dst_ip'],
] as const

export function readTable(
  header: readonly string[],
  rows: readonly TableRow[],
): MessageTable | TableError {
  const names = header.map((name) => name.trim().toLowerCase())
  const missing = missingColumn(names)
  if (missing !== null) return { line: 1, error: `Missing expected column: ${missing}`, hint: SETS }
  const start = startOf(names, rows)
  const messages: Message[] = []
  let last = -PACE
  for (const [index, row] of rows.entries()) {
    const fields = (name: string): string | null => {
      const text = row.fields[names.indexOf(name)]?.trim() ?? ''
      return NOTHING.test(text) ? null : text
    }
    const raw = row.fields[names.indexOf('message')] ?? ''
    const read = readRow(row.line, index, fields, NOTHING.test(raw.trim()) ? null : raw)
    if ('error' in read) return read
    const stamp = fields('timestamp')
    const at = stamp === null ? last + PACE : nanosSince(stamp, start)
    if (at === null) {
      return {
        line: row.line,
        error: `timestamp '${stamp}' is no time`,
        hint: 'write seconds: 0.1',
      }
    }
    last = at
    messages.push({ ...read, at })
  }
  return { messages, startSeconds: start }
}

const SETS =
  'expected app_protocol, timestamp, message (or payload_size), ' +
  'and src_app, dst_app or src_port, dst_port'

function missingColumn(names: readonly string[]): string | null {
  const has = (name: string) => names.includes(name)
  if (!has('app_protocol')) return 'app_protocol'
  for (const [source, destination] of SIDES) {
    if (has(source) !== has(destination)) return has(source) ? destination : source
  }
  if (!SIDES.some(([source]) => has(source))) return 'src_port'
  if (!has('message') && !has('payload_size')) return 'message'
  return has('timestamp') ? null : 'timestamp'
}

function readRow(
  line: number,
  index: number,
  field: (name: string) => string | null,
  message: string | null,
): Omit<Message, 'at'> | TableError {
  const from = readParty(line, 'src', field)
  if ('error' in from) return from
  const to = readParty(line, 'dst', field)
  if ('error' in to) return to
  const transport = (field('protocol') ?? 'TCP').toLowerCase()
  if (transport !== 'tcp' && transport !== 'udp') {
    return { line, error: `protocol '${field('protocol')}' is neither TCP nor UDP` }
  }
  const size = field('payload_size')
  if (size !== null && !/^\d{1,7}(\.0*)?$/.test(size)) {
    return { line, error: `payload_size '${size}' is no number of bytes` }
  }
  const text = message ?? `test message ${index}`
  const payload = new TextEncoder().encode(text)
  const protocol = field('app_protocol') ?? ''
  const bytes = message !== null || size === null ? payload : filled(payload, Number(size))
  return { line, protocol, transport, from, to, payload: bytes }
}

function readParty(
  line: number,
  side: 'src' | 'dst',
  field: (name: string) => string | null,
): Party | TableError {
  const portText = field(`${side}_port`)
  // Pandas writes whole numbers with a point where a column has gaps.
  const port = portText === null ? null : /^\d{1,5}(\.0*)?$/.test(portText) ? Number(portText) : -1
  if (port !== null && (port < 1 || port > 0xffff)) {
    return { line, error: `${side}_port '${portText}' is no port`, hint: 'from 1 to 65535' }
  }
  const text = field(`${side}_ip`)
  const address = text === null ? null : parseIpv4Text(text)
  if (text !== null && address === null) {
    return { line, error: `${side}_ip '${text}' is no IPv4 address` }
  }
  return { app: field(`${side}_app`), address, port }
}

/** A table that tells only a size: the text that stands for a message, cut or repeated to it. */
const filled = (text: Uint8Array, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i < text.length ? text[i]! : 0x2e))

/** The whole seconds to count from: those of the earliest stamp, where stamps count from 1970. */
function startOf(names: readonly string[], rows: readonly TableRow[]): number {
  const column = names.indexOf('timestamp')
  let least = Infinity
  for (const { fields } of rows) {
    const seconds = Number(/^\d+/.exec(fields[column]?.trim() ?? '')?.[0] ?? Infinity)
    if (seconds < least) least = seconds
  }
  return least >= EPOCH_FROM && least !== Infinity ? least : 0
}

/** Decimal seconds, exactly; `null` for any other text. */
function nanosSince(text: string, start: number): Nanos | null {
  const match = /^(\d{1,12})(?:\.(\d*))?$/.exec(text)
  if (match === null) return null
  const fraction = (match[2] ?? '').slice(0, 9).padEnd(9, '0')
  const at = (Number(match[1]) - start) * 1e9 + Number(fraction)
  return Number.isSafeInteger(at) ? at : null
}
