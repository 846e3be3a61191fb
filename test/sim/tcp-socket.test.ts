import { describe, expect, test } from 'vitest'
import { type Bytes, equalBytes, NO_BYTES } from '../../protocols/bytes.ts'
import { codeOf, Log, randomBytes, run, twoHosts } from './two-hosts.ts'

const text = (bytes: Bytes | null): string =>
  bytes === null ? 'end' : String.fromCharCode(...(bytes as Uint8Array))

// Every link here takes 10 ms each way and no time for the bits. The first packet waits for ARP:
// request at 0, reply at 20 ms, so a SYN arrives at 30 ms and its answer at 40 ms.

describe('a TCP connection', () => {
  test('stands for the one end a round trip before the other, and carries both ways', async () => {
    const log = new Log()
    const outcome = await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          log.say(host, `connected from ${socket.local.port >= 49_152} to ${socket.remote.port}`)
          await socket.send('hello')
          log.say(host, `received ${text(await socket.receive())}`)
          log.say(host, `received ${text(await socket.receive())}`)
          socket.close()
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          log.say(host, 'accepted')
          log.say(host, `received ${text(await socket.receive())}`)
          await socket.send('good day')
          socket.close()
        },
      }),
    )
    expect(log.lines).toEqual([
      '40 a connected from true to 80',
      '50 b accepted',
      '50 b received hello',
      '60 a received good day',
      '60 a received end',
    ])
    expect(outcome.failure).toBeNull()
  })

  test('is received in pieces of at most the size asked for', async () => {
    const pieces: string[] = []
    await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send('abcdefg')
          socket.close()
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          for (;;) {
            const piece = await socket.receive(3)
            pieces.push(text(piece))
            if (piece === null) return socket.close()
          }
        },
      }),
    )
    expect(pieces).toEqual(['abc', 'def', 'g', 'end'])
  })

  test('says that urgent data is ahead before it has been read, and stops at its last byte', async () => {
    const log = new Log()
    await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send('work')
          await socket.send('stop!', { urgent: true })
          await socket.send('more')
          socket.close()
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          await socket.urgent()
          log.say(host, 'urgent')
          for (;;) {
            const { atMark } = socket
            const piece = await socket.receive()
            log.say(host, `${text(piece)}${atMark ? ' from the mark' : ''}`)
            if (piece === null) break
          }
          socket.close()
          await expect(socket.urgent()).rejects.toThrow('EBADF')
        },
      }),
    )
    expect(log.lines).toEqual([
      '50 b urgent',
      '50 b workstop',
      '50 b ! from the mark',
      '50 b more',
      '50 b end',
    ])
  })

  test('that ends leaves nobody waiting for urgent data', async () => {
    const ends: string[] = []
    await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          await host.sleep('100ms')
          socket.abort()
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          ends.push(await codeOf(socket.urgent()))
        },
      }),
    )
    expect(ends).toEqual(['ECONNRESET'])
  })

  test('sends only as much ahead as the buffers of both ends take', async () => {
    const log = new Log()
    const sent = randomBytes(100_000, 1)
    let arrived: Bytes = NO_BYTES
    await run(
      twoHosts({
        tcp: { sendBuffer: '16KiB', receiveBuffer: '16KiB' },
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send(sent.subarray(0, 16_384))
          log.say(host, 'the first 16 KiB are in the buffer')
          await socket.send(sent.subarray(16_384))
          log.say(host, 'all is in the buffer')
          socket.close()
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          await host.sleep('10s')
          log.say(host, 'reads')
          arrived = await socket.receiveAll()
          socket.close()
        },
      }),
    )
    expect(log.lines.slice(0, 2)).toEqual([
      '40 a the first 16 KiB are in the buffer',
      '10050 b reads',
    ])
    expect(log.lines[2]).toMatch(/^\d+(\.\d+)? a all is in the buffer$/)
    expect(Number.parseFloat(log.lines[2]!)).toBeGreaterThan(10_050)
    expect(equalBytes(arrived, sent)).toBe(true)
  })

  test('goes on in one direction when the other is shut down', async () => {
    const log = new Log()
    await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          socket.shutdown()
          log.say(host, `sending: ${await codeOf(socket.send('x'))}`)
          log.say(host, `received ${text(await socket.receiveAll())}`)
          socket.close()
          await socket.gone()
          log.say(host, 'gone')
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          log.say(host, `received ${text(await socket.receive())}`)
          await host.sleep('1s')
          await socket.send('late')
          socket.close()
          await socket.gone()
          log.say(host, 'gone')
        },
      }),
    )
    expect(log.lines).toEqual([
      '40 a sending: EPIPE',
      '50 b received end',
      '1060 a received late',
      '1070 b gone',
      // The end that closed first stays in TIME-WAIT for 2 MSL of 30 s.
      '61060 a gone',
    ])
  })

  test('tells what it knows of itself', async () => {
    const figures: unknown[] = []
    await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          const info = socket.info()
          figures.push(info.state, info.tcpi_rtt, info.tcpi_rto, info.tcpi_snd_mss)
          socket.close()
        },
        b: async (host) => {
          ;(await host.listen(80).accept()).close()
        },
      }),
    )
    // In microseconds. The SYN was handed over at 0 and answered at 40 ms: RFC 6298 (2.2), with a
    // minimum of 1 s. 1500 bytes less 20 of IPv4, 20 of TCP and 12 of timestamps.
    expect(figures).toEqual(['ESTABLISHED', 40_000, 1_000_000, 1448])
  })
})

describe('a listener', () => {
  test('hands connections out in the order in which they were made', async () => {
    const log = new Log()
    await run(
      twoHosts({
        a: [1, 2, 3].map((i) => async (host) => {
          await host.sleep(`${10 * i}ms`)
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send(String(i))
          socket.close()
        }),
        b: async (host) => {
          const listener = host.listen(80)
          await host.sleep('200ms')
          for (let i = 0; i < 3; i++) {
            const socket = await listener.accept()
            log.say(host, text(await socket.receive()))
            socket.close()
          }
        },
      }),
    )
    expect(log.lines).toEqual(['200 b 1', '200 b 2', '200 b 3'])
  })

  test('serves many that wait for it at once, first come first served', async () => {
    const log = new Log()
    await run(
      twoHosts({
        a: async (host) => {
          for (const word of ['x', 'y']) {
            const socket = await host.connect('10.0.0.2', 80)
            await socket.send(word)
            socket.close()
          }
        },
        b: async (host) => {
          const listener = host.listen(80)
          const serve = async (name: string) => {
            const socket = await listener.accept()
            log.say(host, `${name} got ${text(await socket.receive())}`)
            socket.close()
          }
          await Promise.all([serve('first'), serve('second')])
        },
      }),
    )
    expect(log.lines).toEqual(['50 b first got x', '70 b second got y'])
  })
})

describe('what goes wrong has the name that Linux gives it:', () => {
  const connecting = async (play: Parameters<typeof twoHosts>[0], to = '10.0.0.2') => {
    const log = new Log()
    const outcome = await run(
      twoHosts({
        ...play,
        a: async (host) => log.say(host, await codeOf(host.connect(to, 80))),
      }),
    )
    expect(outcome.failure).toBeNull()
    return log.lines
  }

  test('nobody listens', async () => {
    expect(await connecting({})).toEqual(['40 a ECONNREFUSED'])
  })

  test('nobody answers: eight SYNs, given up after 1 + 2 + 4 … + 64 + 120 s', async () => {
    expect(await connecting({ link: { drop: 'every SYN' } })).toEqual(['247000 a ETIMEDOUT'])
  })

  test('no host has the address', async () => {
    const [line, ...more] = await connecting({}, '10.0.0.9')
    expect(line).toMatch(/ a EHOSTUNREACH$/)
    expect(more).toEqual([])
  })

  test('no route leads there', async () => {
    expect(await connecting({}, '192.168.7.1')).toEqual(['0 a ENETUNREACH'])
  })

  test('the peer aborts: whoever reads or writes hears of the reset', async () => {
    const log = new Log()
    const outcome = await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          log.say(host, await codeOf(socket.receive()))
          log.say(host, await codeOf(socket.send('x')))
        },
        b: async (host) => {
          const socket = await host.listen(80).accept()
          socket.abort()
        },
      }),
    )
    expect(log.lines).toEqual(['60 a ECONNRESET', '60 a ECONNRESET'])
    expect(outcome.failure).toBeNull()
  })

  test('the peer falls silent: data are sent again until the patience is at its end', async () => {
    const log = new Log()
    await run(
      twoHosts({
        tcp: { dataRetries: 3, rack: false },
        link: { drop: 'every data segment' },
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send('anybody?')
          log.say(host, await codeOf(socket.receive()))
        },
        b: async (host) => {
          await host.listen(80).accept()
        },
      }),
    )
    // RTO 1 s from the first sample on: sent at 40 ms, again 1, 3 and 7 s later, given up after 15.
    expect(log.lines).toEqual(['15040 a ETIMEDOUT'])
  })

  test('a socket is used after it was closed, a port twice', async () => {
    const log = new Log()
    await run(
      twoHosts({
        a: async (host) => {
          const socket = await host.connect('10.0.0.2', 80)
          socket.close()
          log.say(host, await codeOf(socket.send('x')))
          log.say(host, await codeOf(() => socket.shutdown()))
        },
        b: async (host) => {
          const listener = host.listen(80)
          log.say(host, await codeOf(() => host.listen(80)))
          ;(await listener.accept()).close()
        },
      }),
    )
    expect(log.lines).toEqual(['0 b EADDRINUSE', '40 a EBADF', '40 a EBADF'])
  })
})
