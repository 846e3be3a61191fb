import { z } from 'zod'

// The values that scenario files are made of. `${name}` may stand for any of them.

/** The place of a parameter, alone. */
export const HOLE = z
  .string({ error: 'expected text' })
  .regex(/^\$\{[A-Za-z]\w*\}$/, { abort: true })

/** `'10ms'`, or a plain number in the base unit. */
export const quantity = z
  .union([z.string(), z.number()], { error: "expected a quantity such as '10ms'" })
  .meta({ id: 'quantity' })

export const text = z.string({ error: 'expected text' })

export const whole = z
  .union([z.int().min(0), HOLE], { error: 'expected a whole number' })
  .meta({ id: 'whole' })

export const yesOrNo = z
  .union([z.boolean(), HOLE], { error: 'expected true or false' })
  .meta({ id: 'flag' })

/**
 * A record without other keys. What is said of an unknown one is the list of those that there are,
 * for whoever makes a sentence of it.
 */
export const strict = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : 'expected a record',
  })

/** One entry for each key. */
export type Keys<T> = { readonly [Key in keyof Required<T>]: z.ZodType }

/** The same keys, of which each may be left out. */
export const optional = <Shape extends { readonly [key: string]: z.ZodType }>(shape: Shape) =>
  Object.fromEntries(Object.entries(shape).map(([key, type]) => [key, type.optional()])) as {
    [Key in keyof Shape]: z.ZodOptional<Shape[Key]>
  }

/** A record in which every key may be left out, and none is unknown. */
export const record = <T>(keys: Keys<T>): z.ZodObject => strict(optional(keys))
