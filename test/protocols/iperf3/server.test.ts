import { expect, test } from 'vitest'
import { iperf3Server } from '../../../protocols/iperf3/server.ts'
import { createIperf3Server, type Iperf3Report } from '../../../protocols/iperf3/state.ts'
import { MemoryFiles } from '../../../sim/files.ts'
import type { Host } from '../../../sim/programs.ts'
import type { TcpSocket } from '../../../sim/tcp-socket.ts'
import { verifyScenario } from '../../../sim/verify.ts'
import { msOf, run, twoHosts, type Play } from '../../sim/two-hosts.ts'

// The server on a simulated host, asked by a program that says byte for byte what iperf3 says.
// test/wire/iperf3.test.ts has iperf3 itself.

const COOKIE = 'gr2ti26b76b63e22mf2mdwwq6jljuin45bax\0'
const TCP = { tcp: true, omit: 0, time: 1, num: 0, blockcount: 0, parallel: 1, len: 131_072 }
const UDP = { ...TCP, tcp: undefined, udp: true, len: 1000, bandwidth: 800_000 }

interface Results {
  readonly sender_has_retransmits: number
  readonly congestion_used?: string
  readonly streams: readonly {
    readonly id: number
    readonly bytes: number
    readonly retransmits: number
    readonly packets: number
    readonly errors: number
    readonly jitter: number
    readonly end_time: number
  }[]
}

function asText(value: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(value))
  return Uint8Array.of(0, 0, text.length >> 8, text.length & 255, ...text)
}

/** The client's control connection. */
class Control {
  readonly #socket: TcpSocket
  #held: number[] = []

  constructor(socket: TcpSocket) {
    this.#socket = socket
  }

  static async open(host: Host, cookie = COOKIE): Promise<Control> {
    const control = new Control(await host.connect('10.0.0.2', 5201))
    await control.say(cookie)
    return control
  }

  /** So many bytes of the server; fewer where it ends. */
  async hear(count: number): Promise<number[]> {
    while (this.#held.length < count) {
      const bytes = await this.#socket.receive()
      if (bytes === null) break
      this.#held.push(...bytes)
    }
    return this.#held.splice(0, count)
  }
  say = (bytes: Uint8Array | string): Promise<void> => this.#socket.send(bytes)
  end = (): void => this.#socket.abort()

  async begin(parameters: object): Promise<void> {
    expect(await this.hear(1)).toEqual([9])
    await this.say(asText(parameters))
    expect(await this.hear(1)).toEqual([10])
  }

  async results(): Promise<Results> {
    await this.say(Uint8Array.of(4))
    expect(await this.hear(1)).toEqual([13])
    await this.say(asText({ cpu_util_total: 1, streams: [] }))
    const [, , high, low] = await this.hear(4)
    const text = String.fromCharCode(...(await this.hear(high! * 256 + low!)))
    expect(await this.hear(1)).toEqual([14])
    await this.say(Uint8Array.of(16))
    expect(await this.hear(1)).toEqual([])
    this.#socket.close()
    return JSON.parse(text) as Results
  }
}

const server =
  (log: string[] = []) =>
  (host: Host): void => {
    host.run(iperf3Server, createIperf3Server(), (report, now) => log.push(line(report, now)))
  }
function line(report: Iperf3Report, now: number): string {
  if (report.kind === 'refused') return `refused ${report.error}`
  if (report.kind === 'broken') return `${msOf(now)} broken`
  const { protocol, span, received, sent } = report
  return `${protocol} for ${msOf(span)} received ${received} sent ${sent}`
}

async function testWith(
  client: (host: Host) => Promise<void>,
  play: Partial<Play> = {},
): Promise<string[]> {
  const log: string[] = []
  const { failure } = await run(twoHosts({ a: client, b: server(log), ...play }))
  expect(failure).toBeNull()
  return log
}

async function stream(host: Host): Promise<TcpSocket> {
  const socket = await host.connect('10.0.0.2', 5201)
  await socket.send(COOKIE)
  return socket
}

test('the client sends: what has come when it says the end is counted', async () => {
  let results: Results | null = null
  const log = await testWith(async (host) => {
    const control = await Control.open(host)
    await control.begin({ ...TCP, congestion: 'cubic' })
    const data = await stream(host)
    expect(await control.hear(2)).toEqual([1, 2])
    await data.send(new Uint8Array(100_000))
    await host.sleep('2s')
    results = await control.results()
    data.close()
  })
  expect(log).toEqual([expect.stringMatching(/^tcp for 20[234]\d(\.\d+)? received 100000 sent 0$/)])
  expect(results).toMatchObject({
    sender_has_retransmits: -1,
    congestion_used: 'cubic',
    streams: [{ id: 1, bytes: 100_000, retransmits: -1 }],
  })
})

test('the server sends at the rate that was asked for, on each stream', async () => {
  const got = [0, 0]
  let results: Results | null = null
  const log = await testWith(async (host) => {
    const control = await Control.open(host)
    const rate = 8e6
    await control.begin({ ...TCP, len: 10_000, parallel: 2, reverse: true, bandwidth: rate })
    const streams = [await stream(host), await stream(host)]
    const read = streams.map(async (socket, i) => {
      for await (const bytes of socket) got[i]! += bytes.length
      socket.close()
    })
    await control.hear(2)
    await host.sleep('1s')
    results = await control.results()
    await Promise.all(read)
  })
  const { streams } = results!
  expect(streams.map(({ id }) => id)).toEqual([1, 3])
  for (const [i, { bytes, retransmits, end_time: seconds }] of streams.entries()) {
    expect(Math.abs(bytes / seconds / 1e6 - 1)).toBeLessThan(0.02)
    expect(retransmits).toBe(0)
    // What was in the buffer when the client said the end comes all the same.
    expect(got[i]).toBe(bytes)
  }
  expect(log).toHaveLength(1)
})

test('in both directions the client has the first streams', async () => {
  await testWith(async (host) => {
    const control = await Control.open(host)
    await control.begin({ ...TCP, bidirectional: true, bandwidth: 1e6 })
    const [ours, theirs] = [await stream(host), await stream(host)]
    await control.hear(2)
    await ours.send('abc')
    expect((await theirs.receive())!.length).toBeGreaterThan(0)
    await host.sleep('500ms')
    const { streams } = await control.results()
    expect(streams[0]).toMatchObject({ id: 1, bytes: 3, retransmits: -1 })
    expect(streams[1]).toMatchObject({ id: 3, bytes: 131_072, retransmits: 0 })
    ours.close()
    theirs.abort()
  })
})

test('what comes in the time to omit is not counted', async () => {
  const log = await testWith(async (host) => {
    const control = await Control.open(host)
    await control.begin({ ...TCP, omit: 1 })
    const data = await stream(host)
    await control.hear(2)
    await data.send('early')
    await host.sleep('1500ms')
    await data.send('late')
    await host.sleep('500ms')
    expect((await control.results()).streams[0]!.bytes).toBe(4)
    data.close()
  })
  expect(log[0]).toMatch(/^tcp for 10[234]\d(\.\d+)? received 4 sent 0$/)
})

/** A datagram of iperf3: its number, and when it left. */
function numbered(number: number, nanos: number): Uint8Array {
  const bytes = new Uint8Array(1000)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(nanos / 1e9))
  view.setUint32(4, Math.floor((nanos % 1e9) / 1000))
  view.setUint32(8, number)
  return bytes
}

test('datagrams: numbers that are missing, late ones, jitter', async () => {
  await testWith(async (host) => {
    const control = await Control.open(host)
    await control.begin(UDP)
    const socket = host.udp()
    socket.connect('10.0.0.2', 5201)
    const hello = Uint8Array.of(0x39, 0x38, 0x37, 0x36)
    for (let i = 0; i < 2; i++) {
      // Said again, it is answered again, and is no other stream.
      socket.send(hello)
      expect([...(await socket.receive()).payload]).toEqual([0x36, 0x37, 0x38, 0x39])
    }
    await control.hear(2)
    for (const number of [1, 2, 5, 4, 6]) {
      // The third says that it left 16 ms before it did.
      socket.send(numbered(number, host.now - (number === 5 ? 16e6 : 0)))
      await host.sleep('10ms')
    }
    socket.send(new Uint8Array(3))
    await host.sleep('50ms')
    const [counted] = (await control.results()).streams
    expect(counted).toMatchObject({ bytes: 5000, packets: 6, errors: 1 })
    // 16 ms up and down again, a sixteenth of each: RFC 3550 §6.4.1.
    const up = 0.016 / 16
    const down = up + (0.016 - up) / 16
    expect(counted!.jitter).toBeCloseTo(down - down / 16, 5)
    socket.close()
  })
})

test('datagrams from the server are paced and numbered', async () => {
  await testWith(async (host) => {
    const control = await Control.open(host)
    await control.begin({ ...UDP, reverse: true, udp_counters_64bit: 1 })
    const socket = host.udp()
    socket.connect('10.0.0.2', 5201)
    socket.send(Uint8Array.of(0x39, 0x38, 0x37, 0x36))
    await socket.receive()
    await control.hear(2)
    // 800 kbit/s of 1000 bytes: one each 10 ms, the first at once.
    for (let number = 1; number <= 50; number++) {
      const { payload: bytes } = await socket.receive()
      expect(bytes.length).toBe(1000)
      expect([...bytes.subarray(8, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, number])
    }
    const { streams } = await control.results()
    expect(streams[0]!.packets).toBeGreaterThanOrEqual(50)
    expect(streams[0]!.packets).toBeLessThanOrEqual(54)
    socket.close()
  })
})

test('who comes while a test is on is sent away; the next one is served', async () => {
  const log = await testWith(async (host) => {
    const control = await Control.open(host)
    await control.begin(TCP)
    const other = await Control.open(host, COOKIE.replace('g', 'h'))
    expect(await other.hear(2)).toEqual([0xff])
    control.end()
    await host.sleep('100ms')
    const next = await Control.open(host)
    await next.begin(TCP)
    next.end()
  })
  expect(log).toEqual([expect.stringMatching('broken'), expect.stringMatching('broken')])
})

test.each<[string, Uint8Array]>([
  ['no JSON', Uint8Array.of(0, 0, 0, 2, 0x7b, 0x7b)],
  ['a number', asText(7)],
  ['a length that nobody means', Uint8Array.of(0x7f, 0xff, 0xff, 0xff)],
  ['a negative length', Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
  ['neither TCP nor UDP', asText({ sctp: true })],
  ['more streams than iperf3 has', asText({ ...TCP, parallel: 129 })],
  ['no stream', asText({ ...TCP, parallel: 0 })],
  ['datagrams without a header', asText({ ...UDP, len: 11 })],
  ['blocks of a gigabyte', asText({ ...TCP, len: 1e9 })],
])('parameters that are %s are refused', async (_, bytes) => {
  await testWith(async (host) => {
    const control = await Control.open(host)
    await control.hear(1)
    await control.say(bytes)
    // SERVER_ERROR, IEUNIMP, and no errno.
    expect(await control.hear(10)).toEqual([0xfe, 0, 0, 0, 13, 0, 0, 0, 0])
    control.end()
  })
})

test('a client that falls silent is given up, and so is one without a name', async () => {
  const log = await testWith(
    async (host) => {
      const nameless = await host.connect('10.0.0.2', 5201)
      await nameless.send('abc')
      const control = await Control.open(host)
      await control.begin(TCP)
      // The server ends both.
      expect(await control.hear(1)).toEqual([])
      expect(await nameless.receive()).toBeNull()
      expect(host.now / 1e9).toBeLessThan(31)
      nameless.close()
      control.end()
    },
    { until: '40s' },
  )
  expect(log).toEqual([expect.stringMatching(/^300\d\d(\.\d+)? broken$/)])
})

test('recorded, in place and wire-exact: the same run', async () => {
  const scenario = twoHosts({
    a: async (host) => {
      const control = await Control.open(host)
      await control.begin({ ...TCP, bidirectional: true, bandwidth: 4e6, omit: 0.5 })
      const [ours, theirs] = [await stream(host), await stream(host)]
      await ours.send(new Uint8Array(50_000))
      await host.sleep('1s')
      await control.results()
      ours.abort()
      theirs.abort()
    },
    b: (host) => host.serve('iperf3'),
    link: { loss: '5%' },
  })
  const files = new MemoryFiles()
  expect(await verifyScenario(scenario, { seed: '1', files })).toMatchObject({ difference: null })
})
