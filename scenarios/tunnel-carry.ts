import { ip, type Ipv4Address } from '../protocols/address.ts'
import type { IpAddress } from '../protocols/address.ts'
import { toHex } from '../protocols/bytes.ts'
import { Sha256 } from '../protocols/sha256.ts'
import { carryEngine } from '../protocols/tunnel/carry.ts'
import { CARRY_DEFAULTS, createCarry } from '../protocols/tunnel/carry-state.ts'
import type { CarryOrder } from '../protocols/tunnel/outbound.ts'
import { choice, duration, flag, ratio, size } from '../sim/params.ts'
import type { Host, PingResult } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 5000
const [NORTH, SOUTH] = ['10.1.0.10', '10.2.0.10']
const PINGS = 50
/** By then the tunnel has found out what the path takes. */
const FOUND = '2s'

export default defineScenario({
  name: 'tunnel-carry',
  about: `Two sites, each behind a gateway with a TUN, and a long lossy link between the gateways. What one
    site sends to the other is routed into the TUN; the tunnel numbers it, seals it, carries it in IP
    packets of protocol 253, and sends again what is lost, so that ping and TCP inside see almost none
    of the loss. With --set tunnel=false the same packets take the same link without it. --set order=all
    makes every packet wait for every other, --set order=none lets them overtake each other.`,
  params: {
    tunnel: flag(true, 'packets between the sites take the tunnel'),
    order: choice(['flow', 'all', 'none'], 'which packets stay in order'),
    bytes: size('1MB', 'over TCP, from north to south'),
    loss: ratio('5%', 'of frames between the gateways, each way'),
    delay: duration('20ms', 'between the gateways, each way'),
    mtu: size('1500B', 'of the link between the gateways'),
  },
  topology: ({ tunnel }) => ({
    north: 'host',
    a: {
      kind: 'router',
      tun: '10.9.0.1/30',
      routes: tunnel ? ['10.2.0.0/24 via 10.9.0.2'] : [],
    },
    b: {
      kind: 'router',
      tun: '10.9.0.2/30',
      routes: tunnel ? ['10.1.0.0/24 via 10.9.0.1'] : [],
    },
    south: 'host',
  }),
  links: ({ loss, delay, mtu }) => [
    { ends: { north: `${NORTH}/24`, a: '10.1.0.1/24' }, rate: '1Gbit', delay: '100us' },
    {
      ends: { a: '192.0.2.1/30', b: '192.0.2.2/30' },
      rate: '20Mbit',
      queue: '200 frames',
      loss,
      delay,
      to: { b: { mtu }, a: { mtu } },
    },
    { ends: { b: '10.2.0.1/24', south: `${SOUTH}/24` }, rate: '1Gbit', delay: '100us' },
  ],
  programs: ({ tunnel, order, bytes }) => {
    const users = { left: 2 }
    return {
      a: (host) => (tunnel ? carry(host, ip('192.0.2.2'), order, users) : undefined),
      b: (host) => (tunnel ? carry(host, ip('192.0.2.1'), order, users) : undefined),
      north: [
        async (host) => {
          await host.sleep(FOUND)
          const answers: Promise<PingResult | null>[] = []
          for (let i = 0; i < PINGS; i++) {
            answers.push(host.ping(SOUTH, { timeout: '2s' }))
            await host.sleep('20ms')
          }
          const answered = (await Promise.all(answers)).filter((each) => each !== null)
          host.note('pings answered', answered.length)
          for (const { rtt } of answered) host.sample('ping', rtt)
          users.left -= 1
        },
        async (host) => {
          await host.sleep(FOUND)
          const socket = await host.connect(SOUTH, PORT)
          const content = contentOf(bytes)
          host.note('sent', toHex(new Sha256().update(content).digest()))
          await socket.send(content)
          socket.shutdown()
          await socket.receive()
          host.mark('carried')
          host.note('segments that TCP sent again', socket.info().tcpi_total_retrans)
          socket.close()
          users.left -= 1
        },
      ],
      south: async (host) => {
        const socket = await host.listen(PORT).accept()
        const hash = new Sha256()
        for await (const part of socket) hash.update(part)
        host.note('received', toHex(hash.digest()))
        socket.close()
      },
    }
  },
  until: '120s',
  expect: ({ notes }, { tunnel, loss }) => [
    {
      that: 'what arrives is what was sent',
      holds: notes['received'] !== undefined && notes['received'] === notes['sent'],
    },
    ...(tunnel && loss <= 0.2
      ? [
          {
            that: 'every ping is answered',
            holds: notes['pings answered'] === PINGS,
            actual: `${notes['pings answered'] ?? 0} of ${PINGS}`,
          },
        ]
      : []),
  ],
})

const contentOf = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff)

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 200 - i)

async function carry(
  host: Host,
  peer: IpAddress,
  order: CarryOrder,
  users: { readonly left: number },
): Promise<void> {
  const draw = host.random('tunnel')
  const random = Uint8Array.from({ length: 32 }, () => Math.floor(draw() * 256))
  const inside = ip(host.name === 'a' ? '10.9.0.1' : '10.9.0.2') as Ipv4Address
  // A higher one after each crash.
  const epoch = host.boots * 1e6
  const config = { ...CARRY_DEFAULTS, peer, order, key: KEY, random, epoch, inside }
  const tunnel = host.run(carryEngine(null), createCarry(config), (report) => {
    if (report.kind === 'up') host.mark(`${host.name} is up`)
    if (report.kind === 'up' || report.kind === 'mtu') host.note(`mtu at ${host.name}`, report.mtu)
    if (report.kind === 'closed') {
      host.note(`sent again by ${host.name}`, report.counters.resent)
      host.note(`given up by ${host.name}`, report.counters.givenUp)
    }
  })
  while (users.left > 0) await host.sleep('100ms')
  tunnel.command('stop')
}
