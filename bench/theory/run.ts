import process from 'node:process'
import { jain, runSharedLink } from '../shared-link.ts'
import { type FlowFigures, measureFlow } from './flow.ts'
import { cubicResponse, pftk } from './models.ts'
import { SMALL_WINDOW, smallWindowGoodput } from './small-window.ts'

// npm run theory: what our TCP gets out of a path beside what theory says, as tables.

type Line = readonly (string | number)[]

function table(title: string, head: Line, lines: readonly Line[]): void {
  const rows = [head, ...lines].map((line) => line.map(String))
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  process.stdout.write(`\n${title}\n\n`)
  for (const row of rows) {
    process.stdout.write(`${row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')}\n`)
  }
}

const share = (x: number): string => `${(100 * x).toFixed(0)} %`

/** Reno without SACK under independent losses. */
function padhye(): void {
  const lines = [1e-3, 3e-3, 1e-2, 2e-2, 5e-2].map((p) => {
    const figures = measureFlow({
      tcp: {
        congestion: 'reno',
        hystart: false,
        slowStartLimit: 1,
        sackPermitted: false,
        limitedTransmit: false,
        prr: false,
        frto: false,
        rtoMin: '1s',
      },
      link: { delay: '50ms' },
      forth: { loss: p },
      warmUp: 30,
      seconds: 1000,
      count: true,
    })
    const theory = pftk(p, 0.1, 1, { every: 1 }) * (1 - p) * 0.1
    const ours = (figures.goodput / figures.mss) * 0.1
    return [p, theory.toFixed(2), ours.toFixed(2), share(ours / theory), ...counts(figures)]
  })
  const head = ['p', 'PFTK', 'ours', 'ratio', 'resent', 'timeouts', 'spurious']
  table('Reno without SACK, segments in a round trip of 100 ms', head, lines)
}

const counts = ({ retransmissions, timeouts, spurious }: FlowFigures): Line => [
  retransmissions,
  timeouts,
  spurious,
]

/** CUBIC where every n-th segment is lost. */
function response(): void {
  const cells = [
    [100, 1e-2, 300],
    [100, 1e-3, 300],
    [100, 1e-4, 300],
    [100, 1e-5, 300],
    [10, 1e-2, 60],
    [10, 1e-3, 60],
    [10, 1e-4, 60],
  ] as const
  const lines = cells.map(([rtt, p, seconds]) => {
    const figures = measureFlow({
      tcp: { congestion: 'cubic', sendBuffer: '16MiB', receiveBuffer: '16MiB' },
      link: { delay: `${rtt / 2}ms` },
      forth: { drop: `every ${Math.round(1 / p)}th data segment` },
      warmUp: 10 + rtt / 4,
      seconds,
      count: true,
    })
    const theory = cubicResponse(p, rtt / 1000)
    const { window } = figures
    const cellsOf = [`${rtt} ms`, p, theory.toFixed(1), window.toFixed(1), share(window / theory)]
    return [...cellsOf, ...counts(figures)]
  })
  const head = ['RTT', 'p', 'RFC 9438', 'ours', 'ratio', 'resent', 'timeouts', 'spurious']
  table('CUBIC under periodic loss, average window in segments', head, lines)
}

/** Many flows over one drop-tail queue. */
async function sharing(): Promise<void> {
  const lines: Line[] = []
  for (const congestion of ['reno', 'cubic', 'bbr', 'cubic,bbr']) {
    for (const [flows, rate, queue] of [
      ['10', '20Mbit', '100 frames'],
      ['100', '50Mbit', '500 frames'],
    ] as const) {
      const settings = { congestion, flows, rate, queue }
      const run = await runSharedLink({ settings, warmUp: 10, seconds: 60 })
      const index = jain(run.goodputs).toFixed(3)
      lines.push([congestion, flows, rate, queue, share(run.utilisation), index, run.drops])
    }
  }
  const head = ['control', 'flows', 'rate', 'queue', 'used', 'Jain', 'drops']
  table('Flows over one drop-tail queue, 20 ms, 10 s to 60 s', head, lines)
}

/** One flow over 10 Mbit/s and 20 ms. */
async function alone(): Promise<void> {
  const lines: Line[] = []
  for (const congestion of ['reno', 'cubic', 'bbr']) {
    const mbit = async (more: { readonly [name: string]: string }): Promise<string> => {
      const settings = { flows: '1', rate: '10Mbit', congestion, ...more }
      const { goodputs } = await runSharedLink({ settings, warmUp: 5, seconds: 65 })
      return ((goodputs[0]! * 8) / 1e6).toFixed(2)
    }
    const losses: string[] = []
    for (const loss of ['0%', '0.1%', '1%', '5%']) losses.push(await mbit({ loss }))
    lines.push([congestion, ...losses, await mbit({ queue: '400 frames', buffer: '16MiB' })])
  }
  const head = ['control', 'no loss', '0.1 %', '1 %', '5 %', 'deep queue']
  table('One flow over 10 Mbit/s and 20 ms, goodput in Mbit/s (9.56 is all there is)', head, lines)
}

/** A window of 32 KiB over 100 ms, segments lost both ways. */
function smallWindow(): void {
  const lines = SMALL_WINDOW.map(([loss, theirs]) => {
    const ours = (['cubic', 'bbr'] as const).map((congestion) => {
      const goodputs = ['1', '2', '3', '4', '5'].map((seed) =>
        smallWindowGoodput(loss, congestion, seed, loss === 0 ? 60 : 1000),
      )
      return (goodputs.toSorted((a, b) => a - b)[2]! / 1000).toFixed(2)
    })
    return [share(loss), theirs, ...ours]
  })
  const head = ['loss', 'smoltcp', 'ours, CUBIC', 'ours, BBR']
  table('A window of 32 KiB over 100 ms, loss both ways, kB/s (median of five seeds)', head, lines)
}

padhye()
smallWindow()
response()
await sharing()
await alone()
