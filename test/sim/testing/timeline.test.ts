import { describe, expect, test } from 'vitest'
import { parseSegment, segmentText } from '../../../sim/testing/segment-notation.ts'
import { timeline } from '../../../sim/testing/timeline.ts'

const run = (script: string) => () => timeline(script, { until: '10s' })

describe('a script', () => {
  test('may have comments, empty lines and times after the line before', () => {
    const script = `
      # nothing yet
      0.5   connect   # now
      +0.25 close
    `
    expect(timeline(script, { until: '1s', policy: { timestamps: false } })).toMatchInlineSnapshot(`
      "   0.5    = SYN-SENT
         0.5    > S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>
         0.75   = CLOSED
         0.75   = closed"
    `)
  })

  test('stops where it says, inclusive', () => {
    const at = (until: string) => timeline('0 connect', { until }).split('\n').length
    expect([at('999ms'), at('1s'), at('2.999999999s'), at('3s')]).toEqual([2, 3, 3, 4])
  })

  test.each([
    ['connect', "no instant: 'connect'"],
    ['1 connect\n0.5 close', "back in time: '0.5 close'"],
    ['1 dance', "unknown input 'dance'"],
    ['1 < S 0:0', "not a segment: 'S 0:0'"],
    ['1 < S 0:10(9)', '0:10 are not 9 bytes'],
    ['1 < . 0:0(0)', "'.' and 'ack N' come together"],
    ['1 < S 0:0(0) ack 1', "'.' and 'ack N' come together"],
    ['1 < S 0:0(0) <mss>', "option 'mss' lacks its number"],
    ['1 < S 0:0(0) <wscale x>', "option 'wscale x' lacks its number"],
    ['1 < S 0:0(0) <magic 1>', "unknown TCP option 'magic'"],
  ])('that says %j is refused', (script, why) => {
    expect(run(script)).toThrow(SyntaxError)
    expect(run(script)).toThrow(why)
  })

  test('that ends at no time is refused', () => {
    expect(() => timeline('0 connect', { until: 'later' })).toThrow("'later' is not a duration")
  })
})

describe('segments', () => {
  const origins = { seq: 2 ** 31 - 5, ack: -7, value: 1000, echo: 2000 }
  const ports = { source: 1, destination: 2 }
  test.each([
    'S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>',
    'S. 0:0(0) ack 1 win 100 <nop,nop,mss 536,sackOK>',
    'FP. 1:1001(1000) ack 20 win 0 <nop,nop,TS val 5 ecr 4>',
    'R 17:17(0) win 0',
    '. 1:1(0) ack 1 win 9 <nop,nop,sack 1001:2001 3001:4001>',
    'SEW 0:0(0) win 1 <eol>',
  ])('%s', (text) => {
    expect(segmentText(parseSegment(text, origins, ports, 0), origins)).toBe(text)
  })

  test('without a window keep the one before', () => {
    expect(parseSegment('. 1:1(0) ack 1', origins, ports, 77).window).toBe(77)
  })
})
