import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inPlace, recorded } from '../../../sim/driver.ts'
import { DEFAULT_PROFILE, isTcpProfile, type TcpProfile } from '../../../protocols/tcp/profile.ts'
import { runScript } from '../../../sim/packetdrill/run-script.ts'

// Every script of test/packetdrill/, with the host's state changed in place and recorded. One whose name
// begins with a profile's is for that one; what Linux does, too, is played under both.

const FOLDER = join(import.meta.dirname, '..', '..', 'packetdrill')
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.pkt'))

function profilesOf(name: string): readonly TcpProfile[] {
  const [first = ''] = name.split('-', 1)
  if (isTcpProfile(first)) return [first]
  return name.startsWith('fast-open-') ? [DEFAULT_PROFILE, 'linux'] : [DEFAULT_PROFILE]
}

test('there are scripts', () => {
  expect(names.length).toBeGreaterThanOrEqual(230)
})

describe.each(names)('%s', (name) => {
  const source = readFileSync(join(FOLDER, name), 'utf8')

  test.each(profilesOf(name))('passes under %s, in place and recorded alike', (profile) => {
    const first = runScript(source, { profile, drive: inPlace })
    expect(first).toMatchObject({ verdict: 'passed', reason: '' })
    expect(runScript(source, { profile, drive: recorded })).toEqual(first)
  })

  test('says what it shows, with its source', () => {
    expect(source).toMatch(/^\/\/ .*(RFC \d+|[A-Z]{3,}|wire|IP header|blocking|Readiness|script)/)
  })
})
