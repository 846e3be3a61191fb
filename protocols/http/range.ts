/** What of a representation is sent: bytes `from` ≤ i < `to`. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/**
 * RFC 9110 §14: `null` where the field asks for nothing that is understood (then all is sent), and
 * `'unsatisfiable'` where no byte of it exists. Several ranges at once are not served: all is sent,
 * which §14.2 allows.
 */
export function rangeOf(
  field: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return null
  if (match[1] === '') {
    const last = Number(match[2])
    return last === 0 || size === 0 ? 'unsatisfiable' : { from: Math.max(0, size - last), to: size }
  }
  const from = Number(match[1])
  const to = match[2] === '' ? size : Math.min(size, Number(match[2]) + 1)
  if (match[2] !== '' && Number(match[2]) < from) return null
  return from >= size ? 'unsatisfiable' : { from, to }
}
