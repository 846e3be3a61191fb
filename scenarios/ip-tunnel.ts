import { ip, type Ipv4Address } from '../protocols/address.ts'
import { s as seconds } from '../protocols/time.ts'
import { createFarEnd, FAR_DEFAULTS, farEnd } from '../protocols/tunnel/far-end.ts'
import { CHUNK_BYTES, createNearEnd, NEAR_POLICY, nearEnd } from '../protocols/tunnel/near-end.ts'
import { choice, count, duration, ratio } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
const ENDS = { near: addr('10.0.0.1'), far: addr('10.0.0.2'), inner: addr('20.20.20.20') }

export default defineScenario({
  name: 'ip-tunnel',
  about: `IP packets of protocol 253 that carry IP packets: A paces chunks of ten bytes, each in a packet
    from a made-up address inside a packet to B. In the loop-back shape B unwraps them and sends the
    inner packet back to A, which writes the file; in the one-way shape B writes it. Either end sends
    again, two and ten seconds later, what was not acknowledged, and never gives up on its own.`,
  params: {
    shape: choice(['loop-back', 'one-way'], 'who writes the file'),
    header: choice(['12', '8', 'id-only'], 'bytes of the reliable header'),
    bytes: count(200, 'of the file'),
    loss: ratio('10%', 'of frames, each way'),
    delay: duration('5ms', 'of the link, each way'),
  },
  topology: { a: 'host', b: 'host' },
  links: ({ loss, delay }) => [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, loss, delay }],
  programs: ({ shape, header, bytes }) => {
    const common = { shape, version: header, first: 0, ends: ENDS }
    return {
      a: (host) => {
        const content = Uint8Array.from({ length: bytes }, (_, i) => i & 0xff)
        const config = {
          ...common,
          content,
          chunkBytes: CHUNK_BYTES,
          policy: NEAR_POLICY,
          idle: seconds(30),
        }
        let got = 0
        host.run(nearEnd, createNearEnd(config), (report) => {
          if (report.kind === 'data') {
            for (const { length } of report.chunks) got += length
            host.note('bytes written', got)
          }
          if (report.kind === 'finished') host.mark('a is done')
        })
      },
      b: (host) => {
        let got = 0
        host.run(farEnd, createFarEnd({ ...common, ...FAR_DEFAULTS }), (report) => {
          if (report.kind === 'data') {
            for (const { length } of report.chunks) got += length
            host.note('bytes written', got)
          }
        })
      },
    }
  },
  until: '600s',
  expect: (_, { bytes }) => [
    { note: 'bytes written', equals: bytes },
    { mark: 'a is done', within: '300s' },
  ],
})
