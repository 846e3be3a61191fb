import { choice, duration } from '../sim/params.ts'
import { defineScenario, type Program } from '../sim/scenario.ts'
import { SocketError } from '../sim/socket.ts'

const SHARED = '2001:db8::1/64'
const OWN = '2001:db8::2/64'

export default defineScenario({
  name: 'dad-conflict',
  about: `Host b was given the IPv6 address that host a already uses, and one of its own. Before it uses
    either it asks for both (RFC 4862): a answers for the first, so b never takes it, and works with
    the second. With --set start=together both ask for the shared address at about the same time:
    whoever asks first hears the other ask, and leaves the address to it.`,
  params: {
    start: choice(
      ['later', 'together'],
      'when b starts: a has its address already, or looks for it',
    ),
    delay: duration('1ms', 'of each cable'),
    for: duration('20s', 'how long it all goes on'),
  },
  topology: ({ start }) => ({
    a: { kind: 'host', ipv6: start === 'later' ? 'static' : 'dad' },
    b: { kind: 'host', ipv6: 'dad' },
    c: 'host',
    sw: 'switch',
  }),
  links: ({ delay }) => [
    { ends: { a: SHARED, sw: null }, delay },
    { ends: { b: [SHARED, OWN], sw: null }, delay },
    { ends: { c: '2001:db8::3/64', sw: null }, delay },
  ],
  programs: () => ({ a: [ready, reach], b: [ready, reach] }),
  until: ({ for: span }) => span,
  expect: ({ notes }, { start }) => {
    const taken = ['a', 'b'].filter((name) => notes[name] === 'an address is taken')
    return [
      {
        that: start === 'later' ? 'b does not take what a has' : 'one of the two yields',
        holds: start === 'later' ? taken.join() === 'b' : taken.length === 1,
        actual: `a: ${notes['a']}, b: ${notes['b']}`,
      },
      {
        that: 'b is reachable by its other address',
        holds: notes['b reaches c'] === 'yes',
        actual: String(notes['b reaches c']),
      },
    ]
  },
})

const ready: Program = async (host) => {
  try {
    await host.ready()
    host.note(host.name, `ready after ${host.now / 1e9} s`)
  } catch (error) {
    host.note(host.name, error instanceof SocketError ? 'an address is taken' : String(error))
  }
}

const reach: Program = async (host) => {
  await host.sleep('10s')
  try {
    const result = await host.ping('2001:db8::3')
    host.note(`${host.name} reaches c`, result?.kind === 'reply' ? 'yes' : 'no answer')
  } catch (error) {
    // Whoever yielded its only address has none to ask from.
    host.note(`${host.name} reaches c`, error instanceof SocketError ? error.code : String(error))
  }
}
