import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../protocols/assert.ts'
import { NEVER } from '../../protocols/time.ts'
import { EventQueue } from '../../sim/event-queue.ts'

/** Empties the queue: the sources in the order in which they come out. */
function drain(queue: EventQueue): [number, number][] {
  const order: [number, number][] = []
  while (queue.size > 0) {
    order.push([queue.topTime, queue.topSource])
    queue.removeTop()
  }
  return order
}

function withSources(count: number): EventQueue {
  const queue = new EventQueue()
  for (let i = 0; i < count; i++) expect(queue.addSource()).toBe(i)
  return queue
}

describe('event queue', () => {
  test('nothing queued: size 0, due never', () => {
    const queue = withSources(2)
    expect([queue.size, queue.topTime, queue.timeOf(0)]).toEqual([0, NEVER, NEVER])
    queue.removeTop()
    queue.cancel(1)
    expect(queue.size).toBe(0)
  })

  test('earliest first; at one instant in the order of scheduling', () => {
    const queue = withSources(7)
    for (const source of [3, 0, 6, 1]) queue.schedule(source, 500)
    queue.schedule(5, 499)
    queue.schedule(2, 500)
    queue.schedule(4, 501)
    expect(drain(queue)).toEqual([
      [499, 5],
      [500, 3],
      [500, 0],
      [500, 6],
      [500, 1],
      [500, 2],
      [501, 4],
    ])
  })

  test('an entry moves earlier and later; scheduling again puts it behind its equals', () => {
    const queue = withSources(3)
    queue.schedule(0, 10)
    queue.schedule(1, 20)
    queue.schedule(2, 20)
    queue.schedule(0, 30)
    queue.schedule(2, 5)
    expect([queue.size, queue.topSource, queue.timeOf(0)]).toEqual([3, 2, 30])
    queue.schedule(2, 20)
    queue.schedule(1, 20)
    expect(drain(queue)).toEqual([
      [20, 2],
      [20, 1],
      [30, 0],
    ])
  })

  test('a serial taken earlier goes before one taken later, whenever it is queued', () => {
    const queue = withSources(2)
    const early = queue.nextSerial()
    queue.schedule(0, 7)
    queue.scheduleAt(1, 7, early)
    expect(drain(queue)).toEqual([
      [7, 1],
      [7, 0],
    ])
  })

  test('NEVER takes an entry out; NaN is a defect', () => {
    const queue = withSources(1)
    queue.schedule(0, 1)
    queue.schedule(0, NEVER)
    expect([queue.size, queue.topTime]).toEqual([0, NEVER])
    expect(() => queue.schedule(0, NaN)).toThrow(InvariantError)
  })

  test('a released source leaves the queue and its number is used again', () => {
    const queue = withSources(3)
    queue.schedule(1, 4)
    queue.releaseSource(1)
    expect([queue.size, queue.addSource(), queue.addSource()]).toEqual([0, 1, 3])
    expect(queue.timeOf(1)).toBe(NEVER)
  })

  test('times beyond 32 bits stay exact', () => {
    const queue = withSources(2)
    const day = 86_400_000_000_000
    queue.schedule(0, 100 * day + 1)
    queue.schedule(1, 100 * day)
    expect(drain(queue)).toEqual([
      [100 * day, 1],
      [100 * day + 1, 0],
    ])
  })
})

/** The same queue as a sorted list, for comparison. */
class SortedReference {
  entries: { source: number; at: number; serial: number }[] = []
  serial = 0

  schedule(source: number, at: number): void {
    this.cancel(source)
    this.entries.push({ source, at, serial: this.serial++ })
    this.entries.sort((a, b) => a.at - b.at || a.serial - b.serial)
  }
  cancel(source: number): void {
    this.entries = this.entries.filter((entry) => entry.source !== source)
  }
}

type Step = { kind: 'schedule' | 'cancel' | 'pop' | 'push-back'; source: number; at: number }

const SOURCES = 150

describe('event queue against a sorted list', () => {
  const steps = (latest: number): fc.Arbitrary<Step[]> =>
    fc.array(
      fc.record({
        kind: fc.constantFrom('schedule', 'schedule', 'schedule', 'cancel', 'pop', 'push-back'),
        source: fc.nat(SOURCES - 1),
        at: fc.nat(latest),
      }),
      { minLength: 50, maxLength: 600 },
    )

  function agrees(script: readonly Step[]): void {
    const queue = withSourcesQuietly(SOURCES)
    const reference = new SortedReference()
    for (const { kind, source, at } of script) {
      if (kind === 'schedule') {
        queue.schedule(source, at)
        reference.schedule(source, at)
      } else if (kind === 'cancel') {
        queue.cancel(source)
        reference.cancel(source)
      } else if (kind === 'pop') {
        queue.removeTop()
        reference.entries.shift()
      } else if (queue.size > 0) {
        reference.schedule(queue.topSource, queue.topTime + at)
        queue.schedule(queue.topSource, queue.topTime + at)
      }
      const first = reference.entries[0]
      expect(queue.size).toBe(reference.entries.length)
      expect(queue.topTime).toBe(first?.at ?? NEVER)
      if (first !== undefined) expect(queue.topSource).toBe(first.source)
    }
    for (const { source, at } of reference.entries) expect(queue.timeOf(source)).toBe(at)
    expect(drain(queue)).toEqual(reference.entries.map(({ at, source }) => [at, source]))
  }

  test('few ties', () => {
    fc.assert(fc.property(steps(100_000), agrees), { seed: 1, numRuns: 60 })
  })
  test('ties everywhere', () => {
    fc.assert(fc.property(steps(3), agrees), { seed: 2, numRuns: 60 })
  })
})

function withSourcesQuietly(count: number): EventQueue {
  const queue = new EventQueue()
  for (let i = 0; i < count; i++) queue.addSource()
  return queue
}
