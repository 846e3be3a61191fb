import { enableMapSet, produce } from 'immer'
import { expect, test } from 'vitest'
import { type IpAddress, ip } from '../../../protocols/address.ts'
import {
  addConnection,
  addListener,
  createDemux,
  type Demux,
  findConnection,
  findListener,
  listenersOf,
  NO_SOCKET,
  removeConnection,
  removeListener,
} from '../../../protocols/host/demux.ts'
import { ephemeralPort } from '../../../protocols/host/ephemeral-port.ts'
import { alea } from '../random-source.ts'

enableMapSet()

const LOCAL = ip('10.0.0.1')
const REMOTE = ip('10.0.0.2')

test('all four of the tuple count', () => {
  const demux = createDemux(7)
  expect(addConnection(demux, 80, 5000, REMOTE, LOCAL, 0)).toBe(true)
  expect(findConnection(demux, 80, 5000, REMOTE, LOCAL)).toBe(0)
  expect(findConnection(demux, 81, 5000, REMOTE, LOCAL)).toBe(NO_SOCKET)
  expect(findConnection(demux, 80, 5001, REMOTE, LOCAL)).toBe(NO_SOCKET)
  expect(findConnection(demux, 80, 5000, LOCAL, LOCAL)).toBe(NO_SOCKET)
  expect(findConnection(demux, 80, 5000, REMOTE, REMOTE)).toBe(NO_SOCKET)
  expect(findConnection(demux, 5000, 80, LOCAL, REMOTE)).toBe(NO_SOCKET)
})

test('a tuple belongs to one socket until it is removed', () => {
  const demux = createDemux(7)
  expect(addConnection(demux, 80, 65535, REMOTE, LOCAL, 3)).toBe(true)
  expect(addConnection(demux, 80, 65535, REMOTE, LOCAL, 4)).toBe(false)
  expect(findConnection(demux, 80, 65535, REMOTE, LOCAL)).toBe(3)
  expect(removeConnection(demux, 80, 65535, REMOTE, LOCAL)).toBe(true)
  expect(removeConnection(demux, 80, 65535, REMOTE, LOCAL)).toBe(false)
  expect(addConnection(demux, 80, 65535, REMOTE, LOCAL, 4)).toBe(true)
  expect(findConnection(demux, 80, 65535, REMOTE, LOCAL)).toBe(4)
})

type Tuple = readonly [number, number, IpAddress, IpAddress]
const keyOf = (t: Tuple) => t.join(' ')

/** Adds, removes and finds at random, against a Map by text. */
function churn(demux: Demux, seed: string, steps: number): Map<string, number> {
  const draw = alea(seed)
  const model = new Map<string, number>()
  const v6 = [ip('2001:db8::1'), ip('2001:db8::2'), ip('fe80::1')]
  for (let i = 0; i < steps; i++) {
    const port = draw() & 63
    const remote = (draw() & 3) === 0 ? v6[(draw() >>> 1) % 3]! : draw() & 3
    const tuple: Tuple = [port, draw() & 3, remote, LOCAL]
    const has = model.has(keyOf(tuple))
    if ((draw() & 3) < 2) {
      expect(removeConnection(demux, ...tuple)).toBe(has)
      model.delete(keyOf(tuple))
    } else {
      expect(addConnection(demux, ...tuple, i)).toBe(!has)
      if (!has) model.set(keyOf(tuple), i)
    }
    expect(findConnection(demux, ...tuple)).toBe(model.get(keyOf(tuple)) ?? NO_SOCKET)
  }
  return model
}

test('random additions and removals leave exactly what a Map would hold', () => {
  for (const seed of ['a', 'b', 'c']) {
    const demux = createDemux(99)
    const model = churn(demux, seed, 4000)
    expect(demux.connections).toBe(model.size)
    for (const [key, socket] of model) {
      const [local, remote, from, to] = key.split(' ') as [string, string, string, string]
      const address = (text: string) => (text.includes(':') ? text : Number(text))
      expect(findConnection(demux, Number(local), Number(remote), address(from), address(to))).toBe(
        socket,
      )
    }
  }
})

test('a recorded table equals the one in place', () => {
  const live = createDemux(5)
  churn(live, 'recorded', 200)
  const recorded = produce(createDemux(5), (draft) => void churn(draft as Demux, 'recorded', 200))
  expect(recorded).toEqual(live)
})

test('a removal in a crowded table never hides a neighbour', () => {
  // Three of eight slots, for every secret: chains of every shape, across the end of the array too.
  for (let secret = 0; secret < 500; secret++) {
    for (let gone = 0; gone < 3; gone++) {
      const demux = createDemux(secret)
      for (let i = 0; i < 3; i++) addConnection(demux, 80, i, REMOTE, LOCAL, i)
      expect(demux.slots.length).toBe(32)
      removeConnection(demux, 80, gone, REMOTE, LOCAL)
      for (let i = 0; i < 3; i++) {
        const expected = i === gone ? NO_SOCKET : i
        expect(findConnection(demux, 80, i, REMOTE, LOCAL)).toBe(expected)
      }
    }
  }
})

test('the table doubles when four fifths of it are full', () => {
  const demux = createDemux(1)
  const sizes: number[] = []
  for (let i = 0; i < 16; i++) {
    addConnection(demux, 80, i, REMOTE, LOCAL, i)
    sizes.push(demux.slots.length / 4)
  }
  expect(sizes).toEqual([8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 32, 32, 32, 32])
})

test('the most specific listener wins, whatever the order', () => {
  for (const anyFirst of [true, false]) {
    const demux = createDemux(1)
    if (anyFirst) addListener(demux, null, 80, 1)
    addListener(demux, LOCAL, 80, 2)
    if (!anyFirst) addListener(demux, null, 80, 1)
    expect(findListener(demux, LOCAL, 80)).toBe(2)
    expect(findListener(demux, REMOTE, 80)).toBe(1)
    expect(findListener(demux, ip('2001:db8::1'), 80)).toBe(1)
    expect(findListener(demux, LOCAL, 81)).toBe(NO_SOCKET)
    expect(removeListener(demux, 80, 2)).toBe(true)
    expect(removeListener(demux, 80, 2)).toBe(false)
    expect(findListener(demux, LOCAL, 80)).toBe(1)
  }
})

test('of listeners with the same address the last one is meant, and gives way when it goes', () => {
  for (const address of [LOCAL, null]) {
    const demux = createDemux(1)
    addListener(demux, address, 80, 1)
    addListener(demux, address, 80, 2)
    expect(findListener(demux, LOCAL, 80)).toBe(2)
    removeListener(demux, 80, 2)
    expect(findListener(demux, LOCAL, 80)).toBe(1)
  }
})

test('listeners that spread share the peers among them, always alike', () => {
  const demux = createDemux(1)
  for (const socket of [1, 2, 3]) addListener(demux, LOCAL, 80, socket, true)
  const chosen = Array.from({ length: 300 }, (_, i) => findListener(demux, LOCAL, 80, REMOTE, i))
  const again = chosen.map((_, i) => findListener(demux, LOCAL, 80, REMOTE, i))
  expect(again).toEqual(chosen)
  for (const socket of [1, 2, 3]) {
    expect(chosen.filter((each) => each === socket).length).toBeGreaterThan(70)
  }
  // Whoever listens to everything is not asked.
  addListener(demux, null, 80, 4, true)
  expect(chosen.every((each, i) => each === findListener(demux, LOCAL, 80, REMOTE, i))).toBe(true)
})

test('what comes to all is for everybody, the more specific first', () => {
  const demux = createDemux(1)
  addListener(demux, null, 80, 1)
  addListener(demux, LOCAL, 80, 2)
  addListener(demux, LOCAL, 80, 3)
  addListener(demux, REMOTE, 80, 4)
  expect(listenersOf(demux, LOCAL, 80)).toEqual([2, 3, 1])
  expect(listenersOf(demux, LOCAL, 81)).toEqual([])
})

test('a port that is bound and not used yet is no ephemeral one', () => {
  const demux = createDemux(1)
  const next = connect(createDemux(1), 80)
  demux.bound.push(next)
  expect(connect(demux, 80)).toBe(next + 1)
})

const server = (port: number) => ({ address: REMOTE, port })

function connect(demux: Demux, port: number): number {
  const chosen = ephemeralPort(demux, LOCAL, server(port))
  if (chosen !== 0) addConnection(demux, chosen, port, REMOTE, LOCAL, demux.connections)
  return chosen
}

test('ephemeral ports follow each other, differ by peer and secret, and repeat with them', () => {
  const run = (secret: number) => {
    const demux = createDemux(secret)
    return [connect(demux, 80), connect(demux, 80), connect(demux, 443)]
  }
  const [first, second, other] = run(1) as [number, number, number]
  expect(first).toBeGreaterThanOrEqual(49_152)
  expect((second - first) & 16_383).toBe(1)
  expect((other - second) & 16_383).not.toBe(1)
  expect(run(1)).toEqual([first, second, other])
  expect(run(2)[0]).not.toBe(first)
})

test('every dynamic port serves before the lower range does, then there is none', () => {
  const demux = createDemux(3)
  addListener(demux, null, 50_000, 900_000)
  const used = new Set<number>()
  for (let i = 0; i < 16_383; i++) used.add(connect(demux, 80))
  expect(used.size).toBe(16_383)
  expect(Math.min(...used)).toBe(49_152)
  expect(used.has(50_000)).toBe(false)
  for (let i = 0; i < 16_384; i++) used.add(connect(demux, 80))
  expect(used.size).toBe(32_767)
  expect(Math.min(...used)).toBe(32_768)
  expect(connect(demux, 80)).toBe(0)
  expect(connect(demux, 443)).toBeGreaterThanOrEqual(49_152)
})

test('a port that was given back is found again', () => {
  const demux = createDemux(3)
  for (let i = 0; i < 16_384; i++) connect(demux, 80)
  expect(connect(demux, 80)).toBeLessThan(49_152)
  removeConnection(demux, 60_123, 80, REMOTE, LOCAL)
  expect(connect(demux, 80)).toBe(60_123)
})
