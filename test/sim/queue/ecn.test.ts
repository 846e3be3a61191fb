import { expect, test } from 'vitest'
import { emitEthernet, parseEthernet } from '../../../protocols/ethernet/codec.ts'
import { withCongestionExperienced } from '../../../sim/queue/ecn.ts'
import { rawFrame } from '../link-fixture.ts'
import { CE, datagramFrame } from './queue-fixture.ts'

test('ECT(0) and ECT(1) become CE, the DSCP stays, the frame itself is left alone', () => {
  for (const ect of [1, 2]) {
    const frame = datagramFrame(100, 7, (46 << 2) | ect)
    const before = emitEthernet(frame)
    const marked = withCongestionExperienced(frame)!
    expect(emitEthernet(frame)).toEqual(before)
    const bytes = emitEthernet(marked)
    expect(bytes[15]).toBe((46 << 2) | CE)
    // The traffic class and the header checksum, and nothing else.
    const differ = Array.from(bytes.keys()).filter((at) => bytes[at] !== before[at])
    expect(differ.filter((at) => ![15, 24, 25].includes(at))).toEqual([])
    const parsed = parseEthernet(bytes)
    expect(parsed.ok && parsed.value).toEqual(marked)
  }
})

test('CE stays as it is; what is not ECN-capable cannot be marked', () => {
  const already = datagramFrame(100, 7, CE)
  expect(withCongestionExperienced(already)).toBe(already)
  expect(withCongestionExperienced(datagramFrame(100))).toBeNull()
  expect(withCongestionExperienced(rawFrame(100))).toBeNull()
})
