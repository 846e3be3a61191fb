import type { Nanos } from '../protocols/time.ts'
import { type Refusal, isRefusal } from './user-error.ts'

/*
 * Quantities as people write them: a decimal number and a unit that is never left out. Every value
 * is exact or refused: `0.1ms` is 100,000 ns, and `0.5ns` is an error, not 0 or 1. Where a plain
 * number is given instead of text it counts the base unit: nanoseconds, bits per second, bytes.
 */

const DURATION_UNITS = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, min: 60e9, h: 3600e9 }
const SIZE_UNITS = { B: 1, kB: 1e3, KiB: 2 ** 10, MB: 1e6, MiB: 2 ** 20, GB: 1e9, GiB: 2 ** 30 }
/** The vocabulary of tc(8), which ignores case. */
const RATE_UNITS = {
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  tbit: 1e12,
  kibit: 2 ** 10,
  mibit: 2 ** 20,
  gibit: 2 ** 30,
}

const DURATION = "a duration such as '10ms' (ns, us, ms, s, min, h)"
const RATE = "a rate such as '100Mbit' (bit, kbit, Mbit, Gbit)"
const SIZE = "a size such as '64KiB' (B, kB, KiB, MB, MiB, GB, GiB)"
const RATIO = "a share such as '5%' or '0.05'"

/** Nanoseconds. */
export function parseDuration(q: string | number): Nanos | Refusal {
  if (typeof q === 'number') return wholeNumber(q, DURATION)
  const written = splitQuantity(q, DURATION, ['ms', 's'])
  if (isRefusal(written)) return written
  const unit = own(DURATION_UNITS, written.unit)
  if (unit === undefined) return unknownUnit(q, written, DURATION, Object.keys(DURATION_UNITS))
  return scale(q, written, unit, 'a nanosecond')
}

/** Nanoseconds, with a sign in front where it is negative. */
export function parseSignedDuration(q: string | number): Nanos | Refusal {
  const negative = typeof q === 'number' ? q < 0 : q.trim().startsWith('-')
  if (!negative) return parseDuration(q)
  const span = parseDuration(typeof q === 'number' ? -q : q.trim().slice(1))
  return isRefusal(span) ? span : -span
}

/** Parts per billion that a clock gains, from `'50ppm'` or `'-300ppb'`; at most 0.5 %. */
export function parseDrift(q: string | number): number | Refusal {
  const text = String(q).trim()
  const match = /^(-?)(\d{1,4}(?:\.\d{1,3})?)ppm$|^(-?)(\d{1,7})ppb$/.exec(text)
  if (q === 0) return 0
  if (match === null) {
    return { error: `'${text}' is no drift`, suggestion: "write '50ppm' or '-300ppb'" }
  }
  const [, sign, millionths, otherSign, billionths] = match
  // Three decimals at most: a whole number of billionths, whatever the rounding before.
  const size = billionths === undefined ? Math.round(Number(millionths) * 1000) : Number(billionths)
  if (size > 5_000_000) return { error: `'${text}' is no clock: a drift is at most 5000ppm` }
  return (sign ?? otherSign) === '-' && size > 0 ? -size : size
}

/** Bits per second; 0 for `'unlimited'`. */
export function parseRate(q: string | number): number | Refusal {
  if (typeof q === 'number') return wholeNumber(q, RATE)
  if (q.trim() === 'unlimited') return 0
  const written = splitQuantity(q, RATE, ['Mbit', 'kbit'])
  if (isRefusal(written)) return written
  const unit = own(RATE_UNITS, written.unit.toLowerCase().replace(/\/s$/, ''))
  if (unit === undefined) return notABitRate(q, written)
  const rate = scale(q, written, unit, 'one bit per second')
  if (rate !== 0) return rate
  return {
    error: `a rate of '${q}' would never send anything`,
    suggestion: "write 'unlimited' for a link without a rate",
  }
}

/** Bytes. */
export function parseSize(q: string | number): number | Refusal {
  if (typeof q === 'number') return wholeNumber(q, SIZE)
  const written = splitQuantity(q, SIZE, ['B', 'KiB'])
  if (isRefusal(written)) return written
  const unit = own(SIZE_UNITS, written.unit)
  if (unit !== undefined) return scale(q, written, unit, 'a byte')
  const prefix = /^[kmg](b|ib)?$/i.exec(written.unit) === null ? null : written.unit[0]!
  if (prefix === null) return unknownUnit(q, written, SIZE, Object.keys(SIZE_UNITS))
  const big = prefix.toUpperCase()
  const thousands = `${written.number}${big === 'K' ? 'k' : big}B`
  return {
    error: `'${q}' may mean two sizes`,
    suggestion: `write '${thousands}' (powers of 1000) or '${written.number}${big}iB' (powers of 1024)`,
  }
}

/** A share from 0 to 1. Text needs a percent sign or a decimal point: `'1'` could be either. */
export function parseRatio(q: string | number): number | Refusal {
  if (typeof q === 'number') {
    if (q >= 0 && q <= 1) return q
    return { error: `${q} is not between 0 and 1`, suggestion: `expected ${RATIO}` }
  }
  const written = splitNumber(q, RATIO)
  if (isRefusal(written)) return written
  const { number, unit } = written
  if (unit !== '' && unit !== '%') {
    return { error: `'${q}' is not a share`, suggestion: `write '${number}%'` }
  }
  if (unit === '' && !number.includes('.') && !/^0+$/.test(number)) {
    return { error: `'${q}' has no unit`, suggestion: `write '${number}%' (${RATIO})` }
  }
  // Reading the decimal text rounds once, so that '0.1%' and 0.001 are the same number.
  const [digits, places] = digitsOf(number)
  const ratio = Number(`${digits}e-${places + (unit === '%' ? 2 : 0)}`)
  if (ratio <= 1) return ratio
  return { error: `'${q}' is more than all of them`, suggestion: 'a share is at most 100%' }
}

/** A whole number without a unit. */
export function parseCount(q: string | number): number | Refusal {
  if (typeof q === 'number') return wholeNumber(q, 'a whole number')
  const written = splitNumber(q, 'a whole number')
  if (isRefusal(written)) return written
  if (written.unit !== '' || written.number.includes('.')) {
    return { error: `'${q}' is not a whole number`, suggestion: "write a count such as '10'" }
  }
  return scale(q, { ...written, unit: '' }, 1, 'one')
}

/** How much may wait: `'100 frames'` or a size; a plain number counts bytes. */
export function parseQueue(q: string | number): { frames: number } | { bytes: number } | Refusal {
  const frames = typeof q === 'number' ? null : /^(.*?)\s*(frames?|packets?)$/.exec(q.trim())
  if (frames !== null) {
    const count = parseCount(frames[1]!)
    return isRefusal(count) ? count : { frames: count }
  }
  if (typeof q === 'string' && /^\s*\d+\s*$/.test(q)) {
    const n = q.trim()
    return { error: `'${q}' has no unit`, suggestion: `write '${n} frames' or '${n}kB'` }
  }
  const bytes = parseSize(q)
  return isRefusal(bytes) ? bytes : { bytes }
}

/** The largest unit that leaves one or more, and never a rounded digit: `1.5ms`, `90s`, `never`. */
export function formatDuration(t: Nanos): string {
  if (t === Infinity) return 'never'
  if (t < 0) return `-${formatDuration(-t)}`
  if (t === 0) return '0s'
  if (t >= 1e9) return `${decimal(t, 9)}s`
  if (t >= 1e6) return `${decimal(t, 6)}ms`
  return t >= 1e3 ? `${decimal(t, 3)}us` : `${t}ns`
}

/** 0 is `unlimited`. */
export function formatRate(bitsPerSecond: number): string {
  if (bitsPerSecond === 0) return 'unlimited'
  if (bitsPerSecond >= 1e9) return `${decimal(bitsPerSecond, 9)}Gbit`
  if (bitsPerSecond >= 1e6) return `${decimal(bitsPerSecond, 6)}Mbit`
  return bitsPerSecond >= 1e3 ? `${decimal(bitsPerSecond, 3)}kbit` : `${bitsPerSecond}bit`
}

/** Exact, in the unit that takes the fewest characters: `64KiB`, `100MB`, `1460B`. */
export function formatSize(bytes: number): string {
  let best = `${bytes}B`
  for (const [unit, places] of [
    ['kB', 3],
    ['MB', 6],
    ['GB', 9],
  ] as const) {
    const text = `${decimal(bytes, places)}${unit}`
    if (bytes >= 10 ** places && text.length <= best.length) best = text
  }
  for (const [unit, size] of [
    ['KiB', 2 ** 10],
    ['MiB', 2 ** 20],
    ['GiB', 2 ** 30],
  ] as const) {
    const text = `${bytes / size}${unit}`
    if (bytes > 0 && bytes % size === 0 && text.length < best.length) best = text
  }
  return best
}

/** In percent, with every digit that the number has: 0.07 is `7%`. */
export function formatRatio(ratio: number): string {
  const [mantissa, exponent = '0'] = String(ratio).split('e')
  const [whole, fraction = ''] = mantissa!.split('.')
  const places = fraction.length - Number(exponent) - 2
  const digits = BigInt(whole! + fraction)
  if (places <= 0) return `${digits * 10n ** BigInt(-places)}%`
  const text = digits.toString().padStart(places + 1, '0')
  return `${trimZeros(text.slice(0, -places), text.slice(-places))}%`
}

/** `n` divided by a power of ten, exactly. */
function decimal(n: number, places: number): string {
  const unit = 10 ** places
  return trimZeros(String(Math.floor(n / unit)), String(n % unit).padStart(places, '0'))
}
function trimZeros(whole: string, fraction: string): string {
  const rest = fraction.replace(/0+$/, '')
  return rest === '' ? whole : `${whole}.${rest}`
}

interface Written {
  readonly number: string
  readonly unit: string
}

/** Splits `1.5 ms` into the number and the unit, and says what is wrong with the number. */
function splitNumber(text: string, expected: string): Written | Refusal {
  const match = /^\s*([+-]?[\d.,_]*(?:e[+-]?\d+)?)\s*(\D*?)\s*$/i.exec(text)
  const number = match?.[1] ?? ''
  const unit = match?.[2] ?? ''
  if (/^\d+(\.\d+)?$/.test(number)) return { number, unit }
  const error = `'${text}' is not ${expected}`
  if (number.startsWith('-'))
    return { error: `'${text}' is negative`, suggestion: `expected ${expected}` }
  if (/^\d+,\d+$/.test(number)) {
    return { error, suggestion: `did you mean '${number.replace(',', '.')}${unit}'?` }
  }
  if (/^\.\d+$/.test(number)) return { error, suggestion: `did you mean '0${number}${unit}'?` }
  if (/^\d+\.$/.test(number)) {
    return { error, suggestion: `did you mean '${number.slice(0, -1)}${unit}'?` }
  }
  return { error }
}

/** As `splitNumber`, with a unit that must be there. */
function splitQuantity(
  text: string,
  expected: string,
  units: readonly string[],
): Written | Refusal {
  const written = splitNumber(text, expected)
  if (isRefusal(written) || written.unit !== '') return written
  const examples = units.map((unit) => `'${written.number}${unit}'`).join(' or ')
  return { error: `'${text}' has no unit`, suggestion: `write ${examples}` }
}

function unknownUnit(
  text: string,
  { number, unit }: Written,
  expected: string,
  units: readonly string[],
): Refusal {
  const wanted = unit.toLowerCase()
  const near = units.find((u) => u.toLowerCase() === wanted) ?? LONG_UNITS.get(wanted)
  const error = `'${text}' has an unknown unit '${unit}'`
  if (near === undefined) return { error, suggestion: `expected ${expected}` }
  return { error, suggestion: `did you mean '${number}${near}'?` }
}

const LONG_UNITS: ReadonlyMap<string, string> = new Map([
  ...['sec', 'secs', 'second', 'seconds'].map((u) => [u, 's'] as const),
  ...['m', 'mins', 'minute', 'minutes'].map((u) => [u, 'min'] as const),
  ...['hour', 'hours', 'hr'].map((u) => [u, 'h'] as const),
  ...['msec', 'msecs', 'millis'].map((u) => [u, 'ms'] as const),
  ...['usec', 'usecs', 'micros'].map((u) => [u, 'us'] as const),
  ...['nsec', 'nsecs', 'nanos'].map((u) => [u, 'ns'] as const),
  ...['byte', 'bytes'].map((u) => [u, 'B'] as const),
])

/** `bps` is the trap: bits to most people, bytes to tc(8). */
function notABitRate(text: string, { number, unit }: Written): Refusal {
  const match = /^([kmgt]?)(bps|b\/s|b)$/i.exec(unit)
  if (match !== null) {
    const prefix = match[1]!
    const eightfold = decimalTimes8(number)
    return {
      error: `'${text}' may mean bits or bytes per second`,
      suggestion: `write '${number}${prefix}bit' for bits or '${eightfold}${prefix}bit' for bytes`,
    }
  }
  if (/^[kmgt]$/i.test(unit)) {
    return { error: `'${text}' has no unit`, suggestion: `did you mean '${number}${unit}bit'?` }
  }
  return { error: `'${text}' has an unknown unit '${unit}'`, suggestion: `expected ${RATE}` }
}
function decimalTimes8(number: string): string {
  const [digits, places] = digitsOf(number)
  const text = (BigInt(digits) * 8n).toString().padStart(places + 1, '0')
  return places === 0 ? text : trimZeros(text.slice(0, -places), text.slice(-places))
}

/** `1.50` as `['150', 2]`. */
function digitsOf(number: string): readonly [digits: string, places: number] {
  const [whole, fraction = ''] = number.split('.')
  return [whole! + fraction, fraction.length]
}

/** Number times unit, refused where it is not a whole count of the base unit. */
function scale(text: string, { number }: Written, unit: number, base: string): number | Refusal {
  const [digits, places] = digitsOf(number)
  const product = BigInt(digits) * BigInt(unit)
  const divisor = 10n ** BigInt(places)
  if (product % divisor !== 0n) return { error: `'${text}' is finer than ${base}` }
  const value = product / divisor
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  return { error: `'${text}' is too large` }
}

function wholeNumber(n: number, expected: string): number | Refusal {
  if (Number.isSafeInteger(n) && n >= 0) return n
  return { error: `${n} is not a whole number from 0`, suggestion: `expected ${expected}` }
}

const own = (table: { readonly [unit: string]: number }, unit: string): number | undefined =>
  Object.hasOwn(table, unit) ? table[unit] : undefined
