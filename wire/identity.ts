import { createHash } from 'node:crypto'
import type { PreparedRun } from '../sim/prepared-run.ts'

/** Of what a scenario is made: its sources where it has any, else its network. */
export function scenarioIdentity(sources: readonly Uint8Array[], run: PreparedRun): string {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(source)
  hash.update(JSON.stringify(run.network, (_, value) => (value === Infinity ? 'Infinity' : value)))
  return hash.digest('hex')
}
