import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Bytes, NO_BYTES } from '../protocols/bytes.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'

/**
 * A file that comes in piece by piece. It stands under a name of its own beside its target until it
 * is whole. With a hash the name belongs to the content, and what is there already can be gone on
 * from; without one nothing is kept.
 */
export class PartFile {
  readonly path: string
  readonly #target: string
  readonly #descriptor: number
  #bytes: number

  /** `have`: so much of what is there is kept. */
  constructor(target: string, hash: string | null, have: number) {
    this.#target = resolve(target)
    this.path = partPath(target, hash)
    this.#descriptor = attempt(target, () => openSync(this.path, have > 0 ? 'r+' : 'w'))
    ftruncateSync(this.#descriptor, have)
    this.#bytes = have
  }

  get bytes(): number {
    return this.#bytes
  }

  write(bytes: Bytes): void {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at) as Uint8Array
      const from = this.#bytes
      const written = attempt(this.#target, () =>
        writeSync(this.#descriptor, rest, 0, rest.length, from),
      )
      at += written
      this.#bytes += written
    }
  }

  /** The file is whole, and gets its name. `change`: what becomes of its content before. */
  commit(change: ((content: Uint8Array) => Uint8Array) | null): void {
    if (change !== null) {
      const content = change(new Uint8Array(readFileSync(this.path)))
      ftruncateSync(this.#descriptor, 0)
      this.#bytes = 0
      this.write(content)
    }
    closeSync(this.#descriptor)
    attempt(this.#target, () => renameSync(this.path, this.#target))
  }

  /** Keeps what has come for another attempt. */
  keep(): void {
    closeSync(this.#descriptor)
  }

  discard(): void {
    closeSync(this.#descriptor)
    rmSync(this.path, { force: true })
  }
}

const partPath = (target: string, hash: string | null): string => {
  const tag = hash === null ? String(process.pid) : hash.slice(0, 16)
  return join(dirname(resolve(target)), `.${basename(target)}.${tag}.part`)
}

/** What an earlier attempt has left of the content with this hash. */
export function partOf(target: string, hash: string): Bytes {
  const path = partPath(target, hash)
  return existsSync(path) ? new Uint8Array(readFileSync(path)) : NO_BYTES
}

/** Says before anything is received that it could not be written. */
export function checkWritable(target: string): void {
  if (existsSync(target) && !existsSync(join(target, '.')))
    return new PartFile(target, null, 0).discard()
  if (existsSync(target)) throw new UserError(`cannot write '${target}': it is a directory`)
  new PartFile(target, null, 0).discard()
}

function attempt<T>(target: string, act: () => T): T {
  try {
    return act()
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code ?? String(e)
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new EnvironmentError(`cannot write '${target}': no space left`)
    }
    const reason = code === 'ENOENT' ? 'there is no such directory' : code
    throw new UserError(
      `cannot write '${target}': ${code === 'EACCES' ? 'permission denied' : reason}`,
    )
  }
}
