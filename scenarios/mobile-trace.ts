import { duration, file, text } from '../sim/params.ts'
import { OPPORTUNITY_BYTES, firstOpportunityAfter, parseDeliveryTrace } from '../sim/mahimahi.ts'
import type { StoredFile } from '../sim/files.ts'
import { defineScenario } from '../sim/scenario.ts'
import { isRefusal } from '../sim/user-error.ts'

const PORT = 5000

export default defineScenario({
  name: 'mobile-trace',
  about: `A phone downloads over a cellular link that follows a delivery trace each way.
    The traces are in Mahimahi's format: a line for each millisecond at which 1500 bytes may leave.
    Those shipped were drawn at random, with fades and outages; put in a recorded one with
    --set down=PATH --set up=PATH. Try --set queue='20 frames' and see what the round trip gains.`,
  params: {
    down: file('shipped:mobile-down.trace', 'towards the phone'),
    up: file('shipped:mobile-up.trace', 'from the phone'),
    queue: text('300 frames', 'what may wait for the air, each way'),
    delay: duration('20ms', 'of the air, each way'),
    time: duration('30s', 'how long the download runs'),
  },
  topology: {
    server: { kind: 'host', tcp: { sendBuffer: '4MiB', receiveBuffer: '4MiB' } },
    mast: 'router',
    phone: { kind: 'host', tcp: { sendBuffer: '4MiB', receiveBuffer: '4MiB' } },
  },
  links: ({ down, up, queue, delay }) => [
    { ends: { server: '10.0.1.1/24', mast: '10.0.1.254/24' }, rate: '1Gbit', delay: '5ms' },
    {
      ends: { mast: '10.0.2.254/24', phone: '10.0.2.1/24' },
      delay,
      queue,
      to: { phone: { trace: down }, mast: { trace: up } },
    },
  ],
  programs: {
    server: (host) => {
      host.bulk('10.0.2.1', PORT)
    },
    phone: [
      (host) => {
        host.sink(PORT)
      },
      async (host) => {
        for (let sequence = 1; ; sequence = (sequence % 65_535) + 1) {
          const answer = await host.ping('10.0.1.1', { sequence, timeout: '5s' })
          if (answer?.kind === 'reply') host.sample('round trip', answer.rtt)
          await host.sleep('100ms')
        }
      },
    ],
  },
  until: ({ time }) => time,
  expect: ({ links }, { down, time }) => {
    const air = links.find(({ name }) => name === 'mast>phone')
    const frames = air?.deliveredFrames ?? 0
    const used = (air?.deliveredBytes ?? 0) - frames * ETHERNET_HEADER
    const offered = bytesOffered(down, time)
    const actual = `${used} of ${offered} bytes`
    return [
      { that: 'no more comes than the trace lets through', holds: used <= offered, actual },
      { that: 'the download uses half of the trace or more', holds: used >= offered / 2, actual },
    ]
  },
})

const ETHERNET_HEADER = 14

/** What the trace lets through in a time. */
function bytesOffered(trace: StoredFile, time: number): number {
  const read = parseDeliveryTrace(String.fromCharCode(...trace.bytes))
  return isRefusal(read) ? 0 : firstOpportunityAfter(read, time) * OPPORTUNITY_BYTES
}
