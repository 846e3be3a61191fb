// Constants, not computed.
const { LN2, SQRT1_2: SQRT_HALF } = Math

/**
 * The natural logarithm of a positive double that is no subnormal, from additions, multiplications
 * and divisions alone: those give the same bits on every machine, `Math.log` need not.
 *
 * x = m 2^e with m from √½ to √2, and ln m = 2 (s + s³/3 + s⁵/5 + …) with s = (m - 1)/(m + 1), which
 * is at most 0.172: twelve terms leave less than 2^-60.
 */
export function naturalLogarithm(x: number): number {
  let m = x
  let e = 0
  // Both steps are exact.
  for (; m >= 2 * SQRT_HALF; m /= 2) e += 1
  for (; m < SQRT_HALF; m *= 2) e -= 1
  const s = (m - 1) / (m + 1)
  const square = s * s
  let sum = 0
  for (let k = 23; k >= 1; k -= 2) sum = sum * square + 1 / k
  return e * LN2 + 2 * s * sum
}

/** A draw of the exponential distribution with mean 1, from a uniform one in steps of 2^-32. */
export const exponential = (uniform: number): number =>
  // The middle of the step: never the logarithm of 0.
  -naturalLogarithm(1 - (uniform + 2 ** -33))
