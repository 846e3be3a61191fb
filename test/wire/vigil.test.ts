import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Tap } from '../../wire/tap.ts'
import { Vigil } from '../../wire/vigil.ts'
import { Live } from './live.ts'
import { type Child, Namespace, leaveNamespaces, needs } from './namespace.ts'

// A device that is waited for in this thread, in a worker, and in turn.

const able = needs('ping')

/** Sends so many numbered datagrams, in bursts. */
const SENDER = `
const socket = require('node:dgram').createSocket('udp4')
const [count, burst] = process.argv.slice(1).map(Number)
socket.connect(9, '10.0.0.1', () => {
  let sent = 0
  const turn = () => {
    for (let i = 0; i < burst && sent < count; i++) {
      const bytes = Buffer.alloc(64)
      bytes.writeUInt32BE(sent++)
      socket.send(bytes)
    }
    if (sent < count) setImmediate(turn)
    else setTimeout(() => socket.close(), 100)
  }
  turn()
})`
/** An offload header is gone; Ethernet, IPv4 and UDP are not. */
const NUMBER = 14 + 20 + 8

describe.skipIf(!able)('who waits for a device', () => {
  let namespace: Namespace
  let tap: Tap
  let ready = 0
  const seen: number[] = []
  const take = (slab: Uint8Array, at: number, length: number): void => {
    if (length === NUMBER + 64)
      seen.push(new DataView(slab.buffer, slab.byteOffset).getUint32(at + NUMBER))
  }

  beforeAll(() => {
    namespace = new Namespace()
    namespace.enter()
    tap = new Tap('tap0')
    tap.ipv4 = '10.0.0.2/24'
    tap.isUp = true
    namespace.ip('neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev tap0')
    tap.listen(() => (ready += 1))
  })
  afterAll(async () => {
    await tap?.close()
    leaveNamespaces()
    namespace?.remove()
  })

  const send = (count: number, burst: number): Child =>
    namespace.start(process.execPath, '-e', SENDER, String(count), String(burst))
  const drain = (): void => {
    while (tap.receive(take, 32) > 0);
  }

  test('while it is ours the worker reads nothing and says nothing; then it does again', async () => {
    const vigil = new Vigil([tap.reader!])
    drain()
    while (!vigil.hold()) await nap(1)
    ready = 0
    const first = send(100, 1)
    await first.ended
    vigil.wait(1e6)
    expect(ready).toBe(0)
    drain()
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
    vigil.release()
    expect(ready).toBe(0)
    seen.length = 0
    const second = send(10, 10)
    await second.ended
    expect(ready).toBe(1)
    drain()
    expect(seen).toHaveLength(10)
  })

  test('nothing to read: it waits as long as was said, and no longer', () => {
    const vigil = new Vigil([tap.reader!])
    expect(vigil.hold()).toBe(true)
    drain()
    const start = performance.now()
    vigil.wait(20e6)
    expect(performance.now() - start).toBeGreaterThan(19)
    vigil.wait(-5)
    expect(performance.now() - start).toBeLessThan(500)
    vigil.release()
  })

  test('in turn, fifty thousand frames: each once, and in order', { timeout: 30_000 }, async () => {
    const vigil = new Vigil([tap.reader!])
    const count = 50_000
    seen.length = 0
    const sender = send(count, 20)
    let over = false
    void sender.ended.then(() => (over = true))
    let held = 0
    for (let i = 0, idle = 0; idle < 10; i++) {
      if (i % 3 === 0 && vigil.hold()) {
        held += 1
        vigil.wait(200_000)
      }
      const taken = tap.receive(take, 1 + (i % 100))
      idle = over && taken === 0 ? idle + 1 : 0
      if (i % 3 === 2) vigil.release()
      if (i % 50 === 0 || over) await nap(over ? 5 : 0)
    }
    vigil.release()
    expect(held).toBeGreaterThan(10)
    // What nobody read in time was dropped before us, and counted.
    expect(seen.length + tap.stats().kernelDrops).toBe(count)
    expect(seen.length).toBeGreaterThan(count / 2)
    expect(seen.every((number, i) => i === 0 || number > seen[i - 1]!)).toBe(true)
  })
})

describe.skipIf(!able)('a live run that waits by itself', () => {
  test('ends on a signal while frames come', async () => {
    const namespace = new Namespace()
    try {
      const live = await Live.start(namespace, 'live-server', '--bind', 'b=tap:tap0')
      const pings = namespace.start('ping', '-i', '0.002', '-q', '10.0.0.1')
      await nap(700)
      const before = process.hrtime.bigint()
      const report = await live.stop()
      expect(Number(process.hrtime.bigint() - before) / 1e6).toBeLessThan(3000)
      expect(report.failure).toBeNull()
      expect(report.devices[0]!.stats.received).toBeGreaterThan(100)
      pings.signal('SIGINT')
    } finally {
      namespace.remove()
    }
  })
})

const nap = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
