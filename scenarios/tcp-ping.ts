import { ip } from '../protocols/address.ts'
import { createPingClient, pingClient, type PingReport } from '../protocols/tcp-ping/client.ts'
import { createPingServer, PING_PORT, pingServer } from '../protocols/tcp-ping/server.ts'
import { choice, count, duration, ratio } from '../sim/params.ts'
import { defineScenario, type Program } from '../sim/scenario.ts'

/** One pair of hosts for each layer, on cables of their own. */
const LAYERS = ['application', 'ip', 'link'] as const
type Layer = (typeof LAYERS)[number]

const serverAddress = (layer: Layer): string => `10.0.${LAYERS.indexOf(layer)}.2`

export default defineScenario({
  name: 'tcp-ping',
  about: `The same loss at three layers, side by side. An application that lets 20 % of its messages go
    loses 20 % of the pings. Where IP or the link loses 20 %, TCP sends again: no ping is lost, but some
    are late by 1 s, 3 s, 7 s, the timeouts of SYN and data. Try --set only=link, --set timeout=1s.`,
  params: {
    count: count(200, 'pings of each client, one after the other'),
    loss: ratio('20%', 'of messages, packets, or frames'),
    timeout: duration('200s', 'that each ping has'),
    delay: duration('5ms', 'of each link, each way'),
    only: choice(['all', ...LAYERS], 'which layers lose'),
  },
  topology: Object.fromEntries(
    LAYERS.flatMap((layer) => [`${layer}-client`, `${layer}-server`]).map((name) => [name, 'host']),
  ),
  links: ({ loss, delay, only }) =>
    LAYERS.map((layer) => {
      const loses = only === 'all' || only === layer
      return {
        ends: {
          [`${layer}-client`]: `10.0.${LAYERS.indexOf(layer)}.1/24`,
          [`${layer}-server`]: `${serverAddress(layer)}/24`,
        },
        delay,
        ...(loses && layer === 'link' ? { loss } : {}),
        // Below IP nothing is lost: ARP always finds its neighbour.
        ...(loses && layer === 'ip' && loss > 0
          ? { drop: (frame, index) => frame.payload.kind === 'ipv4' && isLost(index, loss) }
          : {}),
      }
    }),
  programs: ({ count, loss, timeout, only }) =>
    Object.fromEntries(
      LAYERS.flatMap((layer): [string, Program][] => {
        const loses = layer === 'application' && (only === 'all' || only === layer)
        return [
          [
            `${layer}-server`,
            (host) => {
              const seed = String(host.random('ping')())
              host.run(pingServer, createPingServer({ loss: loses ? loss : 0, seed }))
            },
          ],
          [
            `${layer}-client`,
            (host) => {
              const server = { address: ip(serverAddress(layer)), port: PING_PORT }
              const client = createPingClient({
                server,
                count,
                timeout,
                interval: 0,
                persistent: false,
                startSeconds: 0,
                startMicros: 0,
                icmpWait: 0,
              })
              let late = 0
              host.run(pingClient, client, (report: PingReport) => {
                if (report.kind === 'reply') {
                  host.sample(`${layer} RTT`, report.rtt)
                  if (report.rtt >= 1e9) late += 1
                } else if (report.kind === 'done') {
                  const { sent, received } = report.statistics
                  host.note(`${layer} sent`, sent)
                  host.note(`${layer} lost`, sent - received)
                  host.note(`${layer} late by a second or more`, late)
                }
              })
            },
          ],
        ]
      }),
    ),
  expect: ({ notes }, { count, loss, only, timeout }) => {
    const at = (layer: Layer) => Number(notes[`${layer} lost`])
    const late = (layer: Layer) => Number(notes[`${layer} late by a second or more`])
    const loses = (layer: Layer) => loss > 0 && (only === 'all' || only === layer)
    // Three standard deviations of so many draws.
    const spread = 3 * Math.sqrt(count * loss * (1 - loss))
    const patient = timeout >= 100e9
    return [
      {
        that: 'loss of the application is loss of pings, and none is late',
        holds:
          !loses('application') ||
          (Math.abs(at('application') - count * loss) <= spread && late('application') === 0),
        actual: `${at('application')} of ${count} lost, ${late('application')} late`,
      },
      ...(['ip', 'link'] as const).map((layer) => ({
        that: `loss of the ${layer} loses no ping; some are late`,
        holds: !loses(layer) || !patient || (at(layer) === 0 && late(layer) > 0),
        actual: `${at(layer)} of ${count} lost, ${late(layer)} late`,
      })),
    ]
  },
})

/** Whether a link's frame number so much is one of a share: a hash that spreads evenly. */
function isLost(index: number, share: number): boolean {
  let hash = Math.imul(index ^ (index >>> 16), 0x45d9f3b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000 < share
}
