import { count, duration, ratio, size } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 7

export default defineScenario({
  name: 'udp-echo',
  about: `Host a sends datagrams to an echo server on host b and counts what comes back. UDP mends
    nothing: try --set loss=10% and --set duplicate=5%.`,
  params: {
    count: count(100, 'datagrams'),
    interval: duration('10ms', 'between datagrams'),
    size: size('512B', 'of each datagram'),
    delay: duration('20ms', 'of the link, each way'),
    loss: ratio('0%', 'of frames, each way'),
    duplicate: ratio('0%', 'of frames that arrive twice'),
    reorder: ratio('0%', 'of frames that overtake'),
  },
  topology: { a: 'host', b: 'host' },
  links: ({ delay, loss, duplicate, reorder }) => [
    { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay, loss, duplicate, reorder },
  ],
  programs: ({ count, interval, size }) => ({
    a: async (host) => {
      const socket = host.udp()
      let received = 0
      const listen = async () => {
        for (;;) {
          await socket.receive()
          host.note('received', ++received)
        }
      }
      void listen()
      for (let i = 1; i <= count; i++) {
        socket.sendTo(new Uint8Array(size).fill(i), '10.0.0.2', PORT)
        host.note('sent', i)
        await host.sleep(interval)
      }
    },
    b: async (host) => {
      const socket = host.udp(PORT)
      for (;;) {
        const { payload, remote } = await socket.receive()
        socket.sendTo(payload, remote.address, remote.port)
      }
    },
  }),
  expect: ({ notes }, { count, loss, duplicate }) => [
    {
      that: 'without loss and duplicates every datagram comes back once',
      holds: loss > 0 || duplicate > 0 || notes['received'] === count,
    },
  ],
})
