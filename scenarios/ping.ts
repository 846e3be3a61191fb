import { count, duration, ratio } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

export default defineScenario({
  name: 'ping',
  about: `Host a pings host c through a router, once a second. Lost requests and replies show as
    timeouts; the first answer is late, because ARP asks for addresses first. Try --set loss=20%.`,
  params: {
    count: count(10, 'echo requests'),
    interval: duration('1s', 'between requests'),
    timeout: duration('1s', 'to wait for each reply'),
    delay: duration('5ms', 'of each of the two links'),
    loss: ratio('0%', 'of frames on the second link, each way'),
  },
  topology: { a: 'host', r: 'router', c: 'host' },
  links: ({ delay, loss }) => [
    { ends: { a: '10.0.1.1/24', r: '10.0.1.254/24' }, delay },
    { ends: { r: '10.0.2.254/24', c: '10.0.2.1/24' }, delay, loss },
  ],
  programs: ({ count, interval, timeout }) => ({
    a: async (host) => {
      let received = 0
      for (let sequence = 1; sequence <= count; sequence++) {
        const sent = host.now
        const result = await host.ping('10.0.2.1', { sequence, timeout })
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
