import type { Mac } from '../protocols/address.ts'
import { type Bytes, putBytes } from '../protocols/bytes.ts'
import { murmur3 } from '../protocols/murmur3.ts'

// What stands before a value whose type is not known from its place.
const NULL = 0
const UNDEFINED = 1
const FALSE = 2
const TRUE = 3
const NUMBER = 4
const TEXT = 5
const BYTES = 6
const LIST = 7
const RECORD = 8

/** Room that every fixed-size part of a record finds without asking again. */
const SLACK = 1024
const FINGERPRINT_SEED = 0
/** A power of two; enough for the segments in flight on some dozen busy links. */
const MEMO_SIZE = 8192

/**
 * A growing buffer with one way to write each type, so that equal values give equal bytes on every
 * machine and different values different ones (payloads: up to their fingerprint).
 */
export class Encoding {
  #bytes = new Uint8Array(1 << 16)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  // Payloads are shared along their way: the fingerprint is computed once, not at every hop.
  readonly #memoPayload: (Bytes | null)[] = Array.from({ length: MEMO_SIZE }, () => null)
  readonly #memoFingerprint = new Int32Array(MEMO_SIZE)

  #lastPayload: Bytes | null = null
  #lastFingerprint = 0
  readonly #kinds = new Map<unknown, { keys: readonly string[]; sorted: readonly string[] }>()

  get length(): number {
    return this.#at
  }

  /** What was written since the last `clear`; valid until the next write. */
  get bytes(): Bytes {
    return this.#bytes.subarray(0, this.#at)
  }

  clear(): void {
    this.#at = 0
  }

  /** Makes room for a record's fixed parts. */
  reserve(): void {
    this.#grow(SLACK)
  }

  u8(value: number): void {
    this.#bytes[this.#at++] = value
  }

  u16(value: number): void {
    this.#view.setUint16(this.#at, value)
    this.#at += 2
  }

  i32(value: number): void {
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  /** Any number: 0 and -0 differ, every NaN is the same. */
  f64(value: number): void {
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  text(value: string): void {
    const length = value.length
    if (length > 64) this.#grow(3 * length + SLACK)
    if (length < 0xff) this.u8(length)
    else {
      this.u8(0xff)
      this.i32(length)
    }
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit < 0x80) bytes[at++] = unit
      else {
        bytes[at++] = 0x80
        bytes[at++] = unit >> 8
        bytes[at++] = unit
      }
    }
    this.#at = at
  }

  /** Canonical text of twelve digits, as six bytes. */
  mac(value: Mac): void {
    const bytes = this.#bytes
    for (let i = 0; i < 17; i += 3) {
      bytes[this.#at++] = (digit(value.charCodeAt(i)) << 4) | digit(value.charCodeAt(i + 1))
    }
  }

  /** Few bytes, all of them. */
  octets(value: Bytes): void {
    this.#grow(value.length + SLACK)
    this.i32(value.length)
    putBytes(this.#bytes, this.#at, value)
    this.#at += value.length
  }

  /** Many bytes: their number and their fingerprint. Who sends much sends the same again and again. */
  payload(value: Bytes): void {
    this.i32(value.length)
    if (value.length === 0) return
    if (value !== this.#lastPayload) {
      this.#lastPayload = value
      this.#lastFingerprint = murmur3(value, FINGERPRINT_SEED)
    }
    this.i32(this.#lastFingerprint)
  }

  /** The same, remembering. `hint`: any number that differs between payloads in use together. */
  sharedPayload(value: Bytes, hint: number): void {
    this.i32(value.length)
    if (value.length === 0) return
    const slot = (Math.imul(hint, 0x9e3779b1) >>> 19) & (MEMO_SIZE - 1)
    if (this.#memoPayload[slot] !== value) {
      this.#memoPayload[slot] = value
      this.#memoFingerprint[slot] = murmur3(value, FINGERPRINT_SEED)
    }
    this.i32(this.#memoFingerprint[slot]!)
  }

  /** A value of any plain type. Keys count in the order of their code units, not of insertion. */
  value(value: unknown): void {
    this.reserve()
    switch (typeof value) {
      case 'number':
        this.u8(NUMBER)
        this.f64(value)
        return
      case 'string':
        this.u8(TEXT)
        this.text(value)
        return
      case 'boolean':
        this.u8(value ? TRUE : FALSE)
        return
      case 'undefined':
        this.u8(UNDEFINED)
        return
      case 'object':
        this.#object(value)
        return
      default:
        throw new TypeError(`a trace record cannot hold a ${typeof value}`)
    }
  }

  #object(value: object | null): void {
    if (value === null) this.u8(NULL)
    else if (value instanceof Uint8Array) {
      this.u8(BYTES)
      this.payload(value)
    } else if (Array.isArray(value)) {
      this.u8(LIST)
      this.i32(value.length)
      for (const item of value as readonly unknown[]) this.value(item)
    } else {
      const keys = this.#keysOf(value)
      this.u8(RECORD)
      this.i32(keys.length)
      for (const key of keys) {
        this.text(key)
        this.value((value as { readonly [key: string]: unknown })[key])
      }
    }
  }

  /** In their order. Records of one kind have the same keys nearly always: they are sorted once. */
  #keysOf(value: object): readonly string[] {
    const keys = Object.keys(value)
    const kind = (value as { readonly kind?: unknown }).kind
    const known = this.#kinds.get(kind)
    if (known !== undefined && haveSame(known.keys, keys)) return known.sorted
    const sorted = keys.toSorted(byCodeUnits)
    if (typeof kind === 'string') this.#kinds.set(kind, { keys, sorted })
    return sorted
  }

  #grow(room: number): void {
    const wanted = this.#at + room
    if (wanted <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, wanted))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

function haveSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Of a lower-case hexadecimal digit. */
const digit = (unit: number): number => (unit < 58 ? unit - 48 : unit - 87)
