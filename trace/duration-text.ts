import { type Nanos, NEVER } from '../protocols/time.ts'

/** An instant as seconds with all nine decimals: `0.010000000`. */
export function instantText(at: Nanos): string {
  if (at === NEVER) return 'never'
  const whole = Math.floor(at / 1e9)
  return `${whole}.${String(at - whole * 1e9).padStart(9, '0')}`
}

const UNITS: readonly (readonly [Nanos, string])[] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
]

/** A span, exactly, in the largest unit that leaves at least one whole: `1s`, `312.5ms`, `40ns`. */
export function spanText(span: Nanos): string {
  if (span === NEVER) return 'never'
  for (const [size, unit] of UNITS) if (Math.abs(span) >= size) return `${span / size}${unit}`
  return `${span}ns`
}
