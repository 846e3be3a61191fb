import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Outcome } from '../sim/outcome.ts'
import { UserError } from '../sim/user-error.ts'
import type { NodeFiles } from './files.ts'
import { packageRoot } from './package-root.ts'

/** What a scenario's trace came to with one seed and these parameters. */
interface RecordedDigest {
  readonly scenario: string
  readonly seed: string
  readonly params: { readonly [name: string]: string }
  readonly digest: string
}

interface DigestFile {
  readonly schema: 1
  readonly digests: readonly RecordedDigest[]
}

/** Where digests stand: one file for all shipped scenarios, `NAME.digest` beside a user's own. */
export const digestPath = (userFile: string | null): string =>
  userFile === null
    ? join(packageRoot, 'scenarios', 'data', 'digests.json')
    : userFile.replace(/\.[^./\\]+$/, '.digest')

/** @throws UserError for a file that is there and is not one of ours. */
export function readDigests(path: string): readonly RecordedDigest[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return []
  const bad = (): never => {
    throw new UserError(`'${path}' holds no digests`, {
      hint: 'remove it, and record the digest anew',
    })
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return bad()
  }
  const file = parsed as Partial<DigestFile> | null
  if (file === null || file.schema !== 1 || !Array.isArray(file.digests)) return bad()
  return file.digests
}

/** The recorded digest for exactly this run; `null` where there is none. */
export function expectedDigest(
  digests: readonly RecordedDigest[],
  outcome: Outcome,
): string | null {
  return digests.find((each) => isSameRun(each, outcome))?.digest ?? null
}

/** Replaces the digest of this run, or adds it; the others stay, in their order. */
export function updateDigest(path: string, outcome: Outcome, files: NodeFiles): void {
  const { scenario, seed, params, digest } = outcome
  const digests = [...readDigests(path)]
  const at = digests.findIndex((each) => isSameRun(each, outcome))
  if (at < 0) digests.push({ scenario, seed, params, digest })
  else digests[at] = { scenario, seed, params, digest }
  const file: DigestFile = { schema: 1, digests }
  const writer = files.create(path)
  writer.write(new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`))
  writer.commit()
}

function isSameRun(each: RecordedDigest, outcome: Outcome): boolean {
  return (
    each.scenario === outcome.scenario &&
    each.seed === outcome.seed &&
    text(each.params) === text(outcome.params)
  )
}

const text = (params: RecordedDigest['params']): string =>
  JSON.stringify(Object.entries(params).toSorted(([a], [b]) => (a < b ? -1 : 1)))
