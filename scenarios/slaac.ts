import { count, duration } from '../sim/params.ts'
import { defineScenario, type Program } from '../sim/scenario.ts'

const PORT = 20

export default defineScenario({
  name: 'slaac',
  about: `Hosts a and b know no address when they start. Each makes sure that nobody has its link-local
    address, asks for routers, hears the prefix that r advertises, makes an address of it and of its
    MAC address, makes sure of that one, too, and fetches bytes from a server behind the router. With
    --set valid=60s --set preferred=30s --set interval=20s see how advertisements keep it alive; with
    --set silentFrom=10s the router goes down, and the addresses with it when their time is over.`,
  params: {
    bytes: count(20_000, 'that each host fetches'),
    interval: duration('600s', 'at most between two advertisements'),
    preferred: duration('7200s', 'how long an address is preferred'),
    valid: duration('14400s', 'how long it is valid at all'),
    silentFrom: duration('0s', 'when the router crashes; 0s: never'),
    for: duration('60s', 'how long it all goes on'),
  },
  topology: ({ interval, preferred, valid }) => ({
    a: { kind: 'host', ipv6: 'auto' },
    b: { kind: 'host', ipv6: 'auto' },
    sw: 'switch',
    r: { kind: 'router', ipv6: { addresses: 'dad', advertise: { interval, preferred, valid } } },
    server: 'host',
  }),
  links: [
    { ends: { a: null, sw: null }, delay: '1ms' },
    { ends: { b: null, sw: null }, delay: '1ms' },
    { ends: { r: '2001:db8:1::1/64', sw: null }, delay: '1ms' },
    { ends: { r: '2001:db8:2::1/64', server: '2001:db8:2::2/64' }, delay: '5ms' },
  ],
  programs: ({ bytes }) => {
    const fetch: Program = async (host) => {
      await host.ready()
      host.mark(`${host.name} has an address`)
      const socket = await host.connect('2001:db8:2::2', PORT)
      let received = 0
      for await (const part of socket) received += part.length
      socket.close()
      host.note(`${host.name} fetched`, received)
    }
    return {
      a: fetch,
      b: fetch,
      server: async (host) => {
        for await (const socket of host.listen(PORT)) {
          void socket.send(new Uint8Array(bytes)).then(() => socket.close())
        }
      },
    }
  },
  faults: ({ silentFrom }) => (silentFrom === 0 ? [] : [{ at: silentFrom, crash: 'r' }]),
  until: ({ for: span }) => span,
  expect: ({ notes, marks }, { bytes }) =>
    ['a', 'b'].flatMap((name) => {
      const at = marks[`${name} has an address`]
      return [
        {
          that: `${name} has an address within 5 s`,
          holds: at !== undefined && at <= 5e9,
          actual: at === undefined ? 'it has none' : `after ${at / 1e9} s`,
        },
        { that: `${name} fetches every byte`, holds: notes[`${name} fetched`] === bytes },
      ]
    }),
})
