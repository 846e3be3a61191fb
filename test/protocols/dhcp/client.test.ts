import { describe, expect, test } from 'vitest'
import type { ApplicationInput } from '../../../protocols/application.ts'
import {
  createDhcpClient,
  type DhcpClientCommand,
  dhcpClient,
} from '../../../protocols/dhcp/client.ts'
import { parseDhcp } from '../../../protocols/dhcp/codec.ts'
import type { DhcpMessage, DhcpOptions, DhcpType, Lease } from '../../../protocols/dhcp/message.ts'
import { type Script, applicationTimeline } from '../../application-timeline.ts'
import {
  addr,
  ADDRESS,
  datagram,
  lease,
  MAC,
  message,
  opened,
  reportText,
  sentText,
  SERVER,
} from './fixture.ts'

const SEED = 1

/** The transaction number of what the client of this seed sent last by then. */
function transactionAt(at: number, script: Script<DhcpClientCommand>, remembered: Lease | null) {
  let last = 0
  applicationTimeline(dhcpClient, () => createDhcpClient(MAC, SEED, remembered), script, at, {
    call: (call) => {
      const parsed = call.kind === 'send-to' ? parseDhcp(call.bytes) : null
      if (parsed?.ok === true) last = parsed.value.transaction
      return null
    },
    report: () => null,
  })
  return last
}

type Told = readonly [at: number, input: ApplicationInput<DhcpClientCommand> | Answer]
/** A server's answer; it carries the number of the client's last message, unless it has its own. */
interface Answer {
  readonly type: DhcpType
  readonly fields?: Partial<DhcpMessage>
  readonly options?: Partial<DhcpOptions>
}

function timeline(told: readonly Told[], until: number, remembered: Lease | null = null): string {
  const script: Script<DhcpClientCommand>[number][] = [
    [0, { kind: 'start' }],
    [0, opened],
  ]
  for (const [at, given] of told) {
    if ('kind' in given) {
      script.push([at, given])
      continue
    }
    const transaction = transactionAt(at, script, remembered)
    const fields = { reply: true, yourAddress: ADDRESS, ...given.fields }
    const options = { serverId: SERVER, leaseSeconds: 800, mask: addr('255.255.255.0') }
    const all = { ...options, ...given.options }
    script.push([at, datagram(message(given.type, transaction, fields, all))])
  }
  const create = () => createDhcpClient(MAC, SEED, remembered)
  return applicationTimeline(dhcpClient, create, script, until, {
    call: sentText,
    report: reportText,
  })
}

const free: ApplicationInput<DhcpClientCommand> = {
  kind: 'command',
  command: { kind: 'checked', free: true },
}
const taken: ApplicationInput<DhcpClientCommand> = {
  kind: 'command',
  command: { kind: 'checked', free: false },
}
const release: ApplicationInput<DhcpClientCommand> = {
  kind: 'command',
  command: { kind: 'release' },
}
const BOUND: readonly Told[] = [
  [1, { type: 'offer' }],
  [2, { type: 'ack' }],
  [3, free],
]

test('nobody answers: again after 4, 8, 16, 32, 64 s, each a second more or less', () => {
  const sent = timeline([], 200).split('\n').slice(1)
  expect(sent.every((line) => line.includes('> discover to 255.255.255.255:67'))).toBe(true)
  const times = sent.map((line) => Number.parseFloat(line))
  const waits = times.slice(1).map((at, i) => at - times[i]!)
  expect(waits).toHaveLength(6)
  for (const [i, wait] of waits.entries()) {
    expect(Math.abs(wait - [4, 8, 16, 32, 64, 64][i]!)).toBeLessThanOrEqual(1)
  }
  expect(new Set(waits.map((wait) => wait % 1)).size).toBeGreaterThan(4)
})

test('offer, request, ack, and the address is looked for before it is used', () => {
  expect(timeline(BOUND, 300)).toMatchInlineSnapshot(`
    "            0  = SELECTING
                0  > discover to 255.255.255.255:67 broadcast
                1  = REQUESTING
                1  > request to 255.255.255.255:67 ask 10.0.0.100 of 10.0.0.1 secs 1 broadcast
                2  = CHECKING
                2  = check 10.0.0.100
                3  = BOUND
                3  = bound 10.0.0.100/24 401 701 801"
  `)
})

test('half of the lease: its server is asked; at seven eighths everybody; then it is over', () => {
  expect(timeline(BOUND, 810)).toMatchInlineSnapshot(`
    "            0  = SELECTING
                0  > discover to 255.255.255.255:67 broadcast
                1  = REQUESTING
                1  > request to 255.255.255.255:67 ask 10.0.0.100 of 10.0.0.1 secs 1 broadcast
                2  = CHECKING
                2  = check 10.0.0.100
                3  = BOUND
                3  = bound 10.0.0.100/24 401 701 801
              401  = RENEWING
              401  > request to 10.0.0.1:67 from 10.0.0.100
              551  > request to 10.0.0.1:67 from 10.0.0.100 secs 150
              626  > request to 10.0.0.1:67 from 10.0.0.100 secs 225
              686  > request to 10.0.0.1:67 from 10.0.0.100 secs 285
              701  = REBINDING
              701  > request to 255.255.255.255:67 from 10.0.0.100 secs 300
              761  > request to 255.255.255.255:67 from 10.0.0.100 secs 360
              801  = lost 10.0.0.100: expired
              801  = SELECTING
              801  > discover to 255.255.255.255:67 broadcast
    805.604660962  > discover to 255.255.255.255:67 secs 4 broadcast"
  `)
})

test('a renewed lease counts from the request', () => {
  expect(timeline([...BOUND, [402.5, { type: 'ack' }]], 500)).toMatchInlineSnapshot(`
    "            0  = SELECTING
                0  > discover to 255.255.255.255:67 broadcast
                1  = REQUESTING
                1  > request to 255.255.255.255:67 ask 10.0.0.100 of 10.0.0.1 secs 1 broadcast
                2  = CHECKING
                2  = check 10.0.0.100
                3  = BOUND
                3  = bound 10.0.0.100/24 401 701 801
              401  = RENEWING
              401  > request to 10.0.0.1:67 from 10.0.0.100
            402.5  = BOUND
            402.5  = renewed 10.0.0.100/24 801 1101 1201"
  `)
})

test('an answer with another transaction number renews nothing', () => {
  const foreign: Told = [402.5, { type: 'ack', fields: { transaction: 5 } }]
  expect(timeline([...BOUND, foreign], 500)).not.toContain('renewed')
})

describe('a request', () => {
  test('is given up after four tries, and the client asks anew', () => {
    const lines = timeline([[1, { type: 'offer' }]], 70).split('\n')
    const tries = lines.filter((line) => line.includes('> request'))
    expect(tries).toHaveLength(4)
    expect(lines.at(-1)).toContain('> discover')
  })

  test('that is denied begins from the start', () => {
    expect(
      timeline(
        [
          [1, { type: 'offer' }],
          [2, { type: 'nak', fields: { yourAddress: 0 } }],
        ],
        4,
      ),
    ).toMatchInlineSnapshot(`
      "            0  = SELECTING
                  0  > discover to 255.255.255.255:67 broadcast
                  1  = REQUESTING
                  1  > request to 255.255.255.255:67 ask 10.0.0.100 of 10.0.0.1 secs 1 broadcast
                  2  = SELECTING
                  2  > discover to 255.255.255.255:67 broadcast"
    `)
  })

  test('is answered by the chosen server alone', () => {
    const other = { serverId: addr('10.0.0.2') }
    const told: Told[] = [
      [1, { type: 'offer' }],
      [2, { type: 'ack', options: other }],
      [2.5, { type: 'nak', options: other }],
    ]
    expect(timeline(told, 3)).not.toMatch(/BOUND|INIT|CHECKING/)
  })
})

test('somebody has the address: declined, and asked again 10 s later', () => {
  expect(timeline([...BOUND.slice(0, 2), [3, taken]], 14)).toMatchInlineSnapshot(`
    "            0  = SELECTING
                0  > discover to 255.255.255.255:67 broadcast
                1  = REQUESTING
                1  > request to 255.255.255.255:67 ask 10.0.0.100 of 10.0.0.1 secs 1 broadcast
                2  = CHECKING
                2  = check 10.0.0.100
                3  > decline to 255.255.255.255:67 ask 10.0.0.100 of 10.0.0.1 secs 3 broadcast
                3  = INIT
               13  = SELECTING
               13  > discover to 255.255.255.255:67 broadcast"
  `)
})

test('a lease that is denied when it is to be renewed is lost at once', () => {
  const nak: Told = [402.5, { type: 'nak', fields: { yourAddress: 0 } }]
  expect(
    timeline([...BOUND, nak], 403)
      .split('\n')
      .slice(-4)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "          401  > request to 10.0.0.1:67 from 10.0.0.100
            402.5  = lost 10.0.0.100: nak
            402.5  = SELECTING
            402.5  > discover to 255.255.255.255:67 broadcast"
  `)
})

test('a lease that ends never is not renewed', () => {
  const told = BOUND.map(([at, given]): Told =>
    'kind' in given ? [at, given] : [at, { ...given, options: { leaseSeconds: 0xffffffff } }],
  )
  expect(timeline(told, 1e6).split('\n').at(-1)).toContain('bound 10.0.0.100/24 Infinity')
})

test('given back, and nothing more is said', () => {
  expect(
    timeline([...BOUND, [10, release]], 5000)
      .split('\n')
      .slice(-4)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "            3  = bound 10.0.0.100/24 401 701 801
               10  > release to 10.0.0.1:67 from 10.0.0.100 of 10.0.0.1 secs 10
               10  = lost 10.0.0.100: released
               10  = RELEASED"
  `)
})

describe('after a restart with a lease that still runs', () => {
  test('it is asked for again, without naming a server', () => {
    const told: Told[] = [
      [0.5, { type: 'ack' }],
      [1, free],
    ]
    expect(timeline(told, 10, lease(900))).toMatchInlineSnapshot(`
      "            0  = REBOOTING
                  0  > request to 255.255.255.255:67 ask 10.0.0.100 broadcast
                0.5  = CHECKING
                0.5  = check 10.0.0.100
                  1  = BOUND
                  1  = bound 10.0.0.100/24 400 700 800"
    `)
  })

  test('it is used on when nobody answers', () => {
    const lines = timeline([], 100, lease(900)).split('\n')
    expect(lines.filter((line) => line.includes('> request'))).toHaveLength(4)
    expect(lines.at(-1)).toContain('bound 10.0.0.100/24 450 787.5 900')
  })

  test('a no brings a new one', () => {
    const lines = timeline([[0.5, { type: 'nak' }]], 1, lease(900)).split('\n')
    expect(lines.at(-1)).toContain('> discover')
    expect(lines.join()).not.toContain('lost') // it was not in use
  })

  test('one that has ended is forgotten', () => {
    expect(timeline([], 1, lease(900, 0))).toContain('> discover')
  })
})
