import { describe, expect, test } from 'vitest'
import { codeOf, Log, run, twoHosts } from './two-hosts.ts'

describe('sleeping programs', () => {
  test('wake when their time has come; at the same instant in the order of going to sleep', async () => {
    const log = new Log()
    const sleeper = (name: string, ...spans: string[]) => ({
      a: async (host: Parameters<Log['say']>[0]) => {
        for (const span of spans) {
          await host.sleep(span)
          log.say(host, name)
        }
      },
    })
    await run(
      twoHosts({
        a: [
          sleeper('first', '20ms', '10ms').a,
          sleeper('second', '10ms', '10ms', '10ms').a,
          sleeper('third', '30ms').a,
        ],
      }),
    )
    expect(log.lines).toEqual([
      '10 a second',
      // 'first' went to sleep at 0, 'second' at 10 ms.
      '20 a first',
      '20 a second',
      // 'third' at 0, the others at 20 ms.
      '30 a third',
      '30 a first',
      '30 a second',
    ])
  })

  test('of no time at all let the others go first', async () => {
    const log = new Log()
    await run(
      twoHosts({
        a: [
          async (host) => {
            await host.sleep(0)
            log.say(host, 'slept')
          },
          (host) => log.say(host, 'did not'),
        ],
      }),
    )
    expect(log.lines).toEqual(['0 a did not', '0 a slept'])
  })

  test('a span without a unit is refused', async () => {
    const scenario = twoHosts({ a: (host) => host.sleep('10') })
    await expect(run(scenario)).rejects.toThrow(/unit/)
  })
})

test('programs that talk at once come in the same order every time', async () => {
  const once = async (): Promise<string[]> => {
    const log = new Log()
    await run(
      twoHosts({
        link: { rate: '1Mbit', jitter: '3ms', loss: '5%' },
        a: Array.from({ length: 8 }, (_, i) => async (host) => {
          await host.sleep(Math.floor(host.random(`start ${i}`)() * 50e6))
          const socket = await host.connect('10.0.0.2', 80)
          await socket.send(new Uint8Array(3000).fill(i))
          log.say(host, `${i} sent`)
          socket.shutdown()
          await socket.receiveAll()
          log.say(host, `${i} is through`)
          socket.close()
        }),
        b: async (host) => {
          for await (const socket of host.listen(80)) {
            void (async () => {
              const bytes = await socket.receiveAll()
              log.say(host, `got ${bytes.length} of ${bytes[0]}`)
              socket.close()
            })()
          }
        },
      }),
    )
    return log.lines
  }
  const lines = await once()
  expect(lines.length).toBe(24)
  expect(await once()).toEqual(lines)
})

describe('a program that throws', () => {
  test('ends the run there, and the outcome says who and what', async () => {
    const log = new Log()
    const outcome = await run(
      twoHosts({
        a: async (host) => {
          await host.sleep('1s')
          throw new TypeError('no such thing')
        },
        b: async (host) => {
          for (;;) {
            await host.sleep('400ms')
            log.say(host, 'tick')
          }
        },
      }),
    )
    expect(outcome.failure).toBe('program on a: TypeError: no such thing')
    expect(outcome.verdict).toBe('failed')
    expect(outcome.ended).toBe(1e9)
    expect(log.lines).toEqual(['400 b tick', '800 b tick'])
  })

  test('because a socket failed is named by the error alone', async () => {
    const outcome = await run(
      twoHosts({
        a: async (host) => {
          await host.connect('10.0.0.2', 80)
        },
      }),
    )
    expect(outcome.failure).toBe('program on a: ECONNREFUSED: connection to 10.0.0.2:80')
  })

  test('before its first wait counts as well', async () => {
    const outcome = await run(
      twoHosts({
        a: () => {
          throw new Error('at once')
        },
      }),
    )
    expect(outcome).toMatchObject({ failure: 'program on a: Error: at once', ended: 0 })
  })
})

test('servers without end end with the run: when nothing is left to do', async () => {
  const outcome = await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp()
        socket.sendTo('x', '10.0.0.2', 7)
        await socket.receive()
        host.note('answered at', host.now)
      },
      b: async (host) => {
        const socket = host.udp(7)
        for (;;) {
          const { payload, remote } = await socket.receive()
          socket.sendTo(payload, remote.address, remote.port)
        }
      },
    }),
  )
  expect(outcome.notes).toEqual({ 'answered at': 40e6 })
  expect(outcome.failure).toBeNull()
  expect(outcome.verdict).toBe('passed')
})

test('`until` ends a run that would go on for ever, and the clock stands there', async () => {
  const log = new Log()
  const scenario = twoHosts({
    until: '1s',
    a: async (host) => {
      for (;;) {
        await host.sleep('250ms')
        log.say(host, 'tick')
      }
    },
  })
  expect((await run(scenario)).ended).toBe(1e9)
  // An event at the very end still runs.
  expect(log.lines).toEqual(['250 a tick', '500 a tick', '750 a tick', '1000 a tick'])
  expect((await run(scenario, { until: 600e6 })).ended).toBe(600e6)
  expect((await run(scenario, { until: 2e9 })).ended).toBe(1e9)
})

test('a program that only waits for another one does not stop the clock', async () => {
  const log = new Log()
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  await run(
    twoHosts({
      a: async (host) => {
        await gate
        log.say(host, 'through the gate')
      },
      b: async (host) => {
        await host.sleep('1s')
        open()
        log.say(host, 'opened')
      },
    }),
  )
  expect(log.lines).toEqual(['1000 b opened', '1000 a through the gate'])
})

test('a failed connection can be tried again', async () => {
  const log = new Log()
  await run(
    twoHosts({
      a: async (host) => {
        for (;;) {
          const code = await codeOf(host.connect('10.0.0.2', 80))
          log.say(host, code)
          if (code === 'no error') return
          await host.sleep('100ms')
        }
      },
      b: async (host) => {
        await host.sleep('200ms')
        await host.listen(80).accept()
      },
    }),
  )
  expect(log.lines).toEqual(['40 a ECONNREFUSED', '160 a ECONNREFUSED', '280 a no error'])
})
