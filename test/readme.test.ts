import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRun, Page, Shell } from './page.ts'

/**
 * What the README tells people to type has to work, and to say what the README says that it says:
 * every command is run, from another directory, with the files that the text tells people to write.
 * Where a run comes out differently for a good reason, `npx vitest run test/readme.test.ts -u` puts
 * the new output into the README.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const readme = new Page(join(ROOT, 'README.md'))
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: { readonly [name: string]: string }
}

const directory = mkdtempSync(join(tmpdir(), 'readme-'))
const shell = new Shell(directory, [join(ROOT, 'bin')])
beforeAll(() => {
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  readme.writeFiles(directory)
  shell.link('twinwire', ROOT)
  for (const name of ['vitest', '.bin/vitest']) shell.link(name, join(ROOT, 'node_modules', name))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** In a checkout `npm start` and `bin/twinwire` are the program on the path. */
function run(step: string) {
  const script = step === 'npm start' ? scripts['start']! : step
  return shell.run(script.replace(/^(npx |node )?(bin\/)?twinwire\b/, 'twinwire'))
}

describe('the README', () => {
  test('has the two commands of the start', () => {
    expect(readme.commands).toContain('npm ci && npm start')
    expect(readme.commands).toContain('npm ci && npm test')
  })

  test('has a scenario and a timing test of five lines', () => {
    const bodies = readme.files
      .map(({ text }) => text.replace(/\(`\n.*?`\)/s, '()').split('\n'))
      .map((lines) => lines.filter((line) => line !== '' && !line.startsWith('//')))
    expect(bodies).toHaveLength(2)
    // The import and the closing line are not counted.
    for (const lines of bodies) expect(lines.length).toBeLessThanOrEqual(7)
  })

  test('names only npm scripts that exist', () => {
    const named = readme.steps.flatMap((step) => {
      return /^npm (?:run )?(?!ci|install)(\S+)/.exec(step)?.[1] ?? []
    })
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  test.each(readme.steps.filter(isRun))('%s', (step) => {
    const { status, shown } = run(step)
    // The one that shows what a mistake gets.
    const expected = shown.startsWith('error: ') && readme.text.includes(shown) ? 2 : 0
    expect(`${shown}exit ${status}`).toContain(`exit ${expected}`)
  })

  test('shows what the commands print', async () => {
    await expect(readme.rewritten(run)).toMatchFileSnapshot(readme.path)
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

test.each(PAGES)('%s names only files that exist', (name) => {
  const { prose } = new Page(join(ROOT, name))
  const links = [...prose.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to]) =>
    join(dirname(name), to!),
  )
  const paths = [...prose.matchAll(/`([a-z0-9-]+(?:\/[a-z0-9-]+)+\.[a-z.]+)`/g)]
    .map(([, path]) => path!)
    .filter((path) => existsSync(join(ROOT, path.split('/')[0]!)))
  expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('the gate runs what the README says', () => {
  const gate = readFileSync(join(ROOT, '.ci', 'run'), 'utf8')
  for (const line of [/^npm ci\b/m, /^npm run check$/m, /^npm test$/m]) expect(gate).toMatch(line)
})
