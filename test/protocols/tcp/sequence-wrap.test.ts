import { expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

// The same stories where the numbers begin shortly before 2^32 and 2^31: every line is the same,
// for the timeline shows them relative to the SYNs.

const STORIES: { readonly [name: string]: string } = {
  'data both ways, a loss, a close': `
    1    send 10000
    1.1  < . 1:1001(1000) ack 1
    1.11 < . 2001:3001(1000) ack 1
    1.12 < . 3001:3001(0) ack 1
    1.13 < . 3001:3001(0) ack 1
    1.14 < . 3001:3001(0) ack 1
    1.15 < . 3001:3001(0) ack 1
    1.2  < . 3001:3001(0) ack 6001
    1.3  < . 1001:2001(1000) ack 10001
    1.4  receive
    2    close
    2.1  < F. 3001:3001(0) ack 10002`,
  'a timeout': `
    1    send 10000
    2.1  < . 1:1(0) ack 4001
    2.2  < . 1:1(0) ack 10001`,
  'a closed window': `
    1    < . 1:1(0) ack 1 win 0
    1.1  send 3000
    3    < . 1:1(0) ack 1 win 9000
    3.1  < . 1:4001(4000) ack 3001
    3.2  < R 4002:4002(0)
    3.3  < R 4001:4001(0)`,
}

const near = [2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32 - 1001, 2 ** 32 - 5500, 2 ** 31 - 1, 2 ** 31 - 2500]

test.each(Object.keys(STORIES))('%s: the same across the wrap of either side', (name) => {
  const story = STORIES[name]!
  const usual = established(story, { until: '100s' })
  expect(usual.split('\n').length).toBeGreaterThan(8)
  for (const iss of near) {
    expect(established(story, { until: '100s', iss, irs: 77 })).toBe(usual)
    expect(established(story, { until: '100s', iss: 77, irs: iss })).toBe(usual)
    expect(established(story, { until: '100s', iss, irs: iss })).toBe(usual)
  }
})

test('a passive open across the wrap', () => {
  const story = `
    0   < S 0:0(0) win 65535 <mss 1000>
    0.1 < P. 1:101(100) ack 1
    0.2 receive
    0.3 send 100
    0.4 < F. 101:101(0) ack 101
    0.5 close
    0.6 < . 102:102(0) ack 102`
  const usual = plain(story, { passive: true })
  expect(usual.split('\n').at(-1)).toBe('   0.6    = closed')
  for (const iss of near) expect(plain(story, { passive: true, iss, irs: iss })).toBe(usual)
})
