import { expect, test } from 'vitest'
import { type Bytes, NO_BYTES } from '../../../protocols/bytes.ts'
import type { EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { SocketError } from '../../../sim/socket.ts'
import { type Say, story, type StoryOptions } from '../../../sim/testing/story.ts'

// Two hosts and a delay of 10 ms each way. The first packet waits 20 ms for ARP; the answer to it does
// not: the request has told the other side whom it came from.

const PAIR: Pick<StoryOptions, 'topology' | 'links' | 'until'> = {
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' }],
  until: '600s',
}
const pair = (
  programs: StoryOptions['programs'],
  more: Partial<StoryOptions> = {},
): Promise<string> => story({ ...PAIR, ...more, programs })

const isIpv4 = (frame: EthernetFrame): boolean => frame.payload.kind === 'ipv4'
const textOf = (bytes: Bytes | null): string => String.fromCharCode(...(bytes ?? NO_BYTES))

/** The error's name, or what came of it. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    return String(await promise)
  } catch (error) {
    if (error instanceof SocketError) return error.code
    throw error
  }
}

test('connect, talk, close: the handshake takes a round trip, ARP another', async () => {
  const text = await pair((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      say(host, 'connected')
      await socket.send('hello')
      socket.shutdown()
      say(host, `read ${(await socket.receiveAll()).length}`)
      socket.close()
      await socket.gone()
      say(host, 'gone')
    },
    b: async (host) => {
      const socket = await host.listen(80).accept()
      say(host, 'accepted')
      const bytes = await socket.receiveAll()
      await socket.send(bytes)
      socket.close()
      await socket.gone()
      say(host, 'gone')
    },
  }))
  expect(text).toMatchInlineSnapshot(`
    "0.04     a  connected
    0.05     b  accepted
    0.06     a  read 5
    0.07     b  gone
    60.06    a  gone"
  `)
})

test('a port without a listener refuses', async () => {
  const text = await pair((say) => ({
    a: async (host) => say(host, await outcome(host.connect('10.0.0.2', 81))),
  }))
  expect(text).toMatchInlineSnapshot(`"0.04     a  ECONNREFUSED"`)
})

test('an address that nobody has is unreachable after three requests, at 3 s', async () => {
  const text = await pair(
    (say) => ({ a: async (host) => say(host, await outcome(host.connect('10.0.0.9', 80))) }),
    { trace: /ARP, Request|timer/ },
  )
  expect(text).toMatchInlineSnapshot(`
    "0.000000000 a>b  ARP, Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    1.000000000 a>b  ARP, Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    1.000000000 a    timer 0 retransmit
    2.000000000 a>b  ARP, Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    3.000000000 a    timer 0 retransmit
    3        a  EHOSTUNREACH"
  `)
})

test('no route at all is known at once', async () => {
  const text = await pair((say) => ({
    a: async (host) => say(host, await outcome(host.connect('192.0.2.1', 80))),
  }))
  expect(text).toBe('0        a  ENETUNREACH')
})

test('a link that is cut: the SYN is given up at 247 s', async () => {
  const links = [{ ...PAIR.links[0]!, drop: isIpv4 }]
  const text = await pair(
    (say) => ({ a: async (host) => say(host, await outcome(host.connect('10.0.0.2', 80))) }),
    { links, trace: /DROP forced/ },
  )
  // Every time 20 ms after 0 for ARP at first, then as the timer says.
  expect(text).toMatchInlineSnapshot(`
    "0.020000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 62889 ecr 0,nop,wscale 7], length 0 DROP forced
    1.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 63889 ecr 0,nop,wscale 7], length 0 RETX #1 rto=2s DROP forced
    3.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 65889 ecr 0,nop,wscale 7], length 0 RETX #2 rto=4s DROP forced
    7.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 69889 ecr 0,nop,wscale 7], length 0 RETX #3 rto=8s DROP forced
    15.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 77889 ecr 0,nop,wscale 7], length 0 RETX #4 rto=16s DROP forced
    31.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 93889 ecr 0,nop,wscale 7], length 0 RETX #5 rto=32s DROP forced
    63.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 125889 ecr 0,nop,wscale 7], length 0 RETX #6 rto=64s DROP forced
    127.000000000 a>b  IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608723369, win 65535, options [mss 1460,sackOK,TS val 189889 ecr 0,nop,wscale 7], length 0 RETX #7 rto=120s DROP forced
    247      a  ETIMEDOUT"
  `)
})

test('a full backlog lets the SYN go by: it comes again after 1 s', async () => {
  const links = [
    { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' },
    // c hears nothing of b's SYN,ACK for a while: its handshake stays half open.
    { ends: { c: '10.1.0.1/24', b: '10.1.0.2/24' }, delay: '10ms', to: { c: { drop: [2, 3] } } },
  ]
  const text = await story({
    topology: { a: 'host', b: { kind: 'host', tcp: { synCookies: false } }, c: 'host' },
    links,
    until: '30s',
    trace: /backlog/,
    programs: (say) => ({
      a: async (host) => {
        await host.sleep('100ms')
        await host.connect('10.0.0.2', 80)
        say(host, 'connected')
      },
      b: async (host) => {
        const listener = host.listen(80, 1)
        for (;;) await listener.accept()
      },
      c: async (host) => {
        await host.connect('10.1.0.2', 80)
        say(host, 'connected')
      },
    }),
  })
  expect(text).toMatchInlineSnapshot(`
    "0.000000000 b    call listen 0 backlog 1
    0.130000000 b    drop tcp backlog full: IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608748369, win 65535, options [mss 1460,sackOK,TS val 22453 ecr 0,nop,wscale 7], length 0
    1.110000000 b    drop tcp backlog full: IP 10.0.0.1.64077 > 10.0.0.2.80: Flags [S], seq 2608748369, win 65535, options [mss 1460,sackOK,TS val 23453 ecr 0,nop,wscale 7], length 0
    2.02     c  connected
    3.12     a  connected"
  `)
})

test('connections wait to be accepted, in their order', async () => {
  const text = await pair((say) => ({
    a: async (host) => {
      for (const name of ['first', 'second', 'third']) {
        const socket = await host.connect('10.0.0.2', 80)
        await socket.send(name)
      }
    },
    b: async (host) => {
      const listener = host.listen(80)
      await host.sleep('1s')
      for (let i = 0; i < 3; i++) {
        const socket = await listener.accept()
        say(host, textOf(await socket.receive()))
      }
    },
  }))
  expect(text.split('\n')).toEqual(['1        b  first', '1        b  second', '1        b  third'])
})

test('a listener that closes resets what nobody accepted, and refuses from then on', async () => {
  const text = await pair((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      say(host, await outcome(socket.receive()))
      say(host, await outcome(host.connect('10.0.0.2', 80)))
    },
    b: async (host) => {
      const listener = host.listen(80)
      await host.sleep('1s')
      listener.close()
      say(host, await outcome(listener.accept()))
    },
  }))
  expect(text).toMatchInlineSnapshot(`
    "1        b  EBADF
    1.01     a  ECONNRESET
    1.03     a  ECONNREFUSED"
  `)
})

test('a listener that closes lets half-open connections go', async () => {
  const links = [{ ...PAIR.links[0]!, to: { a: { drop: [2] } } }]
  const text = await pair(
    (say) => ({
      a: async (host) => say(host, await outcome(host.connect('10.0.0.2', 80))),
      b: async (host) => {
        const listener = host.listen(80)
        await host.sleep('500ms')
        listener.close()
      },
    }),
    { links, trace: /SYN-RECEIVED/ },
  )
  expect(text).toMatchInlineSnapshot(`
    "0.030000000 b    tcp 1 LISTEN -> SYN-RECEIVED
    0.500000000 b    tcp 1 SYN-RECEIVED -> CLOSED
    0.51     a  ECONNREFUSED"
  `)
})

test('a waiting accept ends with its listener', async () => {
  const text = await pair((say) => ({
    b: async (host) => {
      const listener = host.listen(80)
      void host.sleep('1s').then(() => listener.close())
      say(host, await outcome(listener.accept()))
    },
  }))
  expect(text).toBe('1        b  ECONNABORTED')
})

test('connection after connection: each leaves through TIME-WAIT', async () => {
  const text = await pair((say) => ({
    a: async (host) => {
      for (let i = 0; i < 3; i++) {
        const socket = await host.connect('10.0.0.2', 80)
        say(host, `port ${socket.local.port === 0 ? 0 : 'chosen'}`)
        socket.close()
        await socket.gone()
        say(host, 'gone')
      }
    },
    b: async (host) => {
      for await (const socket of host.listen(80)) {
        await socket.receive()
        socket.close()
      }
    },
  }))
  expect(text).toMatchInlineSnapshot(`
    "0.04     a  port chosen
    60.06    a  gone
    60.08    a  port chosen
    120.1    a  gone
    120.12   a  port chosen
    180.14   a  gone"
  `)
})

test('two listeners on one port: the second is refused', async () => {
  const twice = (say: Say) => ({
    a: async (host: Parameters<Say>[0]) => {
      const first = host.listen(80)
      say(host, await outcome(Promise.resolve().then(() => host.listen(80))))
      first.close()
      host.listen(80)
      say(host, 'free again')
    },
  })
  expect(await pair(twice)).toBe('0        a  EADDRINUSE\n0        a  free again')
})

test('a host connects to itself', async () => {
  const text = await pair((say) => ({
    a: [
      async (host) => {
        const socket = await host.connect('10.0.0.1', 80)
        await socket.send('to myself')
        socket.shutdown()
        say(host, `answered ${(await socket.receiveAll()).length}`)
      },
      async (host) => {
        const socket = await host.listen(80).accept()
        await socket.send(await socket.receiveAll())
        socket.close()
      },
    ],
  }))
  expect(text).toBe('0        a  answered 9')
})

test('the reader of an aborted connection hears of it, and so does the next writer', async () => {
  const text = await pair((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      say(host, await outcome(socket.receive()))
      say(host, await outcome(socket.send('x')))
    },
    b: async (host) => {
      const socket = await host.listen(80).accept()
      await host.sleep('1s')
      socket.abort()
      say(host, await outcome(socket.receive()))
    },
  }))
  expect(text).toMatchInlineSnapshot(`
    "1.05     b  EBADF
    1.06     a  ECONNRESET
    1.06     a  ECONNRESET"
  `)
})

test('bytes that came before the end are read after it, however late', async () => {
  const text = await pair((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      await socket.send('kept')
      socket.close()
    },
    b: async (host) => {
      const socket = await host.listen(80).accept()
      await host.sleep('100ms')
      socket.shutdown()
      await socket.gone()
      say(host, textOf(await socket.receiveAll()))
    },
  }))
  expect(text).toBe('0.17     b  kept')
})
