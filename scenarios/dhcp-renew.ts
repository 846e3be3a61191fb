import { ip, type Ipv4Address } from '../protocols/address.ts'
import { createDhcpServer, dhcpServer } from '../protocols/dhcp/server.ts'
import { duration } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'
import { SocketError } from '../sim/socket.ts'

const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address

const CONFIG = {
  address: addr('10.0.0.1'),
  prefixLength: 24,
  from: addr('10.0.0.100'),
  to: addr('10.0.0.199'),
  routers: [addr('10.0.0.1')],
  dns: [],
  domainName: 'lan',
  reservations: [],
}

const reasonOf = (error: unknown): string => (error instanceof SocketError ? error.code : 'fails')

export default defineScenario({
  name: 'dhcp-renew',
  about: `A host without an address gets one on loan. At half of the lease it asks its server to renew
    it, and gets that. Then the link is cut: renewing goes unanswered, at seven eighths of the lease
    everybody is asked, and when it ends the address is gone and with it every connection. The link
    comes back, and the host has an address again, the same one, without anybody's help.`,
  params: {
    lease: duration('240s', 'how long an address is lent'),
    cutAt: duration('200s', 'when the link goes down'),
    cutFor: duration('400s', 'until it is up again'),
    delay: duration('5ms', 'of the link, each way'),
  },
  topology: { client: 'host', server: 'host' },
  links: ({ delay }) => [{ ends: { client: null, server: '10.0.0.1/24' }, delay }],
  programs: ({ lease }) => ({
    server: (host) => {
      let leases = 0
      const state = createDhcpServer({ ...CONFIG, leaseSeconds: Math.floor(lease / 1e9) })
      host.run(dhcpServer, state, (report) => {
        if (report.kind === 'leased') host.note('acknowledged', (leases += 1))
      })
    },
    client: async (host) => {
      const dhcp = host.dhcp({ hostName: 'client' })
      const sent = host.now
      await dhcp.ready()
      host.sample('until the first address', host.now - sent)
      host.mark('first address')
      await dhcp.lost()
      host.mark('address lost')
      host.note('without it', await host.ping('10.0.0.1').then(() => 'sends', reasonOf))
      await dhcp.ready()
      host.mark('address again')
      const pong = await host.ping('10.0.0.1')
      host.note('answered at the end', pong?.kind === 'reply' ? 1 : 0)
    },
  }),
  faults: ({ cutAt, cutFor }) => [{ at: cutAt, link: 'client-server', down: true, for: cutFor }],
  until: '800s',
  expect: [
    { mark: 'first address', within: '15s' },
    // Renewed at 120 s, for another 240 s from there.
    { mark: 'address lost', within: '367s' },
    { mark: 'address again', within: '90s', after: 'faults' },
    { note: 'acknowledged', atLeast: 3 },
    { note: 'answered at the end', equals: 1 },
    { note: 'without it', equals: 'ENETUNREACH' },
  ],
})
