/** A broken invariant: a defect of ours, never of the input. The world adds node, time and seed. */
export class InvariantError extends Error {
  override name = 'InvariantError'
}

export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(invariant)
}

/** The `default` of an exhaustive `switch`. */
export function unreachable(value: never): never {
  throw new InvariantError(`not a case: ${JSON.stringify(value)}`)
}
