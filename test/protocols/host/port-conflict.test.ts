import { describe, expect, test } from 'vitest'
import type { IpAddress } from '../../../protocols/address.ts'
import type { SocketCall, SocketSetting } from '../../../protocols/host/socket.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import { addr, hostTimeline, OWN, packet, type Script } from './host-timeline.ts'

// Who may be bound where another socket is. What is expected here is what Linux 6.18 does.

const PORT = 80
/** The other address of the host. */
const OTHER = addr('10.0.9.1')

type Option = 'SO_REUSEADDR' | 'SO_REUSEPORT'
interface Wish {
  readonly address: IpAddress | null
  readonly options?: readonly Option[]
  readonly listens?: boolean
}

function callsOf(socket: number, protocol: 'tcp' | 'udp', wish: Wish): SocketCall[] {
  const { address, options = [], listens = false } = wish
  return [
    { kind: 'open', protocol },
    ...options.map((option): SocketCall => ({ kind: 'set', socket, option, value: 1 })),
    { kind: 'bind', socket, address, port: PORT },
    ...(listens ? [{ kind: 'listen', socket, backlog: 1 } as const] : []),
  ]
}

/** What is refused when these come one after the other, in place and recorded. */
function refusals(protocol: 'tcp' | 'udp', ...wishes: readonly Wish[]): readonly string[] {
  const calls = wishes.flatMap((wish, socket) => callsOf(socket, protocol, wish))
  const lines = hostTimeline(
    calls.map((call) => [0, { call }] as const),
    { router: true },
  ).split('\n')
  return lines.flatMap((line) => /socket \d refuses .*/.exec(line)?.[0] ?? [])
}

const REUSE = ['SO_REUSEADDR'] as const
const SPREAD = ['SO_REUSEPORT'] as const
const TAKEN = ['socket 1 refuses bind: EADDRINUSE']

describe.each(['tcp', 'udp'] as const)('%s sockets on one port', (protocol) => {
  test.each([
    ['the same address', OWN, OWN],
    ['any address, then a specific one', null, OWN],
    ['a specific one, then any', OWN, null],
  ])('%s: both have to have SO_REUSEADDR', (_, address, second) => {
    const play = (a: readonly Option[], b: readonly Option[]) =>
      refusals(protocol, { address, options: a }, { address: second, options: b })
    expect(play([], [])).toEqual(TAKEN)
    expect(play(REUSE, [])).toEqual(TAKEN)
    expect(play([], REUSE)).toEqual(TAKEN)
    expect(play(REUSE, REUSE)).toEqual([])
  })

  test('two addresses are not in each other’s way', () => {
    expect(refusals(protocol, { address: OWN }, { address: OTHER })).toEqual([])
  })

  test('SO_REUSEPORT has to be on at both, and is not the other one', () => {
    const play = (a: readonly Option[], b: readonly Option[]) =>
      refusals(protocol, { address: OWN, options: a }, { address: OWN, options: b })
    expect(play(SPREAD, SPREAD)).toEqual([])
    expect(play(SPREAD, [])).toEqual(TAKEN)
    expect(play(SPREAD, REUSE)).toEqual(TAKEN)
    expect(play(REUSE, SPREAD)).toEqual(TAKEN)
  })
})

test('nobody is bound beside a listener, SO_REUSEADDR or not', () => {
  for (const [first, second] of [
    [OWN, OWN],
    [null, OWN],
    [OWN, null],
  ] as const) {
    const listener = { address: first, options: REUSE, listens: true }
    expect(refusals('tcp', listener, { address: second, options: REUSE })).toEqual(TAKEN)
  }
  const listener = { address: OWN, options: REUSE, listens: true }
  expect(refusals('tcp', listener, { address: OTHER, options: REUSE, listens: true })).toEqual([])
})

test('of two that are bound to one port, one may listen', () => {
  const script: Script = [
    ...callsOf(0, 'tcp', { address: OWN, options: REUSE }),
    ...callsOf(1, 'tcp', { address: null, options: REUSE }),
    { kind: 'listen', socket: 1, backlog: 1 } as const,
    { kind: 'listen', socket: 0, backlog: 1 } as const,
    // The other one goes: then it may.
    { kind: 'close', socket: 1 } as const,
    { kind: 'listen', socket: 0, backlog: 1 } as const,
  ].map((call) => [0, { call }])
  expect(hostTimeline(script)).toMatchInlineSnapshot(`
    "     0  = socket 0 opened tcp
         0  = socket 1 opened tcp
         0  = socket 0 refuses listen: EADDRINUSE
         0  = socket 1 closed"
  `)
})

test('listeners with SO_REUSEPORT share an address and port', () => {
  const wish = { address: OWN, options: SPREAD, listens: true }
  expect(refusals('tcp', wish, wish)).toEqual([])
})

test('a connected UDP socket keeps its port', () => {
  const script = (options: readonly Option[]): Script =>
    [
      ...callsOf(0, 'udp', { address: OWN, options }),
      {
        kind: 'connect',
        socket: 0,
        remote: { address: addr('10.0.0.2'), port: 9 },
      } as const,
      ...callsOf(1, 'udp', { address: null, options }),
    ].map((call) => [0, { call }])
  expect(hostTimeline(script([]))).toMatch(/socket 1 refuses bind: EADDRINUSE/)
  expect(hostTimeline(script(REUSE))).not.toMatch(/refuses/)
})

describe('UDP sockets that share', () => {
  const hears = (wishes: readonly Wish[], to: IpAddress = OWN, from = 7): readonly string[] => {
    const calls = wishes.flatMap((wish, socket) => callsOf(socket, 'udp', wish))
    const datagram = new UdpDatagram(from, PORT, new Uint8Array(3))
    const script: Script = [
      ...calls.map((call) => [0, { call }] as const),
      [1, { packet: packet(datagram, { destination: to as number }) }],
    ]
    const lines = hostTimeline(script, { router: true }).split('\n')
    return lines.flatMap((line) => /socket (\d) datagram/.exec(line)?.[1] ?? [])
  }

  test('of those with the same address the last one hears', () => {
    const wish = { address: OWN, options: REUSE }
    expect(hears([wish, wish, wish])).toEqual(['2'])
  })

  test('of those with any address the last one hears, and who is bound to this one before them', () => {
    const any = { address: null, options: REUSE }
    expect(hears([any, any])).toEqual(['1'])
    expect(hears([any, { address: OWN, options: REUSE }, any])).toEqual(['1'])
    expect(hears([any, { address: OWN, options: REUSE }, any], OTHER)).toEqual(['2'])
  })

  test('what comes to all is heard by everybody', () => {
    const any = { address: null, options: REUSE }
    const all = addr('10.0.0.255')
    expect(hears([any, any, { address: all, options: REUSE }], all)).toEqual(['2', '0', '1'])
  })

  test('with SO_REUSEPORT each peer has one of them, and they share the peers', () => {
    const wish = { address: OWN, options: SPREAD }
    const chosen = Array.from({ length: 40 }, (_, i) => hears([wish, wish], OWN, 1000 + i)[0])
    expect(chosen.filter((each) => each === '0').length).toBeGreaterThan(10)
    expect(chosen.filter((each) => each === '1').length).toBeGreaterThan(10)
  })
})

test('options are told as they were set, in sockets of both kinds', () => {
  for (const protocol of ['tcp', 'udp'] as const) {
    const settings: readonly SocketSetting[] = [
      { option: 'SO_REUSEADDR', value: 1 },
      { option: 'SO_REUSEPORT', value: 1 },
    ]
    const calls: readonly SocketCall[] = [
      { kind: 'open', protocol },
      ...settings.flatMap((setting): SocketCall[] => [
        { kind: 'get', socket: 0, option: setting.option },
        { kind: 'set', socket: 0, ...setting },
        { kind: 'get', socket: 0, option: setting.option },
      ]),
    ]
    const lines = hostTimeline(calls.map((call) => [0, { call }] as const))
    expect(lines.split('\n').map((line) => line.trim())).toEqual([
      `0  = socket 0 opened ${protocol}`,
      '0  = socket 0 SO_REUSEADDR=0',
      '0  = socket 0 SO_REUSEADDR=1',
      '0  = socket 0 SO_REUSEPORT=0',
      '0  = socket 0 SO_REUSEPORT=1',
    ])
  }
})
