import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Live } from './live.ts'
import { type Child, Namespace, needs } from './namespace.ts'

// iperf3 itself against our server on our stack, over a TAP.

const able = needs('iperf3')

interface Sum {
  readonly bytes: number
  readonly bits_per_second: number
  readonly lost_packets?: number
  readonly packets?: number
}
interface Iperf3 {
  readonly error?: string
  readonly end: {
    readonly sum_sent: Sum
    readonly sum_received: Sum
    readonly sum_sent_bidir_reverse?: Sum
    readonly sum_received_bidir_reverse?: Sum
    readonly sum?: Sum
    readonly sender_tcp_congestion?: string
    readonly receiver_tcp_congestion?: string
  }
}

class Lab {
  readonly namespace = new Namespace()
  live!: Live

  async start(...set: string[]): Promise<void> {
    const settings = set.flatMap((each) => ['--set', each])
    this.live = await Live.start(this.namespace, 'live-server', '--bind', 'b=tap:tap0', ...settings)
  }

  iperf3(...args: string[]): Iperf3 {
    const { out } = this.namespace.run('timeout', '30', 'iperf3', '-c', '10.0.0.1', '-J', ...args)
    return JSON.parse(out) as Iperf3
  }

  /** The same, again while the test before is on its way out: its last word may have been lost. */
  async served(...args: string[]): Promise<Iperf3> {
    for (let left = 60; ; left--) {
      const result = this.iperf3(...args)
      if (left === 0 || !(result.error ?? '').includes('busy')) return result
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }

  /** A client in the middle of its test. */
  async running(seconds: string): Promise<Child> {
    const args = ['-c', '10.0.0.1', '-t', seconds, '-b', '1M', '-i', '0.2', '--forceflush']
    const child = this.namespace.start('iperf3', ...args)
    await child.says(/bits\/sec/)
    return child
  }

  async end(): Promise<void> {
    const { failure } = await this.live.stop()
    this.namespace.remove()
    expect(failure).toBeNull()
  }
}

describe.skipIf(!able)('iperf3 against our stack', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = new Lab()
    await lab.start()
  })
  afterAll(() => lab?.end())

  /** What was received is what was sent, but for what was still on its way at the end. */
  function expectMost(sent: Sum, received: Sum): void {
    expect(received.bytes).toBeGreaterThan(20e6)
    // Two ends of a second that are not the same on a busy machine, and what buffers hold.
    const [low, high] = [0.7 * sent.bytes - 8e6, 1.3 * sent.bytes]
    expect(received.bytes).toBeGreaterThan(low)
    expect(received.bytes).toBeLessThan(high)
  }

  const some = ['-n', '40M']
  test.each([
    ['the kernel sends', some],
    ['ours sends', [...some, '-R']],
    ['three streams', [...some, '-P', '3']],
    ['without Nagle, small writes', [...some, '-N', '-l', '1000']],
    ['the first second is not counted', ['-t', '1', '-O', '1']],
  ])('TCP, %s', (_, options) => {
    const { error, end } = lab.iperf3(...options)
    expect(error).toBeUndefined()
    expectMost(end.sum_sent, end.sum_received)
  })

  test('TCP, both directions at once', () => {
    const { error, end } = lab.iperf3('-t', '1', '--bidir')
    expect(error).toBeUndefined()
    expectMost(end.sum_sent, end.sum_received)
    expectMost(end.sum_sent_bidir_reverse!, end.sum_received_bidir_reverse!)
  })

  test('ours keeps the rate that it is asked for', () => {
    const { end } = lab.iperf3('-t', '1', '-R', '-b', '40M', '-l', '10K')
    expect(Math.abs(end.sum_sent.bits_per_second / 40e6 - 1)).toBeLessThan(0.03)
  })

  test.each([
    ['the kernel sends', []],
    ['ours sends', ['-R']],
    ['fragments', ['-l', '4000']],
    ['64-bit numbers', ['--udp-counters-64bit']],
  ])('UDP, %s: nothing is lost', (_, options) => {
    const { error, end } = lab.iperf3('-u', '-b', '10M', '-n', '400K', ...options)
    expect(error).toBeUndefined()
    expect(end.sum).toMatchObject({ lost_packets: 0 })
    expect(Math.abs(end.sum!.bits_per_second / 10e6 - 1)).toBeLessThan(0.1)
  })

  test('a second client is told that the server is busy', async () => {
    const first = await lab.running('2')
    expect(lab.iperf3('-t', '1').error).toContain('server is busy')
    expect(await first.ended).toBe(0)
  })

  test('after a client that was killed the next one is served', async () => {
    const first = await lab.running('10')
    first.signal('SIGKILL')
    await first.ended
    expect(lab.iperf3('-n', '1M').error).toBeUndefined()
  })

  test('what we do not have is refused in words that iperf3 knows', () => {
    expect(lab.iperf3('--sctp', '-t', '1').error).toMatch(/option .* is not/)
  })
})

// The socket option of each connection, on the kernel's end and on ours, through our own link.

const LINKS = [
  ['no loss', []],
  ['1 % lost', ['loss=1%']],
  ['10 % lost', ['loss=10%']],
  ['a tenth overtakes', ['reorder=10%']],
] as const

describe.skipIf(!able).each(LINKS)('congestion control by socket option, %s', (_, link) => {
  let lab: Lab
  beforeAll(async () => {
    lab = new Lab()
    await lab.start('delay=2ms', ...link)
  })
  afterAll(() => lab?.end())

  const amount = link.some((word) => word === 'loss=10%') ? '100K' : '1M'

  test.each(['reno', 'cubic', 'bbr'])('%s, both ways', { timeout: 60_000 }, async (algorithm) => {
    for (const way of [[], ['-R']]) {
      const { error, end } = await lab.served('-n', amount, '-l', '10K', '-C', algorithm, ...way)
      expect(error).toBeUndefined()
      expect(end.sum_received.bytes).toBeGreaterThan(0)
      expect(end.sender_tcp_congestion).toBe(algorithm)
      expect(end.receiver_tcp_congestion).toBe(algorithm)
    }
  })
})
