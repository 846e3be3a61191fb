import { z } from 'zod'
import { EXIT_OK } from './exit-codes.ts'
import { scenarioSchema } from './yaml-schema.ts'

/** The JSON Schema of scenario files. */
export const scenarioJsonSchema = (): object =>
  z.toJSONSchema(scenarioSchema, { target: 'draft-2020-12', io: 'input' })

/** Prints it: for editors, and for programs that write such files. */
export function schema(): number {
  process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`)
  return EXIT_OK
}
