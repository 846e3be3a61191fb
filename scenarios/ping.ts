import { count, duration, flag, ratio } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const NEAR_IPV6 = { a: '2001:db8:1::1/64', r: '2001:db8:1::254/64' }
const FAR_IPV6 = { r: '2001:db8:2::254/64', c: '2001:db8:2::1/64' }

export default defineScenario({
  name: 'ping',
  about: `Host a pings host c through a router, once a second. Lost requests and replies show as
    timeouts; the first answer is late, because ARP asks for addresses first. Try --set loss=20%, or
    --set ipv6=true, where neighbour discovery does.`,
  params: {
    count: count(10, 'echo requests'),
    interval: duration('1s', 'between requests'),
    timeout: duration('1s', 'to wait for each reply'),
    delay: duration('5ms', 'of each of the two links'),
    loss: ratio('0%', 'of frames on the second link, each way'),
    ipv6: flag(false, 'the addresses are IPv6'),
  },
  topology: { a: 'host', r: 'router', c: 'host' },
  links: ({ delay, loss, ipv6 }) => {
    const near = ipv6 ? NEAR_IPV6 : { a: '10.0.1.1/24', r: '10.0.1.254/24' }
    const far = ipv6 ? FAR_IPV6 : { r: '10.0.2.254/24', c: '10.0.2.1/24' }
    return [
      { ends: near, delay },
      { ends: far, delay, loss },
    ]
  },
  programs: ({ count, interval, timeout, ipv6 }) => ({
    a: async (host) => {
      let received = 0
      for (let sequence = 1; sequence <= count; sequence++) {
        const sent = host.now
        const result = await host.ping(ipv6 ? '2001:db8:2::1' : '10.0.2.1', { sequence, timeout })
        if (result?.kind === 'reply') {
          received += 1
          host.note(`seq ${sequence}`, `ttl=${result.ttl} time=${result.rtt / 1e6} ms`)
        } else host.note(`seq ${sequence}`, result === null ? 'no answer' : 'unreachable')
        if (sequence < count) await host.sleep(Math.max(sent + interval - host.now, 0))
      }
      host.note('received', received)
    },
  }),
  expect: ({ notes }, { count, loss }) => [
    {
      that: 'without loss every request is answered',
      holds: loss > 0 || notes['received'] === count,
    },
  ],
})
