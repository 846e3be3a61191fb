import { describe, expect, test } from 'vitest'
import { optionBytes } from '../../../protocols/tcp/options.ts'
import { TCP_PROFILE_NAMES, policyOf } from '../../../protocols/tcp/profile.ts'
import { timeline } from '../../../sim/testing/timeline.ts'

const firstLine = (text: string): string => text.split('\n').find((line) => line.includes('>'))!

describe('profiles', () => {
  test('each writes its SYN in its own order', () => {
    const syns = TCP_PROFILE_NAMES.map(
      (profile) => `${profile}: ${firstLine(timeline('0 connect', { profile, until: '0s' }))}`,
    )
    expect(syns).toMatchInlineSnapshot(`
      [
        "rfc:    0      > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>",
        "linux:    0      > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>",
        "freebsd:    0      > S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 0 ecr 0>",
        "pytcp:    0      > S 0:0(0) win 65535 <mss 1460,nop,wscale 0>",
      ]
    `)
  })

  test('options fill whole words, whatever is on', () => {
    for (const name of TCP_PROFILE_NAMES) {
      const { synLayouts, synAckLayouts } = policyOf(name)
      for (const layout of [...synLayouts, ...synAckLayouts]) {
        expect(optionBytes(layout, [], []) % 4).toBe(0)
      }
      expect(synLayouts).toHaveLength(8)
    }
  })

  test('each waits for the answer to a SYN in its own way', () => {
    const schedules = TCP_PROFILE_NAMES.map((profile) => {
      const lines = timeline('0 connect', { profile, until: '1000s' }).split('\n')
      const times = lines
        .filter((line) => / > S|failed/.test(line))
        .map((line) => line.slice(0, 9).trim())
      return `${profile}: ${times.join(' ')}`
    })
    expect(schedules).toMatchInlineSnapshot(`
      [
        "rfc: 0 1 3 7 15 31 63 127 247",
        "linux: 0 1 2 3 4 5 7 11 19 35 67 131",
        "freebsd: 0 1 3.2 7.4 15.6 31.8 64 75",
        "pytcp: 0 1 3 7 15",
      ]
    `)
  })
})
