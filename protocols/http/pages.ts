import { civilFromDays } from '../services/daytime.ts'
import { pathText } from './target.ts'

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string
  readonly folder: boolean
  /** Bytes, of a file. */
  readonly size: number
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => ENTITIES[each]!)

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>body { font: 15px/1.5 system-ui, sans-serif; margin: 2em } td { padding: 0 2em 0 0 }
td + td { text-align: right }</style>
<h1>${escaped(title)}</h1>
${body}
</html>
`

/** Folders first, then by name, character by character. */
export function folderPage(names: readonly string[], entries: readonly FolderEntry[]): string {
  const sorted = [...entries].sort((a, b) =>
    a.folder === b.folder ? (a.name < b.name ? -1 : 1) : a.folder ? -1 : 1,
  )
  const up = names.length > 0 ? ['<tr><td><a href="../">../</a></td><td></td></tr>'] : []
  const rows = sorted.map(({ name, folder, size }) => {
    const shown = escaped(folder ? `${name}/` : name)
    const link = `${encodeURIComponent(name)}${folder ? '/' : ''}`
    return `<tr><td><a href="./${link}">${shown}</a></td><td>${folder ? '' : size}</td></tr>`
  })
  const path = decodeURIComponent(pathText(names, true))
  return page(`Index of ${path}`, `<table>\n${[...up, ...rows].join('\n')}\n</table>`)
}

export const REASONS: { readonly [status: number]: string } = {
  200: 'OK',
  206: 'Partial Content',
  301: 'Moved Permanently',
  304: 'Not Modified',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
}

export const errorPage = (status: number, detail: string): string =>
  page(`${status} ${REASONS[status]}`, `<p>${escaped(detail)}</p>`)

const TYPES: { readonly [extension: string]: string } = {
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  md: 'text/markdown; charset=utf-8',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  xml: 'application/xml',
}

export function typeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return Object.hasOwn(TYPES, extension) ? TYPES[extension]! : 'application/octet-stream'
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 9110 §5.6.7, from seconds since 1970: `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function httpDate(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const { year, month, day } = civilFromDays(days)
  const of = Math.floor(seconds) - days * 86_400
  const two = (n: number) => String(n).padStart(2, '0')
  const weekday = DAYS[(((days + 4) % 7) + 7) % 7]!
  const clock = [Math.floor(of / 3600), Math.floor(of / 60) % 60, of % 60].map(two).join(':')
  return `${weekday}, ${two(day)} ${MONTHS[month - 1]!} ${year} ${clock} GMT`
}
