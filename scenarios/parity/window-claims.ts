import { ip } from '../../protocols/address.ts'
import { type Claim, codeOf, drain, PORT, same } from './claim.ts'
import { createDialer, dialer } from './dialer.ts'
import { Watch } from './watch.ts'

const MEGABYTE = 1_000_000
const PYTCP = { tcp: { profile: 'pytcp' } } as const

/** TCP over longer stretches: windows, wrap, speed, ends. */
export const windowClaims: readonly Claim[] = [
  {
    name: 'zero-window',
    that: 'a window that closes is probed, and what waited arrives whole when it opens',
    link: { delay: '10ms' },
    b: { tcp: { receiveBuffer: '8KiB' } },
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const socket = await host.connect(b, PORT)
        const watch = new Watch(host, nodeA)
        void socket.send(new Uint8Array(100_000)).then(() => socket.shutdown())
        await host.at('20s')
        host.storage.set(
          'probes',
          Uint8Array.of(watch.retransmits.filter((r) => r.startsWith('probe')).length),
        )
        const total = await socket.receive()
        const probes = host.storage.get('probes')![0]!
        const text = new TextDecoder().decode((total ?? new Uint8Array(0)) as Uint8Array)
        tell(host, probes >= 2 ? same([text], ['100000']) : `${probes} probes`)
      },
      b: async (host) => {
        const socket = await host.listen(PORT).accept()
        await host.at('30s')
        let bytes = 0
        for await (const piece of socket) bytes += piece.length
        await socket.send(String(bytes))
        socket.close()
      },
    }),
  },
  {
    name: 'wrap',
    that: 'a megabyte goes across the end of the sequence numbers, with 2 % loss',
    link: { delay: '5ms', rate: '100Mbit', loss: '2%' },
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const watch = new Watch(host, nodeA)
        const remote = { address: ip(b), port: PORT }
        const first = host.run(dialer, createDialer(4000, remote))
        await host.sleep('20s')
        first.command('abort')
        // RFC 9293 §3.4.1: initial numbers of one pair of ports grow by one each 4 µs.
        const gap = 2 ** 32 - watch.syn - MEGABYTE / 2
        await host.sleep(Math.max(0, gap) * 4000 - 20e9)
        host.run(dialer, createDialer(4000, remote, MEGABYTE))
        await host.sleep('60s')
        host.storage.set('wrapped', Uint8Array.of(watch.syn > 2 ** 32 - MEGABYTE ? 1 : 0))
        tell(host, host.storage.get('wrapped')![0] === 1 ? true : `began at ${watch.syn}`)
      },
      b: async (host) => {
        const listener = host.listen(PORT)
        await (await listener.accept()).receive().catch(() => null)
        const socket = await listener.accept()
        let bytes = 0
        for await (const piece of socket) bytes += piece.length
        host.note('wrap received', bytes)
        socket.close()
      },
    }),
  },
  {
    name: 'speed',
    that: 'a connection carries more than one segment a millisecond (11.7 Mbit/s, PyTCP’s ceiling)',
    link: { delay: '1ms', rate: '1Gbit' },
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const socket = await host.connect(b, PORT)
        const start = host.now
        await socket.send(new Uint8Array(20 * MEGABYTE))
        socket.shutdown()
        await socket.receive()
        const rate = (20 * MEGABYTE * 8) / ((host.now - start) / 1e9) / 1e6
        host.note('speed Mbit/s', Math.round(rate))
        tell(host, rate > 11.7 ? true : `${rate} Mbit/s`)
      },
      b: (host) => void drain(host),
    }),
  },
  {
    name: 'time-wait',
    that: 'whoever closes first stays in TIME-WAIT: 30 s as PyTCP has it',
    a: PYTCP,
    programs: ({ b, nodeA, tell }) => ({
      a: async (host) => {
        const watch = new Watch(host, nodeA)
        const socket = await host.connect(b, PORT)
        socket.close()
        await host.sleep('40s')
        tell(host, same([watch.timeWait / 1e9], [30]))
      },
      b: (host) => void drain(host),
    }),
  },
  {
    name: 'reset',
    that: 'a connection that is broken off is broken for the other side, too',
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const socket = await host.connect(b, PORT)
        await socket.receive().then(
          () => tell(host, 'read on'),
          (e) => tell(host, codeOf(e) === 'ECONNRESET'),
        )
      },
      b: async (host) => {
        const socket = await host.listen(PORT).accept()
        await host.sleep('1s')
        socket.abort()
      },
    }),
  },
  {
    name: 'damage',
    that: 'with every tenth frame damaged, lost or doubled, a megabyte arrives as it was sent',
    link: {
      delay: '5ms',
      rate: '100Mbit',
      corrupt: '10%',
      loss: '10%',
      duplicate: '10%',
      reorder: '10%',
    },
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const bytes = new Uint8Array(MEGABYTE).map((_, i) => (i * 31) ^ (i >> 8))
        const socket = await host.connect(b, 7)
        const back = (async () => {
          let at = 0
          for await (const piece of socket) {
            for (const byte of piece) if (byte !== bytes[at++]) return `byte ${at} is wrong`
          }
          return at
        })()
        await socket.send(bytes)
        socket.shutdown()
        tell(host, same([await back], [MEGABYTE]))
        socket.close()
      },
      b: (host) => host.serve('echo'),
    }),
  },
]
