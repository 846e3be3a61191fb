import { type Bytes, concatBytes } from '../protocols/bytes.ts'
import { Sha256 } from '../protocols/sha256.ts'
import { UserError } from './user-error.ts'

/** A file that was read: its base name, its content and the SHA-256 of that in hexadecimal. */
export interface StoredFile {
  readonly name: string
  readonly bytes: Bytes
  readonly sha256: string
}

/** A file being written. It appears under its name at `commit`, whole, or never. */
export interface FileWriter {
  write(bytes: Bytes): void
  commit(): WrittenFile
  /** Drops what was written. Does nothing after `commit`. */
  discard(): void
}

export interface WrittenFile {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
}

/** Where scenarios read and write files. Both calls throw a `UserError` when they cannot. */
export interface Files {
  read(path: string): StoredFile
  /** `null`: nowhere; what is written is only counted and hashed. */
  create(path: string | null): FileWriter
}

/** Files that live in memory: for tests, and where there is no disk. */
export class MemoryFiles implements Files {
  readonly #content = new Map<string, Bytes>()

  constructor(content: { readonly [path: string]: Bytes } = {}) {
    for (const [path, bytes] of Object.entries(content)) this.#content.set(path, bytes)
  }

  read(path: string): StoredFile {
    const bytes = this.#content.get(path)
    if (bytes === undefined) throw new UserError(`cannot read '${path}': there is no such file`)
    const hash = new Sha256()
    hash.update(bytes)
    return { name: baseName(path), bytes, sha256: hash.hex() }
  }

  create(path: string | null): FileWriter {
    const parts: Bytes[] = []
    const hash = new Sha256()
    return {
      write: (bytes) => {
        parts.push(concatBytes([bytes]))
        hash.update(bytes)
      },
      commit: () => {
        const whole = concatBytes(parts)
        if (path !== null) this.#content.set(path, whole)
        return { path: path ?? '', sha256: hash.hex(), bytes: whole.length }
      },
      discard: () => {
        parts.length = 0
      },
    }
  }
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
