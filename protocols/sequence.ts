/**
 * TCP sequence numbers: 32 bits, compared modulo 2^32 (RFC 9293 §3.4). Held as signed 32-bit
 * integers, which V8 keeps unboxed; `seqText` shows the number people expect.
 */
export type Seq = number & { readonly __unit?: 'seq' }

export const seq = (n: number): Seq => n | 0
export const seqAdd = (a: Seq, n: number): Seq => (a + n) | 0
/** The distance from `b` to `a`, negative where `a` is older. */
export const seqDiff = (a: Seq, b: Seq): number => (a - b) | 0
export const seqLt = (a: Seq, b: Seq): boolean => ((a - b) | 0) < 0
export const seqLeq = (a: Seq, b: Seq): boolean => ((a - b) | 0) <= 0
export const seqGt = (a: Seq, b: Seq): boolean => ((a - b) | 0) > 0
export const seqGeq = (a: Seq, b: Seq): boolean => ((a - b) | 0) >= 0
export const seqMax = (a: Seq, b: Seq): Seq => (seqGeq(a, b) ? a : b)
export const seqText = (a: Seq): string => String(a >>> 0)
