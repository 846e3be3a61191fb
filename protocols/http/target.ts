/**
 * The path of a request target as the names of folders and a file, without query: RFC 3986 §3.3.
 * `null` for what names nothing here: another form than a path, broken escapes, names that mean
 * something to a file system. `..` never leads above the root.
 */
export function pathOf(
  target: string,
): { readonly names: readonly string[]; readonly folder: boolean } | null {
  // RFC 9112 §3.2.2: a server has to take the absolute form, too.
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '') || '/'
  if (!path.startsWith('/')) return null
  const names: string[] = []
  const pieces = path.slice(1).split('/')
  for (const piece of pieces) {
    const name = decoded(piece)
    // oxlint-disable-next-line no-control-regex
    if (name === null || /[/\\\u0000-\u001f\u007f]/.test(name)) return null
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  const last = pieces.at(-1)!
  return { names, folder: last === '' || last === '.' || last === '..' }
}

function decoded(piece: string): string | null {
  try {
    return decodeURIComponent(piece)
  } catch {
    return null
  }
}

/** The path again, as a link has it. */
export const pathText = (names: readonly string[], folder: boolean): string =>
  `/${names.map(encodeURIComponent).join('/')}${folder && names.length > 0 ? '/' : ''}`
