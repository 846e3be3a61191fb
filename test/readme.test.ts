import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** What the README tells people to type has to work: every command is run, from another directory. */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: { readonly [name: string]: string }
}

interface Block {
  readonly language: string
  readonly text: string
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    blocks.push({ language: match[1]!, text: match[2]! })
  }
  return blocks
}

/** Lines of a shell block; in a transcript only what follows the prompt. */
function commandsOf(block: Block): string[] {
  const lines = block.text.replaceAll('\\\n', ' ').split('\n')
  if (block.language === 'console') {
    return lines
      .filter((line) => line.startsWith('$ '))
      .map((line) => withoutComment(line.slice(2)))
  }
  if (!['sh', 'bash', 'shell'].includes(block.language)) return []
  return lines.map(withoutComment).filter((line) => line !== '')
}

const withoutComment = (line: string) => line.replace(/(^|\s+)#\s.*$/, '').trim()

/** Not run here: they install, or run this very test, or take minutes. They only have to exist. */
const NOT_RUN =
  /^(git clone \S+|cd \S+|npm (ci|test|install \S+)|npm run (check|bench)( -- \S+)?|\.ci\/run)$/

const commands = [...new Set(blocksOf(readme).flatMap(commandsOf))]
const steps = [...new Set(commands.flatMap((command) => command.split(/\s*&&\s*/)))]
const runnable = steps.filter((step) => !NOT_RUN.test(step))

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'readme-'))
  // Files that a command names and that the text above it tells the reader to write.
  for (const block of blocksOf(readme)) {
    const name = /^\/\/ (\S+\.ts)\n/.exec(block.text)?.[1]
    if (name !== undefined) writeFileSync(join(directory, name), block.text)
  }
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function run(step: string) {
  const script = step === 'npm start' ? scripts['start']! : step
  const command = script.replace(/^(npx |node )?(bin\/)?twinwire\b/, 'twinwire')
  const env = { ...process.env, PATH: `${join(ROOT, 'bin')}:${process.env['PATH']}` }
  const options = { cwd: directory, env, encoding: 'utf8' } as const
  return spawnSync('bash', ['-o', 'pipefail', '-c', command], options)
}

describe('the README', () => {
  test('has the two commands of the start', () => {
    expect(commands).toContain('npm ci && npm start')
    expect(commands).toContain('npm ci && npm test')
  })

  test('names only npm scripts that exist', () => {
    const named = steps.flatMap((step) => /^npm (?:run )?(?!ci|install)(\S+)/.exec(step)?.[1] ?? [])
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  test.each(runnable)('%s', (step) => {
    const { status, stderr } = run(step)
    expect(stderr + `exit ${status}`).toContain('exit 0')
  })
})

test('the gate runs what the README says', () => {
  const gate = readFileSync(join(ROOT, '.ci', 'run'), 'utf8')
  for (const line of [/^npm ci\b/m, /^npm run check$/m, /^npm test$/m]) expect(gate).toMatch(line)
})
