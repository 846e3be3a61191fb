import type { Bytes } from '../protocols/bytes.ts'
import { toHex } from '../protocols/bytes.ts'
import { ETHERNET_HEADER } from '../protocols/ethernet/frame.ts'

const ROW = 16

/** What follows the Ethernet header, as `tcpdump -x` has it: sixteen bytes a line, in pairs. */
export function hexDump(frame: Bytes): string[] {
  const lines: string[] = []
  for (let at = ETHERNET_HEADER; at < frame.length; at += ROW) {
    const row = toHex(frame.subarray(at, Math.min(at + ROW, frame.length)))
    const offset = (at - ETHERNET_HEADER).toString(16).padStart(4, '0')
    lines.push(`\t0x${offset}:  ${row.match(/.{1,4}/g)!.join(' ')}`)
  }
  return lines
}
