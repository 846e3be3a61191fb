import { expect, test } from 'vitest'
import { putIpv6 } from '../../../protocols/address.ts'
import { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import type { Ipv6Packet } from '../../../protocols/ipv6/packet.ts'
import { emitReport, readReport } from '../../../protocols/mld/codec.ts'
import {
  type Act,
  icmp6,
  ip6,
  ipv6Timeline,
  PEER_LINK_LOCAL,
  type Script,
} from '../host/ipv6-timeline.ts'

/** RFC 3810 §5.1: `maxMs` to answer in, robustness 3. */
function query(group: string, maxMs: number): Act {
  const data = new Uint8Array(20)
  putIpv6(data, 0, ip6(group))
  data[16] = 3
  const message = new Icmpv6Message(130, 0, maxMs << 16, data)
  const to = group === '::' ? 'ff02::1' : group
  return { packet: icmp6(PEER_LINK_LOCAL, to, message, 1) }
}

test('a general query is answered once, within the time that it gives', () => {
  const script: Script = [[0, query('::', 10_000)]]
  expect(ipv6Timeline(script)).toMatchInlineSnapshot(
    `"   9814.849  > fe80::ff:fe00:1 > ff02::16 at 00:16 report is-ex ff02::1:ff00:1"`,
  )
})

test('a query about a group: those who listen to it answer', () => {
  const script: Script = [[0, query('ff02::1:ff00:1', 1000)]]
  expect(ipv6Timeline(script)).toMatchInlineSnapshot(
    `"    981.484  > fe80::ff:fe00:1 > ff02::16 at 00:16 report is-ex ff02::1:ff00:1"`,
  )
})

test('a general answer that comes first answers for the group as well', () => {
  const script: Script = [
    [0, query('::', 50)],
    [1, query('ff02::1:ff00:1', 10_000)],
  ]
  expect(ipv6Timeline(script)).toMatchInlineSnapshot(
    `"     49.074  > fe80::ff:fe00:1 > ff02::16 at 00:16 report is-ex ff02::1:ff00:1"`,
  )
})

test('what was not sent on this link is no query', () => {
  const from = query('::', 100) as { readonly packet: Ipv6Packet }
  const afar = icmp6('2001:db8::2', 'ff02::1', from.packet.payload as Icmpv6Message, 1)
  expect(ipv6Timeline([[0, { packet: afar }]])).toContain('drop mld from afar')
})

test('a report reads as it was written; one that is cut short does not', () => {
  const records = [
    { type: 4, group: ip6('ff02::1:ff00:1') },
    { type: 3, group: ip6('ff0e::5') },
  ]
  const report = emitReport(records)
  expect(readReport(report)).toEqual(records)
  const { data } = report
  for (let length = 0; length < data.length; length++) {
    const cut = new Icmpv6Message(143, 0, 2, data.subarray(0, length))
    expect(readReport(cut)).toMatch(/truncated|bad-length/)
  }
  const lying = new Icmpv6Message(143, 0, 777, data)
  expect(readReport(lying)).toBe('truncated')
})
