import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import {
  demonstration,
  LOOPBACK,
  MESSAGE_MAX,
  NOTEBOOK_PORT,
  notebookPacket,
  notebookPackets,
} from '../../../protocols/encapsulation/notebook.ts'
import { type Message } from '../../../protocols/encapsulation/table.ts'
import { emitIpv4, parseIpv4 } from '../../../protocols/ipv4/codec.ts'
import { ACK, PSH, SYN } from '../../../protocols/tcp/segment.ts'

const text = (words: string) => new TextEncoder().encode(words)
const HEADER = {
  source: LOOPBACK,
  destination: LOOPBACK,
  sourcePort: 50_000,
  destinationPort: NOTEBOOK_PORT,
  identification: 1,
  seq: 1,
}
const NOBODY = { app: null, address: null, port: null }
const message = (bytes: number, line = 2): Message => ({
  line,
  protocol: 'HTTP',
  transport: 'tcp',
  from: NOBODY,
  to: NOBODY,
  payload: new Uint8Array(bytes).fill(0x41),
  at: 0,
})
const half = () => 0.5

describe('the golden frames, byte for byte', () => {
  test('a SYN with a preview in it', () => {
    const packet = notebookPacket({ ...HEADER, flags: SYN }, text('Hello Packet (preview)'))
    expect(toHex(emitIpv4(packet))).toBe(
      toHex(
        fromHex(`4500003e0001000040067cb77f0000017f000001 c350303900000001000000005002ffffaa6c0000
          48656c6c6f205061636b65742028707265766965772 9`),
      ),
    )
  })

  test('a row: PSH and ACK', () => {
    const packet = notebookPacket({ ...HEADER, flags: PSH | ACK }, text('GET /index.html HTTP/1.1'))
    expect(toHex(emitIpv4(packet))).toBe(
      toHex(
        fromHex(`450000400001000040067cb57f0000017f000001 c350303900000001000000005018ffff167f0000
          474554202f696e6465782e68746d6c20485454502f312e31`),
      ),
    )
  })
})

test('rows are 0.1 s apart, from one port, each with numbers of its own, acknowledging nothing', () => {
  let drawn = 0
  const packets = notebookPackets([message(1), message(2), message(3)], () => (drawn++ % 97) / 97)
  if ('error' in packets) throw new Error(packets.error)
  expect(packets.map(({ at }) => at)).toEqual([0, 1e8, 2e8])
  const segments = packets.map(({ packet }) => {
    if (packet.payload.kind !== 'tcp') throw new Error(packet.payload.kind)
    return packet.payload
  })
  expect(new Set(segments.map(({ sourcePort }) => sourcePort)).size).toBe(1)
  expect(new Set(segments.map(({ seq }) => seq)).size).toBe(3)
  expect(new Set(packets.map(({ packet }) => packet.identification)).size).toBe(3)
  for (const segment of segments) {
    expect(segment).toMatchObject({ ack: 0, flags: PSH | ACK, window: 65_535 })
    expect(segment.destinationPort).toBe(12_345)
  }
})

test('without a table: a preview and three greetings, a second apart', () => {
  const said = demonstration(half).map(({ at, packet }) => {
    const segment = packet.payload
    if (segment.kind !== 'tcp') throw new Error(segment.kind)
    const words = new TextDecoder().decode(segment.payload as Uint8Array)
    return `${at / 1e9} ${segment.flags} ${words}`
  })
  expect(said).toEqual([
    '0 2 Hello Packet (preview)',
    '1 24 Hello Packet 0',
    '2 24 Hello Packet 1',
    '3 24 Hello Packet 2',
  ])
})

test('65,495 bytes fill a packet; one more is an error that names the row', () => {
  const fits = notebookPackets([message(MESSAGE_MAX)], half)
  if ('error' in fits) throw new Error(fits.error)
  const bytes = emitIpv4(fits[0]!.packet)
  expect(bytes.length).toBe(65_535)
  expect(parseIpv4(bytes)).toMatchObject({ ok: true, value: { payload: { kind: 'tcp' } } })
  expect(notebookPackets([message(3), message(65_496, 7)], half)).toEqual({
    line: 7,
    error: 'a message of 65496 bytes does not fit one packet',
    hint: "at most 65495; '--mode real' cuts it into segments",
  })
})

test('checksums are right for odd lengths, all ones, and carries of carries', () => {
  const source = ip('255.255.255.255') as Ipv4Address
  const payloads = [text('abc'), new Uint8Array(1001).fill(0xff), new Uint8Array(0)]
  for (const payload of payloads) {
    const header = { ...HEADER, source, destination: source, flags: 0xff, seq: -1 }
    const packet = notebookPacket({ ...header, sourcePort: 0xffff }, payload)
    expect(parseIpv4(emitIpv4(packet))).toMatchObject({
      ok: true,
      value: { payload: { kind: 'tcp' } },
    })
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (payload, seq) => {
      const packet = notebookPacket({ ...HEADER, flags: ACK, seq }, payload)
      const read = parseIpv4(emitIpv4(packet))
      return read.ok && read.value.payload.kind === 'tcp'
    }),
    { seed: 7 },
  )
})
