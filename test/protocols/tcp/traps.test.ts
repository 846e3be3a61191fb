import { describe, expect, test } from 'vitest'
import { pipeGoodput } from '../../../bench/theory/pipe.ts'
import { measureFlow } from '../../../bench/theory/flow.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { ms, s } from '../../../protocols/time.ts'
import { World } from '../../../sim/world.ts'
import { planNetwork } from '../../../sim/topology.ts'
import { startBulk, startSink } from '../../../sim/bulk.ts'

// What others have fallen into.

describe('RACK under shaping', () => {
  // A shaper delays what it does not drop, and drops in bursts: whoever takes delay for loss, or waits for
  // a timer that never comes, stalls. 10 Mbit/s; the buffers are fifty times the shaper's.
  const shaped = (rack: boolean, queue: string, jitter = '0ms') =>
    measureFlow({
      tcp: { rack, tlp: rack, sendBuffer: '2MiB', receiveBuffer: '2MiB' },
      link: { rate: '10Mbit', delay: '20ms', queue, jitter },
      warmUp: 5,
      seconds: 30,
      count: true,
    })

  test.each(['20 frames', '40 frames', '200 frames'])('a queue of %s', (queue) => {
    const without = shaped(false, queue)
    const rack = shaped(true, queue)
    expect(rack.timeouts).toBe(0)
    expect(rack.spurious).toBe(0)
    expect(rack.goodput).toBeGreaterThan(0.97 * without.goodput)
    expect(rack.goodput * 8).toBeGreaterThan(8e6)
  })
})

describe('an SRTT polluted by retransmissions', () => {
  /** Every sample that a sender takes of a path of 100 ms that loses a fifth each way. */
  function samples(tcp: { readonly [option: string]: boolean | string }): number[] {
    const taken: number[] = []
    const host = { kind: 'host', tcp } as const
    const link = { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '50ms', loss: 0.2 }
    const world = new World(planNetwork({ a: host, b: host }, [link]), {
      seed: '3',
      observer: (record) => {
        if (record.kind !== 'event' || record.node !== 'a' || record.said.kind !== 'rtt') return
        taken.push(record.said.rtt / 1e6)
      },
    })
    startSink(world.node('b'), 5000)
    const address = world.node('b').state.interfaces[0]!.addresses[0]!
    startBulk(world.node('a'), { address, port: 5000 }, Infinity)
    world.runUntil(s(300))
    return taken
  }

  test('with timestamps no sample holds a timeout', () => {
    const taken = samples({ congestion: 'reno', hystart: false })
    expect(taken.length).toBeGreaterThan(100)
    expect(Math.max(...taken)).toBeLessThan(1000)
  })

  test('without, Karn’s rule keeps the timeouts out', () => {
    const taken = samples({ timestamps: false, congestion: 'reno', hystart: false })
    expect(taken.length).toBeGreaterThan(50)
    expect(Math.max(...taken)).toBeLessThan(1000)
  })
})

test('a buffer larger than the queue of the path does not cost goodput', () => {
  const goodput = (buffer: string): number =>
    measureFlow({
      tcp: { sendBuffer: buffer, receiveBuffer: buffer },
      link: { rate: '10Mbit', delay: '20ms', queue: '30 frames' },
      warmUp: 2,
      seconds: 30,
    }).goodput
  const small = goodput('64KiB') // what the path holds: 50 kB on the way, 45 kB in the queue
  const large = goodput('8MiB')
  expect(small * 8).toBeGreaterThan(9e6)
  expect(large).toBeGreaterThan(0.95 * small)
})

test('losses across the wrap of sequence numbers cost what they cost elsewhere', () => {
  const goodput = (iss: number): number =>
    pipeGoodput({ policy: RFC, delay: ms(20), loss: 0.02, until: s(20), seed: '1', iss })
  const plain = goodput(1000)
  // It wraps in the middle of the first seconds' losses, and in the middle of the sign.
  expect(goodput(2 ** 32 - 200_000)).toBe(plain)
  expect(goodput(2 ** 31 - 200_000)).toBe(plain)
})
