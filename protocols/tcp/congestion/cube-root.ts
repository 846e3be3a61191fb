/**
 * The cube root of `x` >= 0 by Newton's method: nothing but + - * /, so that it is the same to the
 * bit everywhere, which `Math.cbrt` is not. Exact to some units in the last place.
 */
export function cubeRoot(x: number): number {
  if (x === 0) return 0
  // Scaled by powers of eight into [1, 8), whose roots lie in [1, 2).
  let scaled = x
  let scale = 1
  for (; scaled >= 8; scaled /= 8) scale *= 2
  for (; scaled < 1; scaled *= 8) scale /= 2
  let root = 1 + (scaled - 1) / 7
  // Quadratic convergence from an error below 0.3: six steps are beyond the last place.
  for (let i = 0; i < 6; i++) root -= (root - scaled / (root * root)) / 3
  return root * scale
}
