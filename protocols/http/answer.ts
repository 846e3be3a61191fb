import type { Nanos } from '../time.ts'
import { errorPage, folderPage, httpDate, REASONS, typeOf } from './pages.ts'
import { rangeOf } from './range.ts'
import {
  answered,
  type FileFacts,
  type Found,
  type HttpConnection,
  type HttpOut,
  type HttpState,
} from './state.ts'
import { pathOf, pathText } from './target.ts'

const INDEX = 'index.html'

/** Answers the request of a connection: `looked` is what its user has found, once it was asked. */
export function answer(
  state: HttpState,
  now: Nanos,
  c: HttpConnection,
  looked: { readonly entry: Found | null } | null,
  out: HttpOut,
): void {
  const { method, target, fields } = c.request!
  const say = (status: number) => out.report(answered(c, method, target, status))
  if (method !== 'GET' && method !== 'HEAD') {
    answerError(state, now, c, 405, `${method} is not possible here`, ['Allow: GET, HEAD'])
    return say(405)
  }
  const path = pathOf(target)
  if (path === null) {
    answerError(state, now, c, 400, 'the path is malformed')
    return say(400)
  }
  if (looked === null) return out.report({ kind: 'look', id: c.id, path: path.names })
  const { entry } = looked
  if (entry === null || (entry.kind === 'file' && path.folder)) {
    answerError(
      state,
      now,
      c,
      404,
      `there is no ${decodeURIComponent(pathText(path.names, path.folder))}`,
    )
    return say(404)
  }
  if (entry.kind === 'folder') {
    if (!path.folder) {
      // Its links are relative to the folder, which has to end in a slash for that.
      const to = pathText(path.names, true)
      answerError(state, now, c, 301, `it is at ${to}`, [`Location: ${to}`])
      return say(301)
    }
    const { index } = entry
    if (index !== null) {
      return say(answerFile(state, now, c, [...path.names, INDEX], index, fields))
    }
    const bytes = new TextEncoder().encode(folderPage(path.names, entry.entries))
    head(state, now, c, 200, [`Content-Type: text/html; charset=utf-8`], bytes.length)
    if (method === 'GET') c.pending.push(bytes)
    done(c)
    return say(200)
  }
  say(answerFile(state, now, c, path.names, entry, fields))
}

function answerFile(
  state: HttpState,
  now: Nanos,
  c: HttpConnection,
  path: readonly string[],
  { size, modified }: FileFacts,
  fields: ReadonlyMap<string, string>,
): number {
  const tag = `"${size.toString(16)}-${Math.floor(modified).toString(16)}"`
  const about = [
    `Content-Type: ${typeOf(path.at(-1) ?? INDEX)}`,
    `Last-Modified: ${httpDate(modified)}`,
    `ETag: ${tag}`,
    'Accept-Ranges: bytes',
  ]
  // RFC 9110 §13.1.2
  const known = (fields.get('if-none-match') ?? '').split(/\s*,\s*/)
  if (known.includes(tag) || known.includes(`W/${tag}`) || known.includes('*')) {
    head(state, now, c, 304, about, null)
    done(c)
    return 304
  }
  // RFC 9110 §13.1.5: a range of another version is not wanted.
  const condition = fields.get('if-range')
  const isSame = condition === undefined || condition === tag
  const range = isSame ? rangeOf(fields.get('range'), size) : null
  if (range === 'unsatisfiable') {
    answerError(state, now, c, 416, 'there is no such range', [`Content-Range: bytes */${size}`])
    return 416
  }
  const { from, to } = range ?? { from: 0, to: size }
  const part = range === null ? [] : [`Content-Range: bytes ${from}-${to - 1}/${size}`]
  const status = range === null ? 200 : 206
  head(state, now, c, status, [...about, ...part], to - from)
  if (c.request?.method === 'HEAD' || to === from) done(c)
  else {
    c.sending = { path: [...path], at: from, to, asked: false }
    c.last = !c.request!.persistent
    c.request = null
  }
  return status
}

/** The request is answered; what is pending has to be sent still. */
function done(c: HttpConnection): void {
  if (c.request !== null && !c.request.persistent) c.last = true
  c.request = null
  c.id = -1
}

/** An answer that is a page of its own. A request that was not understood is the last one. */
export function answerError(
  state: HttpState,
  now: Nanos,
  c: HttpConnection,
  status: number,
  detail: string,
  fields: readonly string[] = [],
): void {
  const bytes = new TextEncoder().encode(errorPage(status, detail))
  const understood = c.request !== null
  if (!understood) c.last = true
  head(state, now, c, status, ['Content-Type: text/html; charset=utf-8', ...fields], bytes.length)
  if (c.request?.method !== 'HEAD') c.pending.push(bytes)
  done(c)
}

function head(
  state: HttpState,
  now: Nanos,
  c: HttpConnection,
  status: number,
  fields: readonly string[],
  length: number | null,
): void {
  const stays = c.request !== null && c.request.persistent && !c.last
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    `Date: ${httpDate(state.startSeconds + now / 1e9)}`,
    'Server: twinwire',
    ...fields,
    ...(length === null ? [] : [`Content-Length: ${length}`]),
    `Connection: ${stays ? 'keep-alive' : 'close'}`,
  ]
  c.pending.push(new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`))
}
