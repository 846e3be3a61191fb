import { choice, count, duration, flag, size } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 8080
const GREETING = 'hello\n'

export default defineScenario({
  name: 'pmtud-blackhole',
  about: `A path that is narrowest in its middle, and a filter that swallows ICMP errors. The
    connection opens and small messages pass; every full segment vanishes, and the router's word
    that it was too big never arrives. After some timeouts the sender shrinks its segments by itself
    (RFC 2923). With --set detect=false it waits for ever; with --set icmp=allowed the first error
    settles it within a round trip (RFC 1191).`,
  params: {
    icmp: choice(['filtered', 'allowed'], 'what becomes of ICMP errors on the way to the sender'),
    detect: flag(true, 'the sender looks for black holes'),
    after: count(2, 'timeouts of a full segment until it does'),
    bytes: size('200kB', 'to carry'),
    mtu: size('1280B', 'of the link in the middle'),
    rate: choice(['10Mbit', '100Mbit', '1Gbit'], 'of each link'),
    delay: duration('10ms', 'of each of the three links'),
  },
  topology: ({ detect, after }) => ({
    a: { kind: 'host', tcp: { blackHoleAfter: detect ? after : 0 } },
    r1: 'router',
    r2: 'router',
    b: 'host',
  }),
  links: ({ icmp, mtu, rate, delay }) => {
    const link = { rate, delay, queue: '100 frames' }
    return [
      {
        ends: { a: '10.0.1.1/24', r1: '10.0.1.254/24' },
        ...link,
        to: icmp === 'filtered' ? { a: { drop: 'every ICMP error' } } : {},
      },
      { ends: { r1: '10.0.2.1/24', r2: '10.0.2.2/24' }, ...link, mtu },
      { ends: { r2: '10.0.3.254/24', b: '10.0.3.1/24' }, ...link },
    ]
  },
  programs: ({ bytes }) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.3.1', PORT)
      await socket.send(GREETING)
      await socket.receive()
      host.mark('greeted')
      await socket.send(new Uint8Array(bytes))
      socket.shutdown()
      await socket.receive()
      host.mark('carried')
      host.note('segment size', socket.info().tcpi_snd_mss)
      socket.close()
    },
    b: async (host) => {
      const socket = await host.listen(PORT).accept()
      let received = 0
      await socket.receive(GREETING.length)
      await socket.send(GREETING)
      for await (const part of socket) {
        received += part.length
        host.note('received', received)
      }
      socket.close()
    },
  }),
  until: '120s',
  expect: ({ marks, notes }, { icmp, detect, bytes, mtu }) => {
    const stuck = icmp === 'filtered' && !detect && mtu < LINK_MTU
    const arrived = Number(notes['received'] ?? 0)
    return [
      {
        that: 'small messages pass, whatever happens to large ones',
        holds: marks['greeted'] !== undefined,
      },
      stuck
        ? {
            that: 'nothing more arrives but what fits into a small segment',
            holds: marks['carried'] === undefined && arrived < bytes,
            actual: `${arrived} of ${bytes} bytes`,
          }
        : {
            that: `all ${bytes} bytes arrive`,
            holds: arrived === bytes,
            actual: `${arrived} bytes`,
          },
    ]
  },
})

const LINK_MTU = 1500
