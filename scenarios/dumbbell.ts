import { choice, count, duration, flag, rate, ratio, size, text } from '../sim/params.ts'
import { defineScenario, type LinkBetween, type NodeSpec, type Program } from '../sim/scenario.ts'

const PORT = 5000

export default defineScenario({
  name: 'dumbbell',
  about: `Bulk TCP flows share one bottleneck with a drop-tail queue. Senders on the left reach
    receivers on the right through two routers. Access links have ten times its rate and 1 ms each way;
    the bottleneck has 8 ms: the round trip takes 20 ms. Try --set flows=2 --set queue='20 frames', or
    --set congestion=cubic,bbr: the senders take turns.`,
  params: {
    flows: count(10, 'senders, each with its receiver'),
    rate: rate('100Mbit', 'of the bottleneck'),
    delay: duration('8ms', 'of the bottleneck, each way'),
    loss: ratio('0%', 'of frames on the bottleneck, towards the receivers'),
    queue: text('100 frames', 'what may wait at the bottleneck'),
    time: duration('5s', 'how long the flows run'),
    congestion: text('cubic', 'control of the senders: cubic, reno, bbr, or several by turns'),
    sack: flag(true, 'selective acknowledgments'),
    ecn: choice(['accept', 'request', 'off'], 'of all hosts; marks take a queue such as codel ecn'),
    buffer: size('8MiB', 'send and receive buffers'),
    start: duration('100ms', 'flows start at random within this span'),
    rtoMin: duration('200ms', 'smallest retransmission timeout'),
    delayedAck: duration('40ms', 'longest delay of an ACK'),
  },
  topology: ({ flows, rtoMin, delayedAck, congestion, sack, ecn, buffer }) => {
    const tcp = {
      rtoMin,
      delayedAck,
      ecn,
      sackPermitted: sack,
      sendBuffer: buffer,
      receiveBuffer: buffer,
    }
    const controls = congestion.split(',').map((name) => name.trim())
    const nodes: { [name: string]: NodeSpec } = { r1: 'router', r2: 'router' }
    for (let i = 0; i < flows; i++) {
      nodes[`s${i}`] = { kind: 'host', tcp: { ...tcp, congestion: controls[i % controls.length]! } }
      nodes[`d${i}`] = { kind: 'host', tcp }
    }
    return nodes
  },
  links: ({ flows, rate, delay, loss, queue }) => {
    const access = { rate: 10 * rate, delay: '1ms', queue: '10000 frames' }
    const links: LinkBetween[] = [
      {
        ends: { r1: '10.255.0.1/24', r2: '10.255.0.2/24' },
        rate,
        delay,
        queue,
        to: { r2: { loss }, r1: { queue: '10000 frames' } },
      },
    ]
    for (let i = 0; i < flows; i++) {
      const [left, right] = [network(LEFT, i), network(RIGHT, i)]
      links.push({ ends: { [`s${i}`]: `${left}.1/24`, r1: `${left}.2/24` }, ...access })
      links.push({ ends: { r2: `${right}.1/24`, [`d${i}`]: `${right}.2/24` }, ...access })
    }
    return links
  },
  programs: ({ flows, start }) => {
    const programs: { [node: string]: Program } = {}
    for (let i = 0; i < flows; i++) {
      programs[`d${i}`] = (host) => {
        host.sink(PORT)
      }
      programs[`s${i}`] = async (host) => {
        await host.sleep(Math.floor(host.random('start')() * start))
        host.bulk(`${network(RIGHT, i)}.2`, PORT)
      }
    }
    return programs
  },
  until: ({ time }) => time,
})

const LEFT = 1
const RIGHT = 128

/** A /24 of its own for each flow and side. */
const network = (side: number, flow: number): string => `10.${side + (flow >> 8)}.${flow & 255}`
