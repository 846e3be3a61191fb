import { count, duration, flag, ratio } from '../sim/params.ts'
import { defineScenario, type Program } from '../sim/scenario.ts'

const PORT = 5000

export default defineScenario({
  name: 'multicast',
  about: `Host s sends a datagram a second to a group. Hosts a and b listen to it, and tell routers so
    (IGMPv3; MLDv2 with --set ipv6=true); b leaves after half of them; c listens to nothing, and its
    network card keeps the frames away, which the switch has sent to everybody. With --set loss=20% each
    listener misses others: nobody sends anything again.`,
  params: {
    count: count(10, 'datagrams'),
    loss: ratio('0%', 'of frames towards each listener'),
    delay: duration('1ms', 'of each cable'),
    ipv6: flag(false, 'the group is one of IPv6'),
  },
  topology: { s: 'host', sw: 'switch', a: 'host', b: 'host', c: 'host' },
  links: ({ loss, delay, ipv6 }) =>
    ['s', 'a', 'b', 'c'].map((name, index) => ({
      ends: { [name]: ipv6 ? `2001:db8::${index + 1}/64` : `10.0.0.${index + 1}/24`, sw: null },
      delay,
      to: name === 's' ? {} : { [name]: { loss } },
    })),
  programs: ({ count, ipv6 }) => {
    const group = ipv6 ? 'ff05::1234' : '239.1.2.3'
    const listen =
      (until: number): Program =>
      async (host) => {
        const socket = host.udp(PORT)
        socket.join(group)
        host.note(host.name, 0)
        void host.at(until * 1e9 + 5e8).then(() => socket.leave(group))
        for (let received = 1; ; received++) {
          await socket.receive()
          host.note(host.name, received)
        }
      }
    return {
      s: async (host) => {
        const socket = host.udp()
        for (let i = 1; i <= count; i++) {
          await host.at(i * 1e9)
          socket.sendTo(`datagram ${i}`, group, PORT)
        }
      },
      a: listen(count + 1),
      b: listen(Math.floor(count / 2)),
      c: async (host) => {
        const socket = host.udp(PORT)
        host.note('c', 0)
        await socket.receive()
        host.note('c', 1)
      },
    }
  },
  expect: ({ notes }, { count, loss }) => [
    {
      that: 'whoever listens gets every datagram for as long as it does',
      holds: loss > 0 || (notes['a'] === count && notes['b'] === Math.floor(count / 2)),
      actual: `a: ${notes['a']}, b: ${notes['b']}`,
    },
    { that: 'nobody else gets any', holds: notes['c'] === 0, actual: `c: ${notes['c']}` },
  ],
})
