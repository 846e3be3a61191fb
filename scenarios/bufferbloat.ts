import { choice, count, duration, flag, rate, text } from '../sim/params.ts'
import {
  defineScenario,
  type ExpectationSpec,
  type LinkBetween,
  type NodeSpec,
  type Program,
} from '../sim/scenario.ts'

const PORT = 5000
/** The sparse flow has the network for itself so long, in nanoseconds. */
const ALONE = 500e6

const delay = (percentile: number, limit: { below: string } | { above: string }) =>
  ({ sample: 'queueing delay', percentile, ...limit }) satisfies ExpectationSpec
const used = (above: string): ExpectationSpec => ({ utilisation: 'r1>r2', above })

/** What the sparse flow pays under each discipline, and what the link still carries. */
const EXPECTED: { readonly [queue: string]: readonly ExpectationSpec[] } = {
  fq_codel: [delay(99, { below: '10ms' }), used('90%')],
  // One queue for all: at the start, the flows' slow start goes through it before it is tamed.
  codel: [delay(50, { below: '25ms' }), delay(90, { below: '80ms' }), used('90%')],
  pie: [delay(90, { below: '50ms' }), used('90%')],
  // Five to fifteen frames on average are few for so many flows: the link idles at times.
  red: [delay(90, { below: '50ms' }), used('50%')],
  'drop-tail': [delay(50, { above: '100ms' }), used('90%')],
}

export default defineScenario({
  name: 'bufferbloat',
  about: `Bulk flows fill the queue of a slow link; a sparse flow pays for it, or does not.
    It sends a datagram every 20 ms, and its queueing delay is what that takes beyond its time
    through the empty network. FQ-CoDel serves the sparse flow first and keeps the others' queues
    short, CoDel keeps the one queue short, and drop-tail lets it grow to whatever room there is.
    Try --set queue=drop-tail or --set queue=codel, and --set ecn=true: marked instead of dropped.`,
  params: {
    queue: choice(['fq_codel', 'codel', 'pie', 'red', 'drop-tail'], 'at the bottleneck'),
    options: text('', "of the discipline, such as 'target 10ms'"),
    ecn: flag(false, 'hosts ask for ECN, and disciplines mark what they would drop'),
    room: count(500, 'frames that may wait, whatever the discipline'),
    flows: count(10, 'bulk flows beside the sparse one'),
    rate: rate('10Mbit', 'of the bottleneck'),
    delay: duration('10ms', 'of the bottleneck, each way'),
    interval: duration('20ms', 'between datagrams of the sparse flow'),
    start: duration('500ms', 'bulk flows start at random within this span'),
    time: duration('20s', 'how long it runs'),
  },
  topology: ({ flows, ecn }) => {
    const host: NodeSpec = {
      kind: 'host',
      tcp: { sendBuffer: '2MiB', receiveBuffer: '2MiB', ecn: ecn ? 'request' : 'accept' },
    }
    const nodes: { [name: string]: NodeSpec } = { r1: 'router', r2: 'router' }
    for (let i = 0; i <= flows; i++) {
      nodes[`s${i}`] = host
      nodes[`d${i}`] = host
    }
    return nodes
  },
  links: ({ flows, rate, delay, queue, options, ecn, room }) => {
    const unit = queue === 'red' ? `${room} frames` : String(room)
    const limit =
      queue === 'drop-tail'
        ? `${room} frames`
        : `${queue} limit ${unit} ${ecn ? 'ecn' : ''} ${options}`
    const links: LinkBetween[] = [
      {
        ends: { r1: '10.255.0.1/24', r2: '10.255.0.2/24' },
        rate,
        delay,
        to: { r2: { queue: limit } },
      },
    ]
    for (let i = 0; i <= flows; i++) {
      const access = { rate: 10 * rate, delay: '1ms' }
      links.push({ ends: { [`s${i}`]: `10.1.${i}.1/24`, r1: `10.1.${i}.2/24` }, ...access })
      links.push({ ends: { r2: `10.2.${i}.1/24`, [`d${i}`]: `10.2.${i}.2/24` }, ...access })
    }
    return links
  },
  programs: ({ flows, interval, start }) => {
    // Flow 0 is the sparse one.
    const programs: { [node: string]: Program } = {
      s0: async (host) => {
        const socket = host.udp()
        for (;;) {
          socket.sendTo(`${host.now}`, '10.2.0.2', PORT)
          await host.sleep(interval)
        }
      },
      d0: async (host) => {
        const socket = host.udp(PORT)
        let empty = Infinity
        for (;;) {
          const { payload } = await socket.receive()
          const span = host.now - Number(String.fromCharCode(...payload))
          // Before the bulk flows start the network is as good as it gets.
          if (host.now < ALONE) empty = Math.min(empty, span)
          else host.sample('queueing delay', span - empty)
        }
      },
    }
    for (let i = 1; i <= flows; i++) {
      programs[`d${i}`] = (host) => {
        host.sink(PORT)
      }
      programs[`s${i}`] = async (host) => {
        await host.sleep(ALONE + Math.floor(host.random('start')() * start))
        host.bulk(`10.2.${i}.2`, PORT)
      }
    }
    return programs
  },
  until: ({ time }) => time,
  expect: (_outcome, { queue }) => EXPECTED[queue]!,
})
