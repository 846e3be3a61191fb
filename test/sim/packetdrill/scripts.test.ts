import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inPlace, recorded } from '../../../sim/driver.ts'
import { runScript } from '../../../sim/packetdrill/run-script.ts'

// Every script of test/packetdrill/, with the host's state changed in place and recorded.

const FOLDER = join(import.meta.dirname, '..', '..', 'packetdrill')
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.pkt'))

test('there are scripts', () => {
  expect(names.length).toBeGreaterThanOrEqual(230)
})

describe.each(names)('%s', (name) => {
  const source = readFileSync(join(FOLDER, name), 'utf8')
  const first = runScript(source, { drive: inPlace })

  test('passes, in place and recorded alike', () => {
    expect(first).toMatchObject({ verdict: 'passed', reason: '' })
    expect(runScript(source, { drive: recorded })).toEqual(first)
  })

  test('says what it shows, with its source', () => {
    expect(source).toMatch(/^\/\/ .*(RFC \d+|[A-Z]{3,}|wire|IP header|blocking|Readiness|script)/)
  })
})
