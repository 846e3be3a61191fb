import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatBytes, fromHex } from '../../protocols/bytes.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { explainFrame } from '../../trace/explain.ts'
import { explainText } from '../../trace/explain-text.ts'
import { ethernetFrame } from '../protocols/arbitrary.ts'

const ETHERNET = fromHex('000000000000 000000000000 0800')
const GET =
  fromHex(`450000400001000040067cb57f0000017f000001 c350303900000001000000005018ffff167f0000
  474554202f696e6465782e68746d6c20485454502f312e31`)

test('every byte of a frame is told, once', () => {
  const layers = explainFrame(concatBytes([ETHERNET, GET]))
  expect(layers.map(({ name, at, length }) => [name, at, length])).toEqual([
    ['Ethernet II', 0, 14],
    ['IPv4', 14, 20],
    ['TCP', 34, 20],
    ['Payload', 54, 24],
  ])
  let next = 0
  for (const { at, length } of layers.flatMap(({ fields }) => fields)) {
    expect(at).toBe(next)
    next += length
  }
  expect(next).toBe(78)
})

test('the arithmetic of both checksums, as RFC 1071 adds', () => {
  const [, ip, tcp] = explainFrame(concatBytes([ETHERNET, GET]))
  // 4500 + 0040 + 0001 + 0000 + 4006 + 7f00 + 0001 + 7f00 + 0001 = 18349; 8349 + 1 = 834a; ~ = 7cb5
  expect(ip!.checksum).toMatchObject({ sum: 0x18349, folds: [0x834a], result: 0x7cb5, good: true })
  expect(tcp!.checksum!.pseudo.map(({ value }) => value)).toEqual([0x7f00, 1, 0x7f00, 1, 6, 44])
  expect(tcp!.checksum).toMatchObject({ result: 0x167f, stored: 0x167f, good: true })
})

test('a wrong checksum is said, with the right one', () => {
  const bytes = concatBytes([ETHERNET, GET])
  bytes[77] = 0x32
  const layers = explainFrame(bytes)
  expect(layers[2]!.checksum).toMatchObject({ result: 0x167e, stored: 0x167f, good: false })
  expect(explainText(layers).join('\n')).toContain('but the packet says 0x167f: BAD')
})

test('whatever the frame, each byte is told and nothing throws', () => {
  const total = (bytes: Uint8Array) =>
    explainFrame(bytes)
      .flatMap(({ fields }) => fields)
      .reduce((sum, { length }) => sum + length, 0)
  for (const frame of fc.sample(ethernetFrame, { seed: 5, numRuns: 300 })) {
    const bytes = emitEthernet(frame)
    const cut = bytes.subarray(0, bytes.length >> 1)
    expect([total(bytes), total(cut)]).toEqual([bytes.length, cut.length])
    // An option that breaks another one's promise, a length that lies: any byte may be wrong.
    const wrong = bytes.map((byte, i) => (i % 7 === 5 ? byte ^ 0x55 : byte))
    expect(explainText(explainFrame(wrong)).every((line) => line.length <= 100)).toBe(true)
  }
})
