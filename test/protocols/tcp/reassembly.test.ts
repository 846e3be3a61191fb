import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createReassembly, insertPiece, takeInOrder } from '../../../protocols/tcp/reassembly.ts'
import { seqAdd } from '../../../protocols/sequence.ts'
import { assertStreamBytes, streamBytes } from '../../../sim/testing/stream-bytes.ts'
import { established } from '../../timeline.ts'

describe('pieces beyond a gap', () => {
  test('the first copy of a byte is kept, and only what is new is added', () => {
    const r = createReassembly()
    insertPiece(r, 10, new Uint8Array(10).fill(1)) // 10..19
    insertPiece(r, 30, new Uint8Array(10).fill(2)) // 30..39
    insertPiece(r, 5, new Uint8Array(40).fill(3)) // 5..9, 20..29, 40..44
    expect(r.blocks.map(({ start, end }) => [start, end])).toEqual([[5, 45]])
    expect(r.blocks[0]!.chunks.map((chunk) => [chunk.length, chunk[0]])).toEqual([
      [5, 3],
      [10, 1],
      [10, 3],
      [10, 2],
      [5, 3],
    ])
    expect([r.bytes, r.pieces]).toEqual([40, 5])
  })

  test('whatever comes, in whatever order, once or often: the stream comes out', () => {
    const piece = fc.record({ from: fc.nat(300), length: fc.integer({ min: 1, max: 80 }) })
    const start = fc.constantFrom(0, -100, 2 ** 31 - 50)
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), start, (pieces, origin) => {
        const r = createReassembly()
        for (const { from, length } of pieces) {
          insertPiece(r, seqAdd(origin | 0, from), streamBytes(from, length))
        }
        const held = new Set<number>()
        for (const { from, length } of pieces) for (let i = 0; i < length; i++) held.add(from + i)
        expect(r.bytes).toBe(held.size)
        let end = 0
        while (held.has(end)) end += 1
        let taken = 0
        const reached = takeInOrder(r, origin | 0, (bytes) => {
          assertStreamBytes(bytes, taken, 'reassembled')
          taken += bytes.length
        })
        expect([taken, reached, r.bytes]).toEqual([end, seqAdd(origin | 0, end), held.size - end])
      }),
      { seed: 9293, numRuns: 300 },
    )
  })
})

describe('in a connection', () => {
  test('overlaps, duplicates and gaps: every byte once, in order', () => {
    const script = `
      1     < . 501:1501(1000) ack 1
      1.01  < . 1001:2001(1000) ack 1
      1.02  < . 501:1501(1000) ack 1
      1.03  < . 1:801(800) ack 1
      1.04  receive
      1.05  < . 1501:2501(1000) ack 1
      1.06  receive`
    expect(established(script, { until: '1.5s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 1 win 65535
         1.01   > . 1:1(0) ack 1 win 65535
         1.02   > . 1:1(0) ack 1 win 65535
         1.03   > . 1:1(0) ack 2001 win 65535
         1.04   = received 2000
         1.06   = received 500
         1.09   > . 1:1(0) ack 2501 win 65035"
    `)
  })

  test('an early FIN waits for its turn', () => {
    const script = `
      1     < F. 1001:2001(1000) ack 1
      1.01  < F. 2001:2001(0) ack 1      # alone, the same FIN
      1.02  < . 1:1001(1000) ack 1
      1.03  receive`
    expect(established(script, { until: '1.5s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 1 win 65535
         1.01   > . 1:1(0) ack 1 win 65535
         1.02   > . 1:1(0) ack 2002 win 65535
         1.02   = CLOSE-WAIT
         1.03   = received 2000, end"
    `)
  })

  test('a bare early FIN waits too', () => {
    const script = `
      1     < F. 1001:1001(0) ack 1
      1.01  < . 1:501(500) ack 1
      1.02  < . 501:1001(500) ack 1
      1.03  receive`
    expect(established(script, { until: '1.5s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 1 win 65535
         1.01   > . 1:1(0) ack 501 win 65035
         1.02   > . 1:1(0) ack 1002 win 65535
         1.02   = CLOSE-WAIT
         1.03   = received 1000, end"
    `)
  })

  test('nothing counts behind a FIN', () => {
    const script = `
      1     < F. 1:101(100) ack 1
      1.1   < P. 101:201(100) ack 1
      1.2   < P. 102:202(100) ack 1
      1.3   receive`
    expect(established(script, { until: '1.5s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 102 win 65434
         1      = CLOSE-WAIT
         1.1    > . 1:1(0) ack 102 win 65434
         1.2    > . 1:1(0) ack 102 win 65434
         1.3    = received 100, end"
    `)
  })
})
