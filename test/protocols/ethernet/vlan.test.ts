import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BROADCAST_MAC } from '../../../protocols/address.ts'
import { NO_BYTES, toHex } from '../../../protocols/bytes.ts'
import { emitEthernet, parseEthernet } from '../../../protocols/ethernet/codec.ts'
import { EthernetFrame, NO_TAG } from '../../../protocols/ethernet/frame.ts'
import { createSwitch, type SwitchEvent, switchEngine } from '../../../protocols/ethernet/switch.ts'
import {
  type VlanPort,
  vlanIn,
  vlanOf,
  vlanOut,
  withTag,
} from '../../../protocols/ethernet/vlan.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { s } from '../../../protocols/time.ts'
import { ethernetFrame } from '../arbitrary.ts'

const mac = (n: number) => `02:00:00:00:00:0${n}`
const frame = (to: string, from: string, tag = NO_TAG) =>
  new EthernetFrame(to, from, 0x88b5, new Opaque(Uint8Array.of(1, 2, 3, 4)), tag)

describe('the tag (IEEE 802.1Q-2018 §9.3, §9.6)', () => {
  const tagged = frame(mac(2), mac(1), 0xa00a)
  test('byte by byte, and back', () => {
    expect(toHex(emitEthernet(tagged))).toBe('0200000000020200000000018100a00a88b501020304')
    expect(tagged.size).toBe(22)
    expect(parseEthernet(emitEthernet(tagged))).toEqual({ ok: true, value: tagged })
  })
  test('cut off in the tag: the type is all that is known', () => {
    const bytes = emitEthernet(tagged)
    for (const length of [14, 15, 16, 17]) {
      const parsed = parseEthernet(bytes.subarray(0, length))
      expect(parsed).toMatchObject({ ok: true, value: { etherType: 0x8100, tag: NO_TAG } })
    }
  })
  test('twelve bits of it are the VLAN; 0 is none', () => {
    expect([vlanOf(tagged), vlanOf(frame('a', 'b')), vlanOf(frame('a', 'b', 0xe000))]).toEqual([
      10, 0, 0,
    ])
  })
  test('a frame that has the tag already stays what it is', () => {
    expect(withTag(tagged, 0xa00a)).toBe(tagged)
    expect(withTag(withTag(tagged, NO_TAG), 0xa00a)).toEqual(tagged)
  })
})

test('any frame with any tag: parse(emit(x)) = x; no truncation and no flipped bit throws', () => {
  fc.assert(
    fc.property(ethernetFrame, fc.integer({ min: 0, max: 0xffff }), (plain, tag) => {
      const tagged = withTag(plain, tag)
      const bytes = emitEthernet(tagged)
      expect(parseEthernet(bytes)).toEqual({ ok: true, value: tagged })
      for (let n = 14; n < Math.min(bytes.length, 60); n++) parseEthernet(bytes.subarray(0, n))
      for (let bit = 12 * 8; bit < 20 * 8 && bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expect(parseEthernet(flipped).ok).toBe(true)
      }
    }),
    { numRuns: 200, seed: 8021 },
  )
})

const ACCESS: VlanPort = { untagged: 10, tagged: [] }
const TRUNK: VlanPort = { untagged: 0, tagged: [10, 20] }
const NATIVE: VlanPort = { untagged: 30, tagged: null }

test.each([
  ['access', ACCESS, NO_TAG, 10],
  ['access, priority alone', ACCESS, 0xe000, 10],
  ['access, a tag', ACCESS, 10, 0],
  ['trunk, no tag', TRUNK, NO_TAG, 0],
  ['trunk, one of its own', TRUNK, 20, 20],
  ['trunk, another', TRUNK, 30, 0],
  ['native', NATIVE, NO_TAG, 30],
  ['all', NATIVE, 4094, 4094],
  ['all, but the reserved one', NATIVE, 4095, 0],
])('coming in: %s', (_, port, tag, vlan) => {
  expect(vlanIn(port, frame('a', 'b', tag))).toBe(vlan)
})

test.each([
  ['access', ACCESS, 10, NO_TAG, NO_TAG],
  ['access, another VLAN', ACCESS, 20, NO_TAG, null],
  ['trunk', TRUNK, 20, NO_TAG, 20],
  ['trunk, the priority stays', TRUNK, 20, 0x6014, 0x6014],
  ['native', NATIVE, 30, 0x601e, NO_TAG],
])('leaving: %s', (_, port, vlan, tag, left) => {
  expect(vlanOut(port, vlan, frame('a', 'b', tag))?.tag ?? null).toBe(left)
})

/** Ports 0 and 1 in VLAN 10, 2 in 20, 3 a trunk of both. What a frame at a port brings. */
function play(frames: readonly (readonly [port: number, frame: EthernetFrame])[]): string[] {
  const access20 = { untagged: 20, tagged: [] }
  const state = createSwitch(4, s(300), 10, [ACCESS, ACCESS, access20, TRUNK])
  return frames.map(([port, packet], at) => {
    const out: string[] = []
    switchEngine.step(
      state,
      at,
      { kind: 'packet', port, packet },
      {
        send: ({ tag }, to) => void out.push(`${to}${tag === NO_TAG ? '' : `/${tag & 0xfff}`}`),
        event: (event: SwitchEvent) => {
          if (event.kind === 'dropped') out.push(event.why)
        },
        wake: () => {},
      },
    )
    return out.join(' ')
  })
}

describe('a switch with VLANs', () => {
  test('floods within the VLAN alone, with a tag on the trunk', () => {
    expect(
      play([
        [0, frame(BROADCAST_MAC, mac(1))],
        [2, frame(BROADCAST_MAC, mac(2))],
        [3, frame(BROADCAST_MAC, mac(3), 10)],
      ]),
    ).toEqual(['1 3/10', '3/20', '0 1'])
  })
  test('one address in two VLANs is in two places', () => {
    expect(
      play([
        [0, frame(BROADCAST_MAC, mac(1))],
        [3, frame(BROADCAST_MAC, mac(1), 20)],
        [1, frame(mac(1), mac(3))],
        [2, frame(mac(1), mac(4))],
      ]),
    ).toEqual(['1 3/10', '2', '0', '3/20'])
  })
  test('what a port does not carry does not come in, and teaches nothing', () => {
    expect(
      play([
        [0, frame(BROADCAST_MAC, mac(1), 20)],
        [3, frame(BROADCAST_MAC, mac(1))],
        [1, frame(mac(1), mac(3))],
      ]),
    ).toEqual(['switch vlan not carried', 'switch vlan not carried', '0 3/10'])
  })
  test('without any, tags pass as they are', () => {
    const state = createSwitch(2)
    const sent: number[] = []
    const packet = new EthernetFrame(BROADCAST_MAC, mac(1), 0x88b5, new Opaque(NO_BYTES), 77)
    switchEngine.step(
      state,
      0,
      { kind: 'packet', port: 0, packet },
      {
        send: ({ tag }) => void sent.push(tag),
        event: () => {},
        wake: () => {},
      },
    )
    expect(sent).toEqual([77])
  })
})
