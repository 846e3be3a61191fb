import { ip } from '../../protocols/address.ts'
import { type Claim, codeOf, drain, PORT, same } from './claim.ts'
import { createDialer, dialer } from './dialer.ts'
import { Watch } from './watch.ts'

const PYTCP = { tcp: { profile: 'pytcp' } } as const
/** Everything that a connection's loss recovery has beyond duplicate ACKs is left aside. */
const RENO = { tcp: { congestion: 'reno', sackPermitted: false, rack: false, tlp: false } } as const

/** TCP, with what its author could not test for want of loss and delay. */
export const tcpClaims: readonly Claim[] = [
  {
    name: 'options',
    that: 'MSS, window scale, SACK and timestamps are agreed on',
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const info = (await host.connect(b, PORT)).info()
        tell(host, same([info.tcpi_options & 7, info.tcpi_snd_wscale > 0], [7, true]))
      },
      b: (host) => void host.listen(PORT),
    }),
  },
  {
    name: 'syn-lost',
    that: 'a SYN and its answer that are lost are sent again after a second',
    link: { delay: '10ms', drop: ['1st syn', '1st syn-ack'] },
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const start = host.now
        await host.connect(b, PORT)
        const late = Math.round((host.now - start) / 1e9)
        tell(host, late >= 1 && late <= 4 ? true : `${late} s`)
      },
      b: (host) => void host.listen(PORT),
    }),
  },
  ...(
    [
      ['rto-fixed', 'PyTCP', PYTCP, [1000, 3000, 7000], 15],
      [
        'rto',
        'RFC 6298',
        { tcp: { rack: false, tlp: false } },
        [1000, 3000, 7000, 15_000, 31_000],
        0,
      ],
    ] as const
  ).map(([name, who, spec, times, end]): Claim => ({
    name,
    that: `data into a black hole is sent again after ${times.map((t) => t / 1000).join(', ')} s …, as ${who} has it`,
    a: spec,
    link: { delay: '10ms', schedule: [{ at: '10s', loss: '100%' }] },
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const socket = await host.connect(b, PORT)
        await host.at('11s')
        const watch = new Watch(host, nodeA)
        const start = host.now
        await socket.send('into the dark')
        const failure = end === 0 ? host.at('50s') : socket.receive().catch(codeOf)
        await failure
        const seen = watch.retransmits.slice(0, times.length)
        const given = end === 0 ? [] : [Math.round((host.now - start) / 1e9)]
        tell(
          host,
          same([...seen, ...given], [...times.map((t) => `rto@${t}`), ...(end === 0 ? [] : [end])]),
        )
      },
      b: (host) => void host.listen(PORT),
    }),
  })),
  ...(
    [
      ['fast-retransmit', 'third', RENO, 3],
      ['fast-retransmit-early', 'second (PyTCP)', { tcp: { ...RENO.tcp, dupAckThreshold: 2 } }, 2],
    ] as const
  ).map(([name, which, spec, threshold]): Claim => ({
    name,
    that: `a lost segment is sent again at the ${which} duplicate ACK, not before`,
    a: spec,
    b: spec,
    // So many segments follow the lost one; with one less, the timeout has to do it.
    link: { delay: '10ms', drop: '2nd data segment' },
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const socket = await host.connect(b, PORT)
        const watch = new Watch(host, nodeA)
        await socket.send(new Uint8Array(1448 * (2 + threshold)))
        await host.sleep('5s')
        tell(
          host,
          same(
            watch.retransmits.map((each) => each.split('@')[0]),
            ['fast'],
          ),
        )
        socket.close()
      },
      b: (host) => void drain(host),
    }),
  })),
  {
    name: 'fin-lost',
    that: 'a FIN that is lost is sent again, from FIN-WAIT-1 and from LAST-ACK, and both sides close',
    link: { delay: '10ms', drop: ['1st fin', '3rd fin'] },
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const watch = new Watch(host, nodeA)
        const socket = await host.connect(b, PORT)
        socket.close()
        await host.sleep('70s')
        tell(
          host,
          same(watch.states, [
            'SYN-SENT',
            'ESTABLISHED',
            'FIN-WAIT-1',
            'FIN-WAIT-2',
            'TIME-WAIT',
            'CLOSED',
          ]),
        )
      },
      b: (host) => void drain(host),
    }),
  },
  {
    name: 'simultaneous-open',
    that: 'two that call each other at once have one connection, by way of SYN-RECEIVED',
    link: { delay: '10ms' },
    programs: ({ a, b, nodeA, tell }) => ({
      a: async (host) => {
        const watch = new Watch(host, nodeA)
        await host.at('1s')
        host.run(dialer, createDialer(4000, { address: ip(b), port: 4001 }))
        await host.sleep('1s')
        tell(host, same(watch.states, ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']))
      },
      b: async (host) => {
        await host.at('1s')
        host.run(dialer, createDialer(4001, { address: ip(a), port: 4000 }))
      },
    }),
  },
  {
    name: 'simultaneous-close',
    that: 'two that close at once go through CLOSING to TIME-WAIT',
    link: { delay: '10ms' },
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const watch = new Watch(host, nodeA)
        const socket = await host.connect(b, PORT)
        await host.at('1s')
        socket.close()
        await host.sleep('1s')
        tell(host, same(watch.states.slice(2), ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']))
      },
      b: async (host) => {
        const socket = await host.listen(PORT).accept()
        await host.at('1s')
        socket.close()
      },
    }),
  },
]
