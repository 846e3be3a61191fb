import { enableMapSet, enablePatches, produceWithPatches } from 'immer'
import { describe, expect, test } from 'vitest'
import { BROADCAST_MAC, type Mac } from '../../../protocols/address.ts'
import { NO_BYTES } from '../../../protocols/bytes.ts'
import { EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { createHub, hubEngine } from '../../../protocols/ethernet/hub.ts'
import {
  createSwitch,
  switchEngine,
  type SwitchOut,
  type SwitchState,
} from '../../../protocols/ethernet/switch.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { s } from '../../../protocols/time.ts'

enablePatches()
enableMapSet()

const A: Mac = '02:00:00:00:00:0a'
const B: Mac = '02:00:00:00:00:0b'
const C: Mac = '02:00:00:00:00:0c'
const D: Mac = '02:00:00:00:00:0d'
const GROUP: Mac = '01:00:5e:00:00:fb'

/** At so many seconds, a frame comes in at a port. */
type Arrival = readonly [at: number, port: number, source: Mac, destination: Mac]

const frame = (source: Mac, destination: Mac) =>
  new EthernetFrame(destination, source, 0x88b5, new Opaque(NO_BYTES))

const short = (mac: Mac): string => mac.slice(-1)

/** What the switch does with each frame, in place and recorded. */
function played(initial: () => SwitchState, arrivals: readonly Arrival[]): string[] {
  const inPlace = initial()
  const live = arrivals.map((arrival) => stepped(arrival, (step) => step(inPlace)))
  let frozen = initial()
  const recorded = arrivals.map((arrival) =>
    stepped(arrival, (step) => {
      const [next] = produceWithPatches(frozen, (draft) => step(draft as SwitchState))
      frozen = next
    }),
  )
  expect(recorded).toEqual(live)
  expect(frozen).toEqual(inPlace)
  return live
}

function stepped(
  [at, port, source, destination]: Arrival,
  run: (step: (state: SwitchState) => void) => void,
): string {
  const said: string[] = []
  const packet = frame(source, destination)
  const out: SwitchOut = {
    send(sent, to) {
      expect(sent).toBe(packet)
      said.push(`>${to}`)
    },
    event(e) {
      if (e.kind === 'learned') said.push(`${short(e.mac)} at ${e.port}`)
      else if (e.kind === 'forgotten') said.push(`${short(e.mac)} ${e.why}`)
      else said.push(`drop ${e.why}`)
    },
    wake: () => expect.unreachable('a switch sets no timer'),
  }
  run((state) => switchEngine.step(state, s(at), { kind: 'packet', packet, port }, out))
  return said.join(', ')
}

describe('a switch with four ports', () => {
  const four = () => createSwitch(4)

  test('floods what it does not know, and learns from what comes in', () => {
    const lines = played(four, [
      [0, 0, A, B],
      [1, 1, B, A],
      [2, 0, A, B],
    ])
    expect(lines).toEqual(['a at 0, >1, >2, >3', 'b at 1, >0', '>1'])
  })

  test('floods broadcasts and groups, from whichever port they come', () => {
    const lines = played(four, [
      [0, 2, A, BROADCAST_MAC],
      [0, 2, A, BROADCAST_MAC],
      [0, 0, B, GROUP],
    ])
    expect(lines).toEqual(['a at 2, >0, >1, >3', '>0, >1, >3', 'b at 0, >1, >2, >3'])
  })

  test('never sends a frame back to the port it came from', () => {
    // A hub behind port 3: both are there, and the frame has reached its receiver already.
    const lines = played(four, [
      [0, 3, A, BROADCAST_MAC],
      [1, 3, B, A],
    ])
    expect(lines).toEqual(['a at 3, >0, >1, >2', 'b at 3, drop switch same port'])
  })

  test('follows an address to another port', () => {
    const lines = played(four, [
      [0, 0, A, BROADCAST_MAC],
      [1, 1, A, BROADCAST_MAC],
      [2, 2, B, A],
    ])
    expect(lines[1]).toBe('a at 1, >0, >2, >3')
    expect(lines[2]).toBe('b at 2, >1')
  })

  test('does not learn a group as a source', () => {
    const lines = played(four, [
      [0, 0, GROUP, A],
      [1, 1, A, GROUP],
    ])
    expect(lines).toEqual(['>1, >2, >3', 'a at 1, >0, >2, >3'])
  })

  test('keeps what is meant for bridges: 01-80-C2-00-00-00 to -0F', () => {
    const lines = played(four, [
      [0, 0, A, '01:80:c2:00:00:00'],
      [0, 0, A, '01:80:c2:00:00:0e'],
      [0, 0, A, '01:80:c2:00:00:10'],
    ])
    expect(lines).toEqual([
      'a at 0, drop switch reserved address',
      'drop switch reserved address',
      '>1, >2, >3',
    ])
  })
})

describe('ageing', () => {
  test('an address counts for 300 s after it was heard of last', () => {
    const lines = played(
      () => createSwitch(3),
      [
        [0, 0, A, BROADCAST_MAC],
        [100, 0, A, BROADCAST_MAC],
        [399.999999999, 1, B, A],
        [400, 1, B, A],
        [401, 1, B, A],
      ],
    )
    expect(lines.slice(2)).toEqual(['b at 1, >0', 'a aged, >0, >2', '>0, >2'])
  })

  test('whoever is heard of again after that is learned anew', () => {
    const lines = played(
      () => createSwitch(2, s(10)),
      [
        [0, 0, A, BROADCAST_MAC],
        [9.999999999, 0, A, BROADCAST_MAC],
        [19.999999999, 0, A, BROADCAST_MAC],
      ],
    )
    expect(lines).toEqual(['a at 0, >1', '>1', 'a at 0, >1'])
  })
})

describe('a full table', () => {
  test('lets the address go that was silent for the longest', () => {
    const lines = played(
      () => createSwitch(4, s(300), 2),
      [
        [0, 0, A, BROADCAST_MAC],
        [1, 1, B, BROADCAST_MAC],
        [2, 0, A, B],
        [3, 2, C, A],
        [4, 3, D, B],
      ],
    )
    // At 3 s B was silent for 2 s and A for 1 s; at 4 s A for 2 s and C for 1 s.
    expect(lines.slice(2)).toEqual(['>1', 'b full, c at 2, >0', 'a full, d at 3, >0, >1, >2'])
  })

  test('one whose time is over goes as aged', () => {
    const lines = played(
      () => createSwitch(2, s(5), 1),
      [
        [0, 0, A, BROADCAST_MAC],
        [5, 1, B, BROADCAST_MAC],
      ],
    )
    expect(lines[1]).toBe('a aged, b at 1, >0')
  })

  test('never holds more, whoever sends', () => {
    const state = createSwitch(2, s(300), 16)
    const out: SwitchOut = { send: () => {}, event: () => {}, wake: () => {} }
    for (let i = 0; i < 1000; i++) {
      const mac = `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`
      const input = { kind: 'packet', packet: frame(mac, BROADCAST_MAC), port: 0 } as const
      switchEngine.step(state, i, input, out)
      expect(state.table.size).toBe(Math.min(i + 1, 16))
    }
  })
})

test('a hub repeats everything to all other ports, known or not', () => {
  const sent: number[] = []
  const out = {
    send: (_: EthernetFrame, port: number) => sent.push(port),
    event: () => {},
    wake: () => {},
  }
  const hub = createHub(3)
  for (const port of [0, 1]) {
    hubEngine.step(hub, 0, { kind: 'packet', packet: frame(A, B), port }, out)
  }
  expect(sent).toEqual([1, 2, 0, 2])
})
