import { describe, expect, test } from 'vitest'
import { formatIp } from '../../../protocols/address.ts'
import {
  createDhcpServer,
  type DhcpServerConfig,
  dhcpServer,
} from '../../../protocols/dhcp/server.ts'
import type { DhcpMessage, DhcpOptions, DhcpType } from '../../../protocols/dhcp/message.ts'
import { applicationTimeline } from '../../application-timeline.ts'
import { addr, datagram, message, opened, sentText, SERVER } from './fixture.ts'

const OTHER = '02:00:00:00:00:0d'
const CONFIG: DhcpServerConfig = {
  address: SERVER,
  prefixLength: 24,
  from: addr('10.0.0.100'),
  to: addr('10.0.0.102'),
  routers: [SERVER],
  dns: [],
  domainName: 'lan',
  leaseSeconds: 100,
  reservations: [{ hardware: '02:00:00:00:00:0e', address: addr('10.0.0.101') }],
}

type Said = readonly [
  at: number,
  type: DhcpType,
  options?: Partial<DhcpOptions>,
  fields?: Partial<DhcpMessage>,
]

/** What the server answers to a list of messages. */
const answers = (said: readonly Said[], config = CONFIG): string =>
  applicationTimeline(
    dhcpServer,
    () => createDhcpServer(config),
    [
      [0, { kind: 'start' }],
      [0, opened],
      ...said.map(
        ([at, type, options, fields]) =>
          [at, datagram(message(type, 1, fields, options), 0)] as const,
      ),
    ],
    1e5,
    {
      call: sentText,
      report: (report) =>
        report.kind === 'leased'
          ? `= leased ${formatIp(report.binding.address)} until ${report.binding.until / 1e9}`
          : `= ${report.kind}`,
    },
  )

const a = addr('10.0.0.100')
const ask = { requestedAddress: a, serverId: SERVER }

test('discover, offer, request, ack', () => {
  expect(
    answers([
      [1, 'discover'],
      [2, 'request', ask],
    ]),
  ).toMatchInlineSnapshot(`
    "            1  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                2  > ack to 255.255.255.255:68 your 10.0.0.100 for 100 s
                2  = leased 10.0.0.100 until 102"
  `)
})

describe('which address is offered', () => {
  test('the same one again to the same client, the next one to another', () => {
    expect(
      answers([
        [1, 'discover'],
        [2, 'discover'],
        [3, 'discover', {}, { hardware: OTHER }],
      ]),
    ).toMatchInlineSnapshot(`
      "            1  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                  2  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                  3  > offer to 255.255.255.255:68 your 10.0.0.102 for 100 s"
    `)
  })
  test('the one it asks for, where that is free and in the pool', () => {
    expect(
      answers([
        [1, 'discover', { requestedAddress: addr('10.0.0.102') }],
        [2, 'discover', { requestedAddress: addr('10.0.0.50') }, { hardware: OTHER }],
      ]),
    ).toMatchInlineSnapshot(`
      "            1  > offer to 255.255.255.255:68 your 10.0.0.102 for 100 s
                  2  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s"
    `)
  })
  test('its reservation, which nobody else gets', () => {
    const others = ['02:00:00:00:01:01', '02:00:00:00:01:02', '02:00:00:00:01:03']
    expect(
      answers([
        ...others.map((hardware, i): Said => [i, 'discover', {}, { hardware }]),
        [5, 'discover', {}, { hardware: '02:00:00:00:00:0e' }],
      ]),
    ).toMatchInlineSnapshot(`
      "            0  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                  1  > offer to 255.255.255.255:68 your 10.0.0.102 for 100 s
                  2  = exhausted
                  5  > offer to 255.255.255.255:68 your 10.0.0.101 for 100 s"
    `)
  })
  test('an offer that nobody takes up is free again a minute later', () => {
    expect(
      answers([
        [0, 'discover'],
        [61, 'discover', {}, { hardware: OTHER }],
      ]),
    ).toMatchInlineSnapshot(`
      "            0  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                 61  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s"
    `)
  })
  test('a client identifier counts in the place of the hardware address', () => {
    const clientId = Uint8Array.of(1, 2, 3)
    expect(
      answers([
        [0, 'discover', { clientId }],
        [1, 'discover', { clientId }, { hardware: OTHER }],
      ]),
    ).toMatchInlineSnapshot(`
      "            0  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                  1  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s"
    `)
  })
})

describe('renewal', () => {
  const held: Said[] = [
    [1, 'discover'],
    [2, 'request', ask],
  ]
  test('from the address itself, by unicast', () => {
    expect(answers([...held, [50, 'request', {}, { clientAddress: a }]])).toContain(
      '50  > ack to 10.0.0.100:68 from 10.0.0.100 your 10.0.0.100 for 100 s',
    )
  })
  test('of what was never granted here: silence', () => {
    const lines = answers([[50, 'request', {}, { clientAddress: a }]])
    expect(lines).toBe('')
  })
  test('of what somebody else has by now: no', () => {
    const lines = answers([...held, [50, 'request', {}, { clientAddress: a, hardware: OTHER }]])
    expect(lines.split('\n').at(-1)).toContain('> nak to 255.255.255.255:68')
  })
  test('a lease that ended is free', () => {
    expect(
      answers([...held, [103, 'discover', {}, { hardware: OTHER }]])
        .split('\n')
        .at(-1),
    ).toContain('your 10.0.0.100')
  })
})

describe('a client that has been elsewhere', () => {
  test('asks for an address of another network: no', () => {
    expect(
      answers([[1, 'request', { requestedAddress: addr('192.168.7.7') }]]),
    ).toMatchInlineSnapshot(
      `"            1  > nak to 255.255.255.255:68 "wrong network" broadcast"`,
    )
  })
  test('asks for one of this network that is not known here: silence', () => {
    expect(answers([[1, 'request', { requestedAddress: a }]])).toBe('')
  })
  test('asks for another one than it has: no', () => {
    const lines = answers([
      [1, 'discover'],
      [2, 'request', ask],
      [3, 'request', { requestedAddress: addr('10.0.0.102') }],
    ])
    expect(lines.split('\n').at(-1)).toContain('> nak')
  })
})

test('the client took another server: the offered address is free', () => {
  expect(
    answers([
      [1, 'discover'],
      [2, 'request', { requestedAddress: addr('10.0.0.7'), serverId: addr('10.0.0.2') }],
      [3, 'discover', {}, { hardware: OTHER }],
    ]),
  ).toContain('3  > offer to 255.255.255.255:68 your 10.0.0.100')
})

test('a declined address is left alone for ten minutes, a released one is free at once', () => {
  expect(
    answers([
      [1, 'discover'],
      [2, 'request', ask],
      [3, 'decline', ask],
      [4, 'discover'],
      [5, 'request', { requestedAddress: addr('10.0.0.102'), serverId: SERVER }],
      [6, 'release', { serverId: SERVER }, { clientAddress: addr('10.0.0.102') }],
      [7, 'discover', {}, { hardware: OTHER }],
      [700, 'discover', {}, { hardware: '02:00:00:00:01:01' }],
    ]),
  ).toMatchInlineSnapshot(`
    "            1  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s
                2  > ack to 255.255.255.255:68 your 10.0.0.100 for 100 s
                2  = leased 10.0.0.100 until 102
                3  = declined
                4  > offer to 255.255.255.255:68 your 10.0.0.102 for 100 s
                5  > ack to 255.255.255.255:68 your 10.0.0.102 for 100 s
                5  = leased 10.0.0.102 until 105
                6  = released
                7  > offer to 255.255.255.255:68 your 10.0.0.102 for 100 s
              700  > offer to 255.255.255.255:68 your 10.0.0.100 for 100 s"
  `)
})

test('a pool that is empty says nothing on the wire', () => {
  const config = { ...CONFIG, to: CONFIG.from }
  expect(
    answers(
      [
        [1, 'discover'],
        [2, 'discover', {}, { hardware: OTHER }],
      ],
      config,
    )
      .split('\n')
      .at(-1),
  ).toContain('exhausted')
})

test('parameters without a lease (DHCPINFORM)', () => {
  expect(answers([[1, 'inform', {}, { clientAddress: addr('10.0.0.7') }]])).toMatchInlineSnapshot(
    `"            1  > ack to 10.0.0.7:68 from 10.0.0.7"`,
  )
})

test('through a relay', () => {
  expect(answers([[1, 'discover', {}, { relay: addr('10.9.9.9') }]])).toContain(
    '> offer to 10.9.9.9:67',
  )
})
