import { expect, test } from 'vitest'
import { formatIp, ip, type Ipv4Address } from '../../protocols/address.ts'
import { createDhcpServer, dhcpServer } from '../../protocols/dhcp/server.ts'
import type { Host } from '../../sim/programs.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario } from '../../sim/scenario.ts'

const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address

const CONFIG = {
  address: addr('10.0.0.1'),
  prefixLength: 24,
  from: addr('10.0.0.100'),
  to: addr('10.0.0.110'),
  routers: [addr('10.0.0.1')],
  dns: [],
  domainName: null,
  leaseSeconds: 1000,
  reservations: [],
}

const serve = (host: Host): void => {
  host.run(dhcpServer, createDhcpServer(CONFIG), (report) => {
    if (report.kind === 'declined') host.note('declined', formatIp(report.address))
    if (report.kind === 'released') host.note('released', formatIp(report.address))
  })
}

const noteAddress = async (host: Host): Promise<void> => {
  const lease = await host.dhcp().ready()
  host.note(host.name, formatIp(lease.address))
}

test('several clients on a lossy link: each has an address of its own', async () => {
  const clients = ['a', 'b', 'c', 'd'] as const
  const scenario = defineScenario({
    name: 'clients',
    topology: { s: 'switch', server: 'host', a: 'host', b: 'host', c: 'host', d: 'host' },
    links: [
      { ends: { server: '10.0.0.1/24', s: null } },
      ...clients.map((name) => ({ ends: { [name]: null, s: null }, loss: '20%', delay: '1ms' })),
    ],
    programs: { server: serve, a: noteAddress, b: noteAddress, c: noteAddress, d: noteAddress },
    until: '300s',
  })
  for (const recorded of [false, true]) {
    const { notes } = await runScenario(scenario, { seed: '3', recorded })
    const given = clients.map((name) => notes[name])
    expect(new Set(given).size).toBe(4)
    expect(given.every((text) => /^10\.0\.0\.10\d$/.test(String(text)))).toBe(true)
  }
})

test('somebody uses the offered address without asking: it is declined, and another one taken', async () => {
  const scenario = defineScenario({
    name: 'squatter',
    topology: { s: 'switch', server: 'host', squatter: 'host', client: 'host' },
    links: [
      { ends: { server: '10.0.0.1/24', s: null } },
      { ends: { squatter: '10.0.0.100/24', s: null } },
      { ends: { client: null, s: null } },
    ],
    programs: { server: serve, client: noteAddress },
    until: '100s',
  })
  const { notes } = await runScenario(scenario, { seed: '1' })
  expect(notes).toMatchObject({ declined: '10.0.0.100', client: '10.0.0.101' })
})

test('a host that crashed asks for its lease again, and uses it while the server is away', async () => {
  const scenario = defineScenario({
    name: 'reboot',
    topology: { server: 'host', client: 'host' },
    links: [{ ends: { server: '10.0.0.1/24', client: null } }],
    programs: {
      server: serve,
      client: async (host) => {
        const lease = await host.dhcp().ready()
        host.note(`boot ${host.boots}`, formatIp(lease.address))
        host.mark(`boot ${host.boots}`)
      },
    },
    faults: [
      { at: '20s', crash: 'client', for: '1s' },
      { at: '40s', crash: 'server' },
      { at: '50s', crash: 'client', for: '1s' },
    ],
    until: '200s',
  })
  const { notes, marks } = await runScenario(scenario, { seed: '1' })
  expect(notes).toMatchObject({
    'boot 1': '10.0.0.100',
    'boot 2': '10.0.0.100',
    'boot 3': '10.0.0.100',
  })
  // The server confirms it at once; without one, four requests go unanswered first (RFC 2131 §3.2).
  expect(marks['boot 2']! / 1e9).toBeLessThan(21 + 8)
  expect(marks['boot 3']! / 1e9).toBeGreaterThan(51 + 4 + 8 + 16 + 32 - 4)
})

test('an address that was given back is no longer ours, and its connections are over', async () => {
  const scenario = defineScenario({
    name: 'release',
    topology: { server: 'host', client: 'host' },
    links: [{ ends: { server: '10.0.0.1/24', client: null } }],
    programs: {
      server: (host) => {
        serve(host)
        host.serve('echo')
      },
      client: async (host) => {
        const dhcp = host.dhcp()
        await dhcp.ready()
        const socket = await host.connect('10.0.0.1', 7)
        dhcp.release()
        host.note('connection', await socket.receive().then(String, (e: Error) => e.message))
        host.note('lease', dhcp.lease === null ? 'none' : 'held')
      },
    },
    until: '100s',
  })
  const { notes } = await runScenario(scenario, { seed: '1' })
  expect(notes['lease']).toBe('none')
  expect(notes['released']).toBe('10.0.0.100')
  expect(notes['connection']).toContain('EADDRNOTAVAIL')
})

test('an address that was never used is given back, too', async () => {
  const scenario = defineScenario({
    name: 'unused',
    topology: { server: 'host', client: 'host' },
    links: [{ ends: { server: '10.0.0.1/24', client: null }, delay: '5ms' }],
    programs: {
      server: serve,
      client: async (host) => {
        const dhcp = host.dhcp()
        await dhcp.ready()
        host.mark('ready')
        const lost = dhcp.lost().then(() => host.mark('lost'))
        dhcp.release()
        await lost
      },
    },
    until: '10s',
  })
  for (const recorded of [false, true]) {
    const { notes, marks } = await runScenario(scenario, { seed: '1', recorded })
    expect(notes['released']).toBe('10.0.0.100')
    expect(marks['lost']).toBe(marks['ready'])
  }
})

test('port 68 is taken: said to whoever waits', async () => {
  const scenario = defineScenario({
    name: 'taken',
    topology: { server: 'host', client: 'host' },
    links: [{ ends: { server: '10.0.0.1/24', client: null } }],
    programs: {
      client: async (host) => {
        host.udp(68)
        host.note(
          'said',
          await host
            .dhcp()
            .ready()
            .then(String, (e: Error) => e.message),
        )
      },
    },
    until: '1s',
  })
  const { notes } = await runScenario(scenario, { seed: '1' })
  expect(notes['said']).toBe('EADDRINUSE: DHCP needs UDP port 68')
})
