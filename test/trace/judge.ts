import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatBytes } from '../../protocols/bytes.ts'

export const has = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined

/** Why a judge's test is skipped, for its title. */
export const unless = (program: string): string =>
  has(program) ? '' : ` (skipped: ${program} is not installed)`

/** Runs a program over a capture and returns its lines. */
export function judged(
  pieces: readonly Uint8Array[],
  program: string,
  args: (file: string) => readonly string[],
): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-judge-'))
  try {
    const file = join(folder, 'capture.pcapng')
    writeFileSync(file, concatBytes(pieces))
    const text = execFileSync(program, args(file), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
    })
    return text.split('\n').slice(0, -1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
