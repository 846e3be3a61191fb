import type { FlowSummary } from './summary.ts'

/**
 * Jain's fairness index: the squared sum over the number times the sum of squares. 1 where all have
 * the same, 1/n where one has everything; `null` for less than two shares, or nothing to share.
 */
export function jainIndex(shares: readonly number[]): number | null {
  let [sum, squares] = [0, 0]
  for (const share of shares) {
    sum += share
    squares += share * share
  }
  return shares.length < 2 || squares === 0 ? null : (sum * sum) / (shares.length * squares)
}

/** Over what TCP connections got, each in the direction in which it carried more. */
export const fairnessOf = (flows: readonly FlowSummary[]): number | null =>
  jainIndex(
    flows
      .filter(({ protocol }) => protocol === 'tcp')
      .map(({ forward, backward }) => {
        return forward.deliveredBytes >= backward.deliveredBytes
          ? forward.goodput
          : backward.goodput
      }),
  )
