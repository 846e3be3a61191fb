import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const SOURCES = [
  'protocols',
  'trace',
  'sim',
  'wire',
  'scenarios',
  'cli',
  'bench',
  'testing',
  'scripts',
  'types',
]
const STAMP = join(DIST, '.built')

/** Builds `dist` before the tests that start the program, unless it is newer than every source. */
export default function build(): void {
  const started = new Date()
  const newest = Math.max(...SOURCES.flatMap((folder) => filesIn(ROOT, folder)).map(modified))
  if (existsSync(STAMP) && modified(STAMP) > newest) return
  mkdirSync(DIST, { recursive: true })
  const fresh = mkdtempSync(join(DIST, '.build-'))
  try {
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    const args = ['-p', 'tsconfig.build.json', '--outDir', fresh]
    const built = spawnSync(tsc, args, { cwd: ROOT, encoding: 'utf8' })
    replaceChanged(fresh)
    // Types are judged by `npm run check`; what has type errors may still run.
    if (built.status !== 0) process.stderr.write(`the build has errors:\n${built.stdout}`)
    else {
      writeFileSync(STAMP, '')
      // A source that was changed meanwhile is newer than this.
      utimesSync(STAMP, started, started)
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** File by file and each at once: another test run may be starting the program just now. */
function replaceChanged(fresh: string): void {
  for (const path of filesIn(fresh, '.')) {
    const target = join(DIST, path.slice(fresh.length))
    if (existsSync(target) && readFileSync(target).equals(readFileSync(path))) continue
    mkdirSync(dirname(target), { recursive: true })
    renameSync(path, target)
  }
}

function filesIn(...folder: string[]): string[] {
  const path = join(...folder)
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

const modified = (path: string): number => statSync(path).mtimeMs
