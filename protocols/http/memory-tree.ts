import type { Bytes } from '../bytes.ts'
import type { FolderEntry } from './pages.ts'
import type { FileFacts, Found, HttpCommand, HttpReport } from './state.ts'

/** Files by their path: `a/b.txt`. */
export type MemoryTree = ReadonlyMap<string, { readonly bytes: Bytes; readonly modified: number }>

/** Answers what a server wants to know of its files; `null` for reports that ask nothing. */
export function answerFromTree(tree: MemoryTree, report: HttpReport): HttpCommand | null {
  if (report.kind === 'look') {
    return { kind: 'found', id: report.id, entry: lookUp(tree, report.path) }
  }
  if (report.kind !== 'read') return null
  const { id, path, from, length } = report
  const bytes = tree.get(path.join('/'))?.bytes.subarray(from, from + length) ?? null
  return { kind: 'data', id, bytes }
}

function lookUp(tree: MemoryTree, path: readonly string[]): Found | null {
  const file = facts(tree, path.join('/'))
  if (file !== null) return { kind: 'file', ...file }
  const prefix = path.length === 0 ? '' : `${path.join('/')}/`
  const entries = new Map<string, FolderEntry>()
  for (const [name, { bytes }] of tree) {
    if (!name.startsWith(prefix)) continue
    const [first, ...rest] = name.slice(prefix.length).split('/')
    const folder = rest.length > 0
    entries.set(first!, { name: first!, folder, size: folder ? 0 : bytes.length })
  }
  if (entries.size === 0 && path.length > 0) return null
  return {
    kind: 'folder',
    entries: [...entries.values()],
    index: facts(tree, `${prefix}index.html`),
  }
}

function facts(tree: MemoryTree, path: string): FileFacts | null {
  const file = tree.get(path)
  return file === undefined ? null : { size: file.bytes.length, modified: file.modified }
}
