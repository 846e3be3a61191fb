import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

// The table of protocols/tcp/README.md says where each MUST of RFC 9293 is obeyed, and which test shows it.

const ROOT = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const source = readdirSync(join(ROOT, 'protocols'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(join('protocols', name)))
  .join('\n')

const rows = read('protocols/tcp/README.md')
  .split('## Every MUST')[1]!
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, numbers, , section, functions, tests]) => ({ numbers, section, functions, tests }))

/** A test's file, by its name as the table has it. */
const fileOf = (name: string): string | undefined =>
  [`test/protocols/tcp/${name}`, `test/protocols/${name}`, `test/packetdrill/${name}`].find(
    (path) => existsSync(join(ROOT, path)),
  )

test('every MUST of the RFC has its row', () => {
  const found = rows.flatMap(({ numbers }) => numbers!.split(', ').map(Number))
  const all = Array.from({ length: 69 }, (_, i) => i + 1)
  expect(found.toSorted((a, b) => a - b)).toEqual(all)
})

describe.each(rows)('MUST $numbers, $section', ({ functions, tests }) => {
  test('functions that there are', () => {
    if (functions!.startsWith('left out: ')) return
    const names = [...functions!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
    expect(names).not.toEqual([])
    const missing = names.filter((name) => !new RegExp(`(function|const) ${name}\\b`).test(source))
    expect(missing).toEqual([])
  })

  test('tests that there are', () => {
    const named = [...tests!.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)]
    expect(named).not.toEqual([])
    for (const [, name, title] of named) {
      const path = fileOf(name!)
      expect(path, name).toBeDefined()
      if (title === undefined) expect(name).toMatch(/\.pkt$/)
      else expect(read(path!)).toContain(title)
    }
  })
})
