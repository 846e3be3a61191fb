import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * What the README tells people to type has to work, and to say what the README says that it says:
 * every command is run, from another directory, with the files that the text tells people to write.
 * Where a run comes out differently for a good reason, `npx vitest run test/readme.test.ts -u` puts
 * the new output into the README.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const README = join(ROOT, 'README.md')
const readme = readFileSync(README, 'utf8')
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: { readonly [name: string]: string }
}

interface Block {
  readonly language: string
  readonly text: string
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(BLOCK)) {
    blocks.push({ language: match[1]!, text: match[2]! })
  }
  return blocks
}
const BLOCK = /^```(\w*)\n(.*?)^```$/gms

/** Lines of a shell block; in a transcript only what follows the prompt. */
function commandsOf({ language, text }: Block): string[] {
  if (language === 'console') return transcriptOf(text).map(({ command }) => command)
  if (!['sh', 'bash', 'shell'].includes(language)) return []
  const lines = text.replaceAll('\\\n', ' ').split('\n')
  return lines.map(withoutComment).filter((line) => line !== '')
}

const withoutComment = (line: string) => line.replace(/(^|\s+)#\s.*$/, '').trim()

interface Typed {
  readonly command: string
  /** Lines; `…` stands for any number of them. */
  readonly output: readonly string[]
}

function transcriptOf(text: string): Typed[] {
  const parts = text.split(/^\$ /m).slice(1)
  return parts.map((part) => {
    const [command = '', ...output] = part.trimEnd().split('\n')
    return { command: withoutComment(command), output }
  })
}

/** Not run here: they install, or run this very test, or take minutes. They only have to exist. */
const NOT_RUN =
  /^(git clone \S+|cd \S+|npm (ci|test|install \S+)|npm run (check|bench)( -- \S+)?|\.ci\/run)$/

const stepsOf = (command: string): string[] => command.split(/\s*&&\s*/)
const isRun = (step: string): boolean => !NOT_RUN.test(step)
const commands = [...new Set(blocksOf(readme).flatMap(commandsOf))]
const steps = [...new Set(commands.flatMap(stepsOf))]

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'readme-'))
  for (const { text } of blocksOf(readme)) {
    const name = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1]
    if (name !== undefined) writeFileSync(join(directory, name), text)
  }
  // As if both had been installed there.
  mkdirSync(join(directory, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(ROOT, join(directory, 'node_modules', 'twinwire'))
  for (const installed of ['vitest', '.bin/vitest']) {
    symlinkSync(join(ROOT, 'node_modules', installed), join(directory, 'node_modules', installed))
  }
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Ran {
  readonly status: number | null
  /** Both streams, as a terminal shows them. */
  readonly shown: string
}

const done = new Map<string, Ran>()

/** Once each: what stands twice in the README does the same both times. */
function run(step: string): Ran {
  const before = done.get(step)
  if (before !== undefined) return before
  const script = step === 'npm start' ? scripts['start']! : step
  const command = script.replace(/^(npx |node )?(bin\/)?twinwire\b/, 'twinwire')
  const env = {
    ...process.env,
    PATH: `${join(ROOT, 'bin')}:${process.env['PATH']}`,
    XDG_CACHE_HOME: join(directory, 'cache'),
    NO_COLOR: '1',
  }
  const options = { cwd: directory, env, encoding: 'utf8' } as const
  const args = ['-o', 'pipefail', '-c', `exec 2>&1; ${command}`]
  const { status, stdout } = spawnSync('bash', args, options)
  const ran = { status, shown: stdout }
  done.set(step, ran)
  return ran
}

/** The README with what the commands really print in its transcripts. */
function rewritten(): string {
  return readme.replaceAll(BLOCK, (block, language: string, text: string) => {
    if (language !== 'console') return block
    const parts = transcriptOf(text).map(({ command, output }) => {
      const step = stepsOf(command).at(-1)!
      const lines = isRun(step) ? elided(run(step).shown.trimEnd().split('\n'), output) : output
      return ['$ ' + command, ...lines].join('\n')
    })
    return `\`\`\`console\n${parts.join('\n')}\n\`\`\``
  })
}

/** Leaves out as much as `like` does; what comes before the command's own words is not ours. */
function elided(lines: readonly string[], like: readonly string[]): readonly string[] {
  const gap = like.indexOf('…')
  if (gap < 0) return lines
  if (gap === 0) return ['…', ...lines]
  const after = like.length - gap - 1
  return [...lines.slice(0, gap), '…', ...lines.slice(lines.length - after)]
}

describe('the README', () => {
  test('has the two commands of the start', () => {
    expect(commands).toContain('npm ci && npm start')
    expect(commands).toContain('npm ci && npm test')
  })

  test('has a scenario and a timing test of five lines', () => {
    const bodies = blocksOf(readme)
      .filter(({ language }) => language === 'ts')
      .map(({ text }) => text.replace(/\(`\n.*?`\)/s, '()').split('\n'))
      .map((lines) => lines.filter((line) => /^(?!\/\/)/.test(line) && line !== ''))
    expect(bodies).toHaveLength(2)
    // The import and the closing line are not counted.
    for (const lines of bodies) expect(lines.length).toBeLessThanOrEqual(7)
  })

  test('names only npm scripts that exist', () => {
    const named = steps.flatMap((step) => /^npm (?:run )?(?!ci|install)(\S+)/.exec(step)?.[1] ?? [])
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  test.each(steps.filter(isRun))('%s', (step) => {
    const { status, shown } = run(step)
    // The one that shows what a mistake gets.
    const expected = shown.startsWith('error: ') && readme.includes(shown) ? 2 : 0
    expect(`${shown}exit ${status}`).toContain(`exit ${expected}`)
  })

  test('shows what the commands print', async () => {
    await expect(rewritten()).toMatchFileSnapshot(README)
  })
})

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

test.each(PAGES)('%s names only files that exist', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(BLOCK, '')
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to]) =>
    join(dirname(page), to!),
  )
  const paths = [...text.matchAll(/`([a-z0-9-]+(?:\/[a-z0-9-]+)+\.[a-z.]+)`/g)]
    .map(([, path]) => path!)
    .filter((path) => existsSync(join(ROOT, path.split('/')[0]!)))
  expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('the gate runs what the README says', () => {
  const gate = readFileSync(join(ROOT, '.ci', 'run'), 'utf8')
  for (const line of [/^npm ci\b/m, /^npm run check$/m, /^npm test$/m]) expect(gate).toMatch(line)
})
