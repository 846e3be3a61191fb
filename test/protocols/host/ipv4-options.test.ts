import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import { ICMP_ECHO_REQUEST, IcmpMessage } from '../../../protocols/icmp/message.ts'
import { Ipv4Details } from '../../../protocols/ipv4/packet.ts'
import { emitEthernet } from '../../../protocols/ethernet/codec.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { FAR, hostTimeline, packet, PEER, sentBy, type Script } from './host-timeline.ts'

const withOptions = (hex: string) => new Ipv4Details(0, false, false, 0, fromHex(hex))
const ping = (options: string) =>
  packet(new IcmpMessage(ICMP_ECHO_REQUEST, 0, 0x10001, new Uint8Array(8)), {
    details: withOptions(options),
  })
const optionsOf = (script: Script, router = false): string[] =>
  sentBy(script, { router }).map((frame) => {
    const bytes = emitEthernet(frame)
    const header = (bytes[14]! & 15) * 4
    return toHex(bytes.subarray(34, 14 + header))
  })

test('a packet with options is received; an echo reply carries what was recorded', () => {
  // Record route with room for one, timestamp with room for one, router alert.
  const request = ping('07 07 04 00000000 44 08 05 00 00000000 94 04 0000 00')
  expect(optionsOf([[59_000, { packet: request }]])).toEqual([
    // This host, 10.0.0.1, at 59,000 ms after midnight.
    '0707080a000001440809000000e67800',
  ])
})

test('a router passes options on as they are', () => {
  const recorded = '07070400000000014408050000000000'
  const details = withOptions(recorded)
  const onward = packet(new Opaque(new Uint8Array(8)), { destination: FAR, details })
  expect(optionsOf([[1, { packet: onward }]], true)).toEqual([recorded])
})

test('malformed options bring a parameter problem that points at them', () => {
  const wrong = packet(new Opaque(new Uint8Array(8)), { details: withOptions('01 07 02 00') })
  const script: Script = [[1, { packet: wrong }]]
  expect(hostTimeline(script)).toMatchInlineSnapshot(`
    "     1  = drop ipv4 bad-option: 10.0.0.2, 32
         1  > IP 10.0.0.1 > 10.0.0.2: ICMP parameter problem - octet 22, length 40"
  `)
  // Type 12, code 0, the pointer in the first octet behind the checksum: the length at 22.
  const message = emitEthernet(sentBy(script)[0]!).subarray(34)
  expect([message[0], message[1], message[4]]).toEqual([12, 0, 22])
})

test('a router says so too, and forwards nothing of it', () => {
  const details = withOptions('07 07 03 00000000 00')
  const wrong = packet(new Opaque(new Uint8Array(8)), { destination: FAR, details })
  expect(hostTimeline([[1, { packet: wrong }]], { router: true })).toMatchInlineSnapshot(`
    "     1  = drop ipv4 bad-option: 10.0.0.2, 36
         1  > IP 10.0.0.1 > 10.0.0.2: ICMP parameter problem - octet 22, length 44"
  `)
})

test('source routes are refused in silence, on the way and at the end of it', () => {
  const routed = '83 07 04 0a000902 00'
  const through = packet(new Opaque(new Uint8Array(8)), {
    destination: FAR,
    details: withOptions(routed),
  })
  const script: Script = [
    [1, { packet: through }],
    [2, { packet: ping(routed) }],
  ]
  expect(hostTimeline(script, { router: true })).toMatchInlineSnapshot(`
    "     1  = drop ipv4 source route: 10.0.0.2, 36
         2  = drop ipv4 source route: 10.0.0.2, 44"
  `)
})

test('no error about an error, whatever is wrong with its options', () => {
  const unreachable = packet(new IcmpMessage(3, 1, 0, new Uint8Array(28)), {
    source: PEER,
    details: withOptions('07 07 03 00000000 00'),
  })
  expect(hostTimeline([[1, { packet: unreachable }]])).toMatchInlineSnapshot(
    `"     1  = drop ipv4 bad-option: 10.0.0.2, 64"`,
  )
})
