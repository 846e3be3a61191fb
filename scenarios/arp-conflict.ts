import { choice, duration } from '../sim/params.ts'
import { defineScenario, type Program } from '../sim/scenario.ts'
import { SocketError } from '../sim/socket.ts'

const PORT = 7000
const SHARED = '10.0.0.1/24'

export default defineScenario({
  name: 'arp-conflict',
  about: `Somebody gave host c the address that host a has. Host a has probed for it before use and
    holds a connection to b when c is switched on. A newcomer that probes hears a's answer and never
    uses the address. One that does not ask (--set newcomer=announce) drags a's traffic to itself;
    a defends the address once, and gives it up when c insists (RFC 5227). With
    --set defend=always neither yields, and which of them b reaches is a matter of who spoke last.`,
  params: {
    newcomer: choice(['probe', 'announce'], 'what c does before it uses its address'),
    defend: choice(['once', 'always', 'never'], 'how a defends the address'),
    at: duration('20s', 'when c is switched on'),
    for: duration('60s', 'how long it all goes on'),
  },
  topology: ({ newcomer, defend, at }) => ({
    a: { kind: 'host', arp: { method: 'probe', defend } },
    b: 'host',
    c: { kind: 'host', arp: { method: newcomer, from: at } },
    sw: 'switch',
  }),
  links: [
    { ends: { a: SHARED, sw: null }, delay: '1ms' },
    { ends: { b: '10.0.0.2/24', sw: null }, delay: '1ms' },
    { ends: { c: SHARED, sw: null }, delay: '1ms' },
  ],
  programs: () => ({
    a: [claimed, chatter],
    b: async (host) => {
      for await (const socket of host.listen(PORT)) {
        const read = async () => {
          let lines = 0
          for await (const part of socket) lines += part.length / LINE.length
          return lines
        }
        read().then(
          (lines) => host.note('lines', lines),
          (error: unknown) => host.note('the connection', nameOf(error)),
        )
      }
    },
    c: claimed,
  }),
  until: ({ for: span }) => span,
  expect: ({ notes }, { newcomer, defend }) => {
    const kept = newcomer === 'probe'
    return [
      {
        that: 'whoever probes does not take an address that is in use',
        holds: newcomer !== 'probe' || !String(notes['c']).startsWith('ready'),
        actual: `c: ${notes['c']}`,
      },
      {
        that: kept ? 'nobody else notices' : 'the connection of whoever yields is reset',
        holds: kept
          ? /^\d+ lines$/.test(String(notes['chatter']))
          : defend === 'always' || notes['chatter'] === 'EADDRNOTAVAIL',
        actual: `a: ${notes['chatter']}`,
      },
    ]
  },
})

const LINE = 'still here\n'

const claimed: Program = async (host) => {
  try {
    await host.ready()
    host.note(host.name, `ready after ${host.now / 1e9} s`)
  } catch (error) {
    host.note(host.name, error instanceof SocketError ? 'the address is taken' : String(error))
  }
}

const chatter: Program = async (host) => {
  await host.ready()
  const socket = await host.connect('10.0.0.2', PORT)
  try {
    for (let line = 1; ; line++) {
      await socket.send(LINE)
      host.note('chatter', `${line} lines`)
      await host.sleep('1s')
    }
  } catch (error) {
    host.note('chatter', nameOf(error))
  }
}

const nameOf = (error: unknown): string =>
  error instanceof SocketError ? error.code : String(error)
