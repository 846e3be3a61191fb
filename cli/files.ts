import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  type Stats,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Bytes } from '../protocols/bytes.ts'
import type { FileWriter, Files, StoredFile } from '../sim/files.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { packageRoot } from './package-root.ts'

const LARGEST = 2 ** 30
const BUFFER = 256 * 1024
/** A path that starts with this names a file that comes with the package. */
const SHIPPED = 'shipped:'

/**
 * Files on the disk. What is written stands under a temporary name beside its target until it is
 * complete; `discardAll` removes what never became complete.
 */
export class NodeFiles implements Files {
  readonly #open = new Map<string, FileWriter>()

  read(path: string): StoredFile {
    const full = path.startsWith(SHIPPED)
      ? join(packageRoot, 'scenarios', 'data', basename(path.slice(SHIPPED.length)))
      : resolve(path)
    const buffer = attempt(`cannot read '${path}'`, () => {
      const stat = statSync(full)
      if (stat.isDirectory()) throw new UserError(`cannot read '${path}': it is a directory`)
      if (stat.size > LARGEST) {
        throw new UserError(`cannot read '${path}': it is larger than 1 GiB`)
      }
      return readFileSync(full)
    })
    // A plain view of the same memory: slices of a Buffer are Buffers, and slower.
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
    return { name: basename(full), bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
  }

  create(path: string | null): FileWriter {
    if (path === null) return hashOnly('')
    const target = attempt(`cannot write '${path}'`, () => writableTarget(path))
    if (this.#open.has(target.path)) {
      throw new UserError(`cannot write '${path}': it is being written already`)
    }
    const writer = new DiskWriter(path, target, () => this.#open.delete(target.path))
    this.#open.set(target.path, writer)
    return writer
  }

  discardAll(): void {
    for (const writer of this.#open.values()) writer.discard()
  }
}

/** Reads as `files` does; what is written is only hashed. For runs that are made to be compared. */
export function withoutWriting(files: Files): Files {
  return {
    read: (path) => files.read(path),
    create: (path) => hashOnly(path ?? ''),
  }
}

function hashOnly(path: string): FileWriter {
  const hash = createHash('sha256')
  let length = 0
  return {
    write: (bytes) => {
      hash.update(bytes as Uint8Array)
      length += bytes.length
    },
    commit: () => ({ path, sha256: hash.digest('hex'), bytes: length }),
    discard: () => {},
  }
}

interface Target {
  readonly path: string
  /** `null` where the target is no regular file (`/dev/null`, a pipe) and is written directly. */
  readonly temporary: string | null
  readonly mode: number
}

function writableTarget(path: string): Target {
  let full = resolve(path)
  let stat: Stats | undefined = statSync(full, { throwIfNoEntry: false })
  if (stat === undefined) return { path: full, temporary: temporaryFor(full), mode: 0o666 }
  if (stat.isDirectory()) throw new UserError(`cannot write '${path}': it is a directory`)
  // A rename would replace a symbolic link, not what it points at.
  full = realpathSync(full)
  stat = statSync(full)
  const temporary = stat.isFile() ? temporaryFor(full) : null
  return { path: full, temporary, mode: stat.mode & 0o777 }
}

const temporaryFor = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.part`)

class DiskWriter implements FileWriter {
  readonly #shown: string
  readonly #target: Target
  readonly #closed: () => void
  readonly #hash = createHash('sha256')
  readonly #buffer = new Uint8Array(BUFFER)
  #used = 0
  #bytes = 0
  #descriptor: number | null

  constructor(shown: string, target: Target, closed: () => void) {
    this.#shown = shown
    this.#target = target
    this.#closed = closed
    this.#descriptor = attempt(`cannot write '${shown}'`, () =>
      target.temporary === null
        ? openSync(target.path, 'w')
        : openSync(target.temporary, 'wx', target.mode),
    )
  }

  write(bytes: Bytes): void {
    this.#bytes += bytes.length
    if (this.#used + bytes.length > BUFFER) this.#flush()
    if (bytes.length > BUFFER) {
      this.#put(bytes as Uint8Array)
      return
    }
    this.#buffer.set(bytes, this.#used)
    this.#used += bytes.length
  }

  commit() {
    this.#flush()
    const { path, temporary } = this.#target
    attempt(`cannot write '${this.#shown}'`, () => {
      this.#close()
      if (temporary !== null) renameSync(temporary, path)
    })
    return { path: this.#shown, sha256: this.#hash.digest('hex'), bytes: this.#bytes }
  }

  discard(): void {
    if (this.#descriptor === null) return
    this.#close()
    if (this.#target.temporary !== null) rmSync(this.#target.temporary, { force: true })
  }

  #flush(): void {
    if (this.#used > 0) this.#put(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  #put(bytes: Uint8Array): void {
    const descriptor = this.#descriptor
    if (descriptor === null) throw new Error(`'${this.#shown}' is closed`)
    this.#hash.update(bytes)
    attempt(`cannot write '${this.#shown}'`, () => {
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
    })
  }

  #close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
    this.#closed()
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['EROFS', 'the file system is read-only'],
  ['ELOOP', 'too many symbolic links'],
  ['ENAMETOOLONG', 'the name is too long'],
])

/** What the system refuses becomes one clear line: the user's path, or a machine without room. */
function attempt<T>(what: string, act: () => T): T {
  try {
    return act()
  } catch (e) {
    const code = e instanceof Error && 'code' in e ? String(e.code) : null
    if (code === null) throw e
    const reason = REASONS.get(code)
    if (reason !== undefined) throw new UserError(`${what}: ${reason}`)
    throw new EnvironmentError(`${what}: ${code === 'ENOSPC' ? 'no space left' : code}`)
  }
}
