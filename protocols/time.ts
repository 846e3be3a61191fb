/**
 * Nanoseconds, as an integer in a `number`: exact for 104 days. Used for instants (since the start
 * of the run) and for spans alike.
 */
export type Nanos = number & { readonly __unit?: 'ns' }

/** A deadline that is not set. It compares as later than every instant. */
export const NEVER: Nanos = Infinity

/**
 * For the literal that makes a state whose deadlines are set to `NEVER` right after: V8 then keeps
 * the field as a pointer, all unset deadlines share one Infinity, and an idle connection saves 16
 * bytes for each.
 */
export const UNMADE = null as unknown as Nanos

export const us = (n: number): Nanos => Math.round(n * 1e3)
export const ms = (n: number): Nanos => Math.round(n * 1e6)
export const s = (n: number): Nanos => Math.round(n * 1e9)

export const toSeconds = (t: Nanos): number => t / 1e9
