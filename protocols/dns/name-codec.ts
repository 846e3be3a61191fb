import { type Bytes, putI32, putU16, u16 } from '../bytes.ts'
import type { Malformation } from '../parsed.ts'
import type { DnsName } from './message.ts'

// Names with compression, RFC 1035 §4.1.4: the end of a name may be a pointer to an earlier one.

const POINTER = 0xc0
/** A pointer has 14 bits. */
const POINTER_MAX = 0x3fff
/** RFC 1035 §2.3.4, the length bytes included. */
const NAME_MAX = 255

/** Reads forward from a place; what does not fit is thrown as `fail` makes it. */
export class NameReader {
  readonly #b: Bytes
  readonly #to: number
  readonly #fail: (why: Malformation) => Error
  #at: number

  constructor(b: Bytes, at: number, fail: (why: Malformation) => Error, to = b.length) {
    this.#b = b
    this.#at = at
    this.#to = to
    this.#fail = fail
  }

  /** Steps over so many bytes; where they began. */
  skip(length: number): number {
    const at = this.#at
    if (at + length > this.#to) throw this.#fail('truncated')
    this.#at = at + length
    return at
  }

  /** A name that must end where the record does. */
  lastName(): DnsName {
    const name = this.name()
    if (this.#at !== this.#to) throw this.#fail('bad-length')
    return name
  }

  name(): DnsName {
    const b = this.#b
    const labels: string[] = []
    let length = 1
    let at = this.#at
    let end = this.#to
    /** A pointer must lead back: so it cannot lead in a circle. */
    let before = at
    let jumped = false
    for (;;) {
      if (at >= end) throw this.#fail('truncated')
      const first = b[at]!
      if ((first & POINTER) === POINTER) {
        if (at + 2 > end) throw this.#fail('truncated')
        const target = u16(b, at) & POINTER_MAX
        if (target >= before) throw this.#fail('bad-length')
        if (!jumped) this.#at = at + 2
        jumped = true
        before = target
        at = target
        end = b.length
        continue
      }
      if ((first & POINTER) !== 0) throw this.#fail('unsupported')
      if (!jumped) this.#at = at + 1 + first
      if (first === 0) return labels.join('.')
      length += 1 + first
      if (length > NAME_MAX) throw this.#fail('bad-length')
      if (at + 1 + first > end) throw this.#fail('truncated')
      labels.push(labelText(b, at + 1, first))
      at += 1 + first
    }
  }
}

/** RFC 1035 §5.1, as text: a dot, a backslash and what is not printable are escaped by number. */
function labelText(b: Bytes, at: number, length: number): string {
  let text = ''
  for (let i = at; i < at + length; i++) {
    const c = b[i]!
    const isPlain = c > 32 && c < 127 && c !== 46 && c !== 92
    text += isPlain ? String.fromCharCode(c) : `\\${String(c).padStart(3, '0')}`
  }
  return text
}

const labelBytes = (label: string): number[] =>
  (label.match(/\\\d{3}|[\s\S]/g) ?? []).map((c) =>
    c.length === 4 ? Number(c.slice(1)) & 0xff : c.charCodeAt(0) & 0x7f,
  )

/** Writes forward into bytes that grow; leaves room for a header. */
export class NameWriter {
  #b = new Uint8Array(512)
  #length: number
  /** Where a name, in lower case, stands already. */
  readonly #places = new Map<string, number>()

  constructor(header: number) {
    this.#length = header
  }

  bytes(): Uint8Array {
    return this.#b.slice(0, this.#length)
  }

  put(length: number, write: (b: Uint8Array, at: number) => void): void {
    const at = this.#length
    this.#length = at + length
    if (this.#length > this.#b.length) {
      const grown = new Uint8Array(2 * this.#length)
      grown.set(this.#b)
      this.#b = grown
    }
    write(this.#b, at)
  }

  u16(value: number): void {
    this.put(2, (b, at) => putU16(b, at, value))
  }

  u32(value: number): void {
    this.put(4, (b, at) => putI32(b, at, value | 0))
  }

  name(name: DnsName): void {
    for (let rest = name; rest !== '';) {
      const known = this.#places.get(rest.toLowerCase())
      if (known !== undefined) return this.u16((POINTER << 8) | known)
      if (this.#length <= POINTER_MAX) this.#places.set(rest.toLowerCase(), this.#length)
      const dot = rest.indexOf('.')
      const label = labelBytes(dot < 0 ? rest : rest.slice(0, dot))
      this.put(1 + label.length, (b, at) => b.set([label.length, ...label], at))
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
    this.put(1, (b, at) => b.set([0], at))
  }

  /** One character is one byte; 255 at most. */
  text(text: string): void {
    const bytes = Array.from(text, (c) => c.charCodeAt(0) & 0xff).slice(0, 255)
    this.put(1 + bytes.length, (b, at) => b.set([bytes.length, ...bytes], at))
  }

  /** What `write` writes, behind its length. */
  measured(write: () => void): void {
    const at = this.#length
    this.u16(0)
    write()
    putU16(this.#b, at, this.#length - at - 2)
  }
}
