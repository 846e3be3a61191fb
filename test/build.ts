import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const SOURCES = ['protocols', 'trace', 'sim', 'wire', 'scenarios', 'cli', 'bench', 'types']
const STAMP = join(ROOT, 'dist', '.built')

/** Builds `dist` before the tests that start the program, unless it is newer than every source. */
export default function build(): void {
  const newest = Math.max(...SOURCES.map((folder) => newestIn(join(ROOT, folder))))
  if (existsSync(STAMP) && statSync(STAMP).mtimeMs > newest) return
  const started = new Date()
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  const built = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: ROOT, encoding: 'utf8' })
  if (built.status !== 0) {
    // Types are judged by `npm run check`; a build with type errors still runs.
    process.stderr.write(`the build has errors:\n${built.stdout}${built.stderr}\n`)
    return
  }
  writeFileSync(STAMP, started.toISOString())
}

function newestIn(folder: string): number {
  if (!existsSync(folder)) return 0
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestIn(path) : statSync(path).mtimeMs)
  }
  return newest
}
