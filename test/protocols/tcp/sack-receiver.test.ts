import { describe, expect, test } from 'vitest'
import { createReassembly, fits, insertPiece } from '../../../protocols/tcp/reassembly.ts'
import { timeline } from '../../../sim/testing/timeline.ts'
import { selective } from '../../timeline.ts'

describe('SACK blocks of an ACK (RFC 2018 §4)', () => {
  test('the block of the segment that came last stands first, then those told of before', () => {
    const script = `
      1     < . 1001:2001(1000) ack 1
      1.01  < . 3001:4001(1000) ack 1
      1.02  < . 5001:6001(1000) ack 1
      1.03  < . 7001:8001(1000) ack 1
      1.04  < . 9001:10001(1000) ack 1     # a fifth: the oldest of the four others is left out
      1.05  < . 3001:3501(500) ack 1       # nothing new: its block comes first all the same
      1.06  < . 2001:3001(1000) ack 1      # two blocks become one
      1.07  < . 1:1001(1000) ack 1
      1.08  < . 4001:5001(1000) ack 1
      1.09  < . 6001:7001(1000) ack 1
      1.1   < . 8001:9001(1000) ack 1`
    expect(selective(script, { until: '2s', policy: { dsack: false } })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 1 win 65535 <nop,nop,sack 1001:2001>
         1.01   > . 1:1(0) ack 1 win 65535 <nop,nop,sack 3001:4001 1001:2001>
         1.02   > . 1:1(0) ack 1 win 65535 <nop,nop,sack 5001:6001 3001:4001 1001:2001>
         1.03   > . 1:1(0) ack 1 win 65535 <nop,nop,sack 7001:8001 5001:6001 3001:4001 1001:2001>
         1.04   > . 1:1(0) ack 1 win 65535 <nop,nop,sack 9001:10001 7001:8001 5001:6001 3001:4001>
         1.05   > . 1:1(0) ack 1 win 65535 <nop,nop,sack 3001:4001 9001:10001 7001:8001 5001:6001>
         1.06   > . 1:1(0) ack 1 win 65535 <nop,nop,sack 1001:4001 9001:10001 7001:8001 5001:6001>
         1.07   > . 1:1(0) ack 4001 win 65535 <nop,nop,sack 9001:10001 7001:8001 5001:6001>
         1.08   > . 1:1(0) ack 6001 win 65535 <nop,nop,sack 9001:10001 7001:8001>
         1.09   > . 1:1(0) ack 8001 win 65535 <nop,nop,sack 9001:10001>
         1.1    > . 1:1(0) ack 10001 win 65535"
    `)
  })

  test('an early FIN has no block', () => {
    expect(selective('1 < F. 1001:1001(0) ack 1', { until: '2s' })).toMatchInlineSnapshot(
      `"   1      > . 1:1(0) ack 1 win 65535"`,
    )
  })

  test('a FIN behind text beyond the gap is held as the text is', () => {
    expect(selective('1 < F. 1001:1501(500) ack 1', { until: '2s' })).toMatchInlineSnapshot(
      `"   1      > . 1:1(0) ack 1 win 65535 <nop,nop,sack 1001:1502>"`,
    )
  })

  test('beside timestamps three blocks fit', () => {
    const script = `
      0    connect
      0.1  < S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK,TS val 700 ecr 0>
      1    < . 1001:2001(1000) ack 1 <nop,nop,TS val 800 ecr 100>
      1.1  < . 3001:4001(1000) ack 1 <nop,nop,TS val 810 ecr 100>
      1.2  < . 5001:6001(1000) ack 1 <nop,nop,TS val 820 ecr 100>
      1.3  < . 7001:8001(1000) ack 1 <nop,nop,TS val 830 ecr 100>`
    const lines = timeline(script, { until: '2s', policy: { windowScale: false } }).split('\n')
    expect(lines.slice(-4)).toMatchInlineSnapshot(`
      [
        "   1      > . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1000 ecr 700,nop,nop,sack 1001:2001>",
        "   1.1    > . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1100 ecr 700,nop,nop,sack 3001:4001 1001:2001>",
        "   1.2    > . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1200 ecr 700,nop,nop,sack 5001:6001 3001:4001 1001:2001>",
        "   1.3    > . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1300 ecr 700,nop,nop,sack 7001:8001 5001:6001 3001:4001>",
      ]
    `)
  })

  test('nothing is told to a peer that did not offer SACK', () => {
    const script = `
      0    connect
      0.1  < S. 0:0(0) ack 1 win 65535 <mss 1000>
      1    < . 1001:2001(1000) ack 1
      1.1  < . 1001:2001(1000) ack 1`
    const lines = timeline(script, { until: '2s' }).split('\n')
    expect(lines.slice(-2)).toMatchInlineSnapshot(`
      [
        "   1      > . 1:1(0) ack 1 win 65535",
        "   1.1    > . 1:1(0) ack 1 win 65535",
      ]
    `)
  })
})

describe('what came twice (RFC 2883)', () => {
  test('below the cumulative ACK: the first block, once (§4.1.1)', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.1   < . 1:1001(1000) ack 1
      1.2   < . 501:1001(500) ack 1
      1.3   < . 1001:2001(1000) ack 1`
    expect(selective(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 1001 win 65535
         1.1    > . 1:1(0) ack 1001 win 65535 <nop,nop,sack 1:1001>
         1.1    = dropped: tcp outside window
         1.2    > . 1:1(0) ack 1001 win 65535 <nop,nop,sack 501:1001>
         1.2    = dropped: tcp outside window
         1.34   > . 1:1(0) ack 2001 win 65535"
    `)
  })

  test('partly below: the old part is told of, the new one taken (§4.1.3)', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.1   < . 501:1501(1000) ack 1`
    expect(selective(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 1001 win 65535
         1.1    > . 1:1(0) ack 1501 win 65035 <nop,nop,sack 501:1001>"
    `)
  })

  test('beyond the gap: then the block it lies in, then the others (§4.1.2)', () => {
    const script = `
      1     < . 1001:3001(2000) ack 1
      1.1   < . 5001:6001(1000) ack 1
      1.2   < . 2001:3001(1000) ack 1
      1.3   < . 6001:7001(1000) ack 1`
    expect(selective(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 1 win 65535 <nop,nop,sack 1001:3001>
         1.1    > . 1:1(0) ack 1 win 65535 <nop,nop,sack 5001:6001 1001:3001>
         1.2    > . 1:1(0) ack 1 win 65535 <nop,nop,sack 2001:3001 1001:3001 5001:6001>
         1.3    > . 1:1(0) ack 1 win 65535 <nop,nop,sack 5001:7001 1001:3001>"
    `)
  })

  test('switched off, a duplicate is answered and not told of', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.1   < . 1:1001(1000) ack 1`
    expect(selective(script, { until: '2s', policy: { dsack: false } })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 1001 win 65535
         1.1    > . 1:1(0) ack 1001 win 65535
         1.1    = dropped: tcp outside window"
    `)
  })
})

describe('memory beyond a gap is bounded', () => {
  test('full segments fill the buffer, single bytes far less', () => {
    const buffer = 64_000
    const held = (length: number): number => {
      const r = createReassembly()
      // Every second piece is missing: no two join.
      for (let seq = 1; seq < 4 * buffer && fits(r, length, buffer); seq += 2 * length) {
        insertPiece(r, seq, new Uint8Array(length))
      }
      return r.bytes
    }
    expect(held(1460)).toBeGreaterThanOrEqual(buffer)
    expect(held(1)).toBe(Math.floor((2 * buffer) / 257))
  })

  test('what does not fit is dropped, no block tells of it, and it may come again', () => {
    let script = ''
    // Room for 2000 bytes, and 4000 with the 256 that each of the pieces costs: fifteen.
    for (let i = 0; i < 17; i++) script += `\n1.${10 + i} < . ${2 + 2 * i}:${3 + 2 * i}(1) ack 1`
    script += `
      2    < . 1:3(2) ack 1
      2.1  < . 3:41(38) ack 1
      2.2  receive`
    const shown = selective(script, { until: '3s', policy: { receiveBuffer: 2000 } }).split('\n')
    expect(shown.slice(14)).toMatchInlineSnapshot(`
      [
        "   1.24   > . 1:1(0) ack 1 win 2000 <nop,nop,sack 30:31 28:29 26:27 24:25>",
        "   1.25   = dropped: tcp reassembly full",
        "   1.25   > . 1:1(0) ack 1 win 2000 <nop,nop,sack 30:31 28:29 26:27 24:25>",
        "   1.26   = dropped: tcp reassembly full",
        "   1.26   > . 1:1(0) ack 1 win 2000 <nop,nop,sack 30:31 28:29 26:27 24:25>",
        "   2      > . 1:1(0) ack 3 win 1998 <nop,nop,sack 2:3 30:31 28:29 26:27>",
        "   2.1    > . 1:1(0) ack 41 win 1960 <nop,nop,sack 4:5>",
        "   2.2    = received 40",
      ]
    `)
  })
})
