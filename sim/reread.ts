import { assert } from '../protocols/assert.ts'
import { emitEthernet, parseEthernet } from '../protocols/ethernet/codec.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'

/** The frame as its bytes tell it, after the bit with this number has been flipped; -1 for none. */
export function reread(frame: EthernetFrame, flippedBit: number): EthernetFrame {
  const bytes = emitEthernet(frame)
  if (flippedBit >= 0) bytes[flippedBit >>> 3]! ^= 0x80 >>> (flippedBit & 7)
  const result = parseEthernet(bytes)
  assert(result.ok, 'a frame with a whole Ethernet header can be read')
  return result.value
}
