import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTATIONS } from '../scripts/mutations.ts'

// `npm run mutate` takes long and seldom runs; that its list fits the sources is looked at here.

test('every mutation replaces exactly one place, and changes it', () => {
  const misfits = MUTATIONS.flatMap(({ name, file, find, replace }) => {
    const places =
      readFileSync(new URL(`../${file}`, import.meta.url), 'utf8').split(find).length - 1
    return places === 1 && find !== replace ? [] : [`${name}: ${places} places in ${file}`]
  })
  expect(misfits).toEqual([])
})

test('mutations have names of their own', () => {
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length)
})
