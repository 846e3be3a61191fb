import { formatIp } from '../protocols/address.ts'
import { equalBytes, toHex } from '../protocols/bytes.ts'
import type { TraceRecord } from './record.ts'

/**
 * Names the first field in which two records differ and both values, `frame.payload.ttl: 64, 63`;
 * `null` where they are equal.
 */
export function describeDifference(a: TraceRecord, b: TraceRecord): string | null {
  return differ('', a, b)
}

function differ(path: string, a: unknown, b: unknown): string | null {
  if (Object.is(a, b)) return null
  if (a instanceof Uint8Array && b instanceof Uint8Array) return differBytes(path, a, b)
  if (Array.isArray(a) && Array.isArray(b)) return differLists(path, a, b)
  if (isRecord(a) && isRecord(b)) return differRecords(path, a, b)
  return `${path}: ${shown(path, a)}, ${shown(path, b)}`
}

type Fields = { readonly [key: string]: unknown }

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array)

function differRecords(path: string, a: Fields, b: Fields): string | null {
  // The kind decides what the other fields are: it comes first.
  const keys = ['kind', ...Object.keys(a), ...Object.keys(b).filter((key) => !(key in a))]
  for (const key of keys) {
    const found = differ(path === '' ? key : `${path}.${key}`, a[key], b[key])
    if (found !== null) return found
  }
  return null
}

function differLists(path: string, a: readonly unknown[], b: readonly unknown[]): string | null {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const found = differ(`${path}[${i}]`, a[i], b[i])
    if (found !== null) return found
  }
  return a.length === b.length ? null : `${path}.length: ${a.length}, ${b.length}`
}

function differBytes(path: string, a: Uint8Array, b: Uint8Array): string | null {
  if (equalBytes(a, b)) return null
  if (a.length !== b.length) return `${path}.length: ${a.length}, ${b.length}`
  const at = a.findIndex((byte, i) => byte !== b[i])
  return `${path}[${at}]: 0x${toHex(a.subarray(at, at + 1))}, 0x${toHex(b.subarray(at, at + 1))}`
}

const ADDRESS = /(^|\.)(source|destination|senderIp|targetIp|address)$/

function shown(path: string, value: unknown): string {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return '-0'
    return ADDRESS.test(path) ? formatIp(value) : String(value)
  }
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (isRecord(value)) return typeof value['kind'] === 'string' ? value['kind'] : 'a record'
  return String(value)
}
