import type { Bytes } from '../bytes.ts'

/*
 * RFC 9112 §2 to §6: the head of a request. What is refused is a status code with its reason; a
 * request is never guessed at, since two readers that guess differently are an attack (§11.2).
 */

export interface Request {
  readonly method: string
  /** As it was sent: path and query. */
  readonly target: string
  readonly minor: 0 | 1
  /** By name in lower case; values of a repeated field are joined with commas (RFC 9110 §5.3). */
  readonly fields: ReadonlyMap<string, string>
  /** Bytes of a body behind the head. */
  readonly bodyBytes: number
  /** The connection stays open behind the answer (RFC 9112 §9.3). */
  readonly persistent: boolean
}

export interface BadRequest {
  readonly status: number
  readonly reason: string
}

/** A head that came whole: the request or why not, and where the next byte is. */
export interface ReadHead {
  readonly request: Request | BadRequest
  readonly next: number
}

export const HEAD_MAX = 8192
const FIELDS_MAX = 64
const BODY_MAX = 1 << 20

const [CR, LF] = [13, 10]

/** `null`: not whole yet. */
export function readHead(bytes: Bytes): ReadHead | null {
  // RFC 9112 §2.2: an empty line in front of a request is passed over.
  let from = 0
  while (from < bytes.length && (bytes[from] === CR || bytes[from] === LF)) from += 1
  const end = endOfHead(bytes, from)
  if (end < 0) {
    if (bytes.length - from < HEAD_MAX) return null
    return { request: bad(431, 'the head is too long'), next: bytes.length }
  }
  let text = ''
  for (let i = from; i < end; i++) text += String.fromCharCode(bytes[i]!)
  return { request: parseHead(text), next: end }
}

/** Behind the empty line; a lone LF ends a line, too (RFC 9112 §2.2). */
function endOfHead(bytes: Bytes, from: number): number {
  let empty = false
  for (let i = from; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === LF) {
      if (empty) return i + 1
      empty = true
    } else if (byte !== CR) empty = false
  }
  return -1
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function parseHead(text: string): Request | BadRequest {
  const [first, ...lines] = text.trimEnd().split(/\r?\n/)
  const line = /^(\S+) (\S+) HTTP\/(\d)\.(\d)$/.exec(first!)
  if (line === null || !TOKEN.test(line[1]!)) return bad(400, 'the request line is malformed')
  const [, method, target, major, minorText] = line
  if (major !== '1') return bad(505, 'only HTTP/1.1 and HTTP/1.0 are spoken here')
  if (!/^[\x21-\x7e]+$/.test(target!)) return bad(400, 'the target is malformed')
  const fields = new Map<string, string>()
  if (lines.length > FIELDS_MAX) return bad(431, 'there are too many fields')
  for (const each of lines) {
    const colon = each.indexOf(':')
    const name = each.slice(0, colon).toLowerCase()
    // RFC 9112 §5.1, §5.2: no space before the colon, no folded lines.
    if (colon < 1 || !TOKEN.test(name)) return bad(400, 'a field is malformed')
    const value = each.slice(colon + 1).trim()
    // oxlint-disable-next-line no-control-regex
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) return bad(400, 'a field is malformed')
    const before = fields.get(name)
    if (before !== undefined && ONCE.has(name)) return bad(400, `${name} is there twice`)
    fields.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  const minor = minorText === '0' ? 0 : 1
  // RFC 9112 §3.2: exactly one Host from 1.1 on.
  if (minor === 1 && !fields.has('host')) return bad(400, 'there is no Host')
  // RFC 9112 §6.1: what cannot be delimited is not read.
  if (fields.has('transfer-encoding')) return bad(501, 'no transfer coding is understood here')
  const length = fields.get('content-length') ?? '0'
  if (!/^\d{1,15}$/.test(length)) return bad(400, 'content-length is malformed')
  if (Number(length) > BODY_MAX) return bad(413, 'the body is too large')
  const options = (fields.get('connection') ?? '').toLowerCase().split(/\s*,\s*/)
  const persistent = options.includes('close')
    ? false
    : minor === 1 || options.includes('keep-alive')
  return { method: method!, target: target!, minor, fields, bodyBytes: Number(length), persistent }
}

const ONCE = new Set(['host', 'content-length'])

const bad = (status: number, reason: string): BadRequest => ({ status, reason })
