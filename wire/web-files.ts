import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { FileFacts, Found, HttpCommand, HttpReport } from '../protocols/http/state.ts'

const INDEX = 'index.html'

/** A folder of the disk as an HTTP server has it: regular files and folders, nothing outside it. */
export class WebFiles {
  readonly #root: string

  /** Throws where `root` is no folder that can be read. */
  constructor(root: string) {
    this.#root = realpathSync(root)
    readdirSync(this.#root)
  }

  /** Answers what the server wants to know; `null` for reports that ask nothing. */
  answer(report: HttpReport): HttpCommand | null {
    if (report.kind === 'look') {
      return { kind: 'found', id: report.id, entry: this.#look(report.path) }
    }
    if (report.kind !== 'read') return null
    const { id, path, from, length } = report
    return { kind: 'data', id, bytes: this.#read(path, from, length) }
  }

  #look(path: readonly string[]): Found | null {
    const full = this.#inside(path)
    if (full === null) return null
    try {
      const stat = statSync(full)
      if (stat.isFile()) return { kind: 'file', size: stat.size, modified: stat.mtimeMs / 1000 }
      if (!stat.isDirectory()) return null
      const entries = readdirSync(full).flatMap((name) => {
        const inner = this.#inside([...path, name])
        const found = inner === null ? undefined : statSync(inner, { throwIfNoEntry: false })
        if (found === undefined || !(found.isFile() || found.isDirectory())) return []
        return [{ name, folder: found.isDirectory(), size: found.size }]
      })
      return { kind: 'folder', entries, index: this.#index(path) }
    } catch {
      return null // gone, or not for us
    }
  }

  #index(path: readonly string[]): FileFacts | null {
    const full = this.#inside([...path, INDEX])
    const stat = full === null ? undefined : statSync(full, { throwIfNoEntry: false })
    return stat?.isFile() === true ? { size: stat.size, modified: stat.mtimeMs / 1000 } : null
  }

  #read(path: readonly string[], from: number, length: number): Uint8Array | null {
    const full = this.#inside(path)
    if (full === null) return null
    let descriptor: number | null = null
    try {
      descriptor = openSync(full, 'r')
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, from))
    } catch {
      return null
    } finally {
      if (descriptor !== null) closeSync(descriptor)
    }
  }

  /** The real path, symbolic links followed; `null` where there is none, or it leads outside. */
  #inside(path: readonly string[]): string | null {
    try {
      const full = realpathSync(join(this.#root, ...path))
      const prefix = this.#root.endsWith(sep) ? this.#root : `${this.#root}${sep}`
      return full === this.#root || full.startsWith(prefix) ? full : null
    } catch {
      return null
    }
  }
}
