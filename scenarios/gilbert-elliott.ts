import { choice, count, duration, ratio } from '../sim/params.ts'
import { gilbertElliott, lossShare } from '../sim/loss-model.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 9

export default defineScenario({
  name: 'gilbert-elliott',
  about: `Datagrams cross a link whose losses come in bursts, and the receiver measures them.
    The link is good or bad; p and r are the chances per frame to turn bad and good again. The same
    share without bursts: --set losses=independent. Milder: --set lostInBad=50%. An air interface in
    the shade: --set p=0.1% --set r=2%.`,
  params: {
    losses: choice(['bursts', 'independent'], 'of the same share'),
    p: ratio('1%', 'from good to bad'),
    r: ratio('25%', 'from bad to good'),
    lostInBad: ratio('100%', 'of frames in the bad state (1-h)'),
    lostInGood: ratio('0%', 'of frames in the good state (1-k)'),
    count: count(20_000, 'datagrams'),
    interval: duration('1ms', 'between datagrams'),
    delay: duration('20ms', 'of the link, each way'),
  },
  topology: { a: 'host', b: 'host' },
  links: ({ losses, p, r, lostInBad, lostInGood, delay }) => {
    const share = lossShare(gilbertElliott(p, r, lostInBad, lostInGood))
    const model = `gemodel ${[p, r, lostInBad, lostInGood].map(percent).join(' ')}`
    return [
      {
        ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' },
        delay,
        to: { b: { loss: losses === 'bursts' ? model : share } },
      },
    ]
  },
  programs: ({ count, interval }) => ({
    a: async (host) => {
      // Once an answer has come, both know each other's address: ARP asks for nothing any more.
      while ((await host.ping('10.0.0.2')) === null);
      const socket = host.udp()
      for (let i = 1; i <= count; i++) {
        socket.sendTo(String(i), '10.0.0.2', PORT)
        await host.sleep(interval)
      }
    },
    b: async (host) => {
      const socket = host.udp(PORT)
      let [last, lost, bursts, longest] = [0, 0, 0, 0]
      for (;;) {
        const { payload } = await socket.receive()
        const number = Number(String.fromCharCode(...payload))
        const burst = number - last - 1
        last = number
        host.note('received up to', number)
        if (burst === 0) continue
        lost += burst
        bursts += 1
        longest = Math.max(longest, burst)
        host.note('lost', lost)
        host.note('bursts', bursts)
        host.note('longest burst', longest)
      }
    },
  }),
  until: ({ count, interval }) => count * interval + 60e9,
  expect: ({ notes }, { losses, p, r, lostInBad, lostInGood }) => {
    const [frames, lost] = [Number(notes['received up to'] ?? 0), Number(notes['lost'] ?? 0)]
    const share = lossShare(gilbertElliott(p, r, lostInBad, lostInGood))
    // Losses d frames apart have the covariance g × b × (difference of the two shares)² × (1-p-r)^d:
    // summed over all distances, that widens the binomial variance.
    const bad = p === 0 ? 0 : p / (p + r)
    const spread = (lostInBad - lostInGood) ** 2 * bad * (1 - bad)
    const clustered = spread === 0 ? 0 : (2 * spread * (1 - p - r)) / (p + r)
    const variance = share * (1 - share) + (losses === 'bursts' ? clustered : 0)
    const bound = 5 * Math.sqrt(frames * Math.max(variance, 0)) + (p === 0 ? 0 : 1 / (p + r))
    return [
      {
        that: 'the lost share is what the model says, within five standard deviations',
        holds: frames > 0 && Math.abs(lost - frames * share) <= bound,
        actual: `${lost} of ${frames}, expected ${Math.round(frames * share)} ± ${Math.ceil(bound)}`,
      },
    ]
  },
})

const percent = (ratio: number): string => `${Number((ratio * 100).toFixed(10))}%`
