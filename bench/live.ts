import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'

/*
 * Live mode beside the kernel, in namespaces of its own: `npm run bench:live`, as root, with ping
 * and iperf3. Figures of one run; the kernel's are of the same run and the same machine.
 */
const ROOT = join(import.meta.dirname, '..', '..')
const PROGRAM = join(ROOT, 'bin', 'twinwire')

const prefix = `twb-${process.pid}`
const [near, middle, far] = ['near', 'middle', 'far'].map((name) => `${prefix}-${name}`) as [
  string,
  string,
  string,
]
const children: ChildProcess[] = []

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}
const run = (namespace: string, ...command: string[]): string =>
  spawnSync('ip', ['netns', 'exec', namespace, ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  }).stdout

/** Starts a command; resolves when it has said something that matches. */
async function start(namespace: string, ready: RegExp, ...command: string[]) {
  const child = spawn('ip', ['netns', 'exec', namespace, ...command])
  children.push(child)
  let text = ''
  let out = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (piece: unknown) => {
      text += String(piece)
      if (ready.test(text)) resolve()
    }
    child.stdout.on('data', (piece) => {
      out += String(piece)
      hear(piece)
    })
    child.stderr.on('data', hear)
    child.on('close', () => reject(new Error(`ended: ${text}`)))
  })
  return {
    stop: () =>
      new Promise<string>((resolve) => {
        child.on('close', () => resolve(out))
        child.kill('SIGINT')
      }),
  }
}

/** Microseconds. `-A`: the next one at once; else one each millisecond. */
function pingTimes(namespace: string, address: string, how = ['-i', '0.001']) {
  const out = run(namespace, 'ping', '-c', '3000', ...how, address)
  const times = [...out.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms) * 1000)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * times.length)] ?? NaN
  return { p50: at(0.5), p99: at(0.99) }
}

async function iperf(from: string, to: string, address: string, ...more: string[]) {
  const server = await start(to, /listening/, 'iperf3', '-s', '--forceflush')
  const figure = measure(from, address, ...more)
  await server.stop()
  return figure
}

/** Gbit/s, against a server that is there; its first second is not counted. */
function measure(from: string, address: string, ...more: string[]): number {
  const out = run(from, 'iperf3', '-c', address, '-t', '3', '-O', '1', '-J', ...more)
  const { end } = JSON.parse(out) as { end: { sum_received: { bits_per_second: number } } }
  return end.sum_received.bits_per_second / 1e9
}

const rows: [string, string, string, string][] = []
const gbit = (n: number): string => `${n.toFixed(2)} Gbit/s`
const us = ({ p50, p99 }: { p50: number; p99: number }): string =>
  `${p50.toFixed(0)}/${p99.toFixed(0)} us`

async function hostBesideKernel(): Promise<void> {
  const live = await start(near, /^live: /m, PROGRAM, ...LIVE)
  run(near, 'ping', '-A', '-q', '-c', '20000', '10.0.0.1')
  for (const [name, how] of [
    ['ping each millisecond, p50/p99', ['-i', '0.001']],
    ['ping -A, p50/p99', ['-A']],
  ] as const) {
    const figures = pingTimes(near, '10.0.0.1', [...how])
    rows.push([name, us(figures), us(pingTimes(middle, '10.9.0.2', [...how])), '30 us'])
  }
  const kernel = gbit(await iperf(middle, far, '10.9.0.2'))
  measure(near, '10.0.0.1', '-R')
  rows.push(['TCP, ours to kernel', gbit(measure(near, '10.0.0.1', '-R')), kernel, '1 Gbit/s'])
  rows.push(['TCP, kernel to ours', gbit(measure(near, '10.0.0.1')), kernel, '1 Gbit/s'])
  await live.stop()
  await largeSegments(kernel)
}

const LIVE = ['live', 'live-server', '--bind', 'b=tap:tap0', '--json']

/** The card's offload at an MTU of 1500: segments of up to 64 KiB reach our TCP whole. */
async function largeSegments(kernel: string): Promise<void> {
  const live = await start(near, /^live: /m, PROGRAM, ...LIVE, '--set', 'large=true')
  for (const [name, way] of [
    ['uncut, ours to kernel', ['-R']],
    ['uncut, kernel to ours', []],
  ] as const) {
    measure(near, '10.0.0.1', ...way)
    rows.push([name, gbit(measure(near, '10.0.0.1', ...way)), kernel, '4 Gbit/s'])
  }
  await live.stop()
}

async function flood(): Promise<void> {
  const live = await start(near, /^live: /m, PROGRAM, ...LIVE)
  const script = join(import.meta.dirname, 'live-flood.js')
  const said = run(near, process.execPath, script, '10.0.0.1', '9', '50000', '10').trim()
  const report = JSON.parse(await live.stop()) as {
    devices: { stats: { received: number; kernelDrops: number } }[]
  }
  const { kernelDrops } = report.devices[0]!.stats
  rows.push(['50,000 frames/s', `${kernelDrops} lost of ${said}`, '-', '0 lost'])
}

async function emulation(): Promise<void> {
  const emulate = await start(middle, /^emulate: /m, PROGRAM, 'emulate', 'ea', 'eb')
  rows.push([
    'emulate, no impairment',
    gbit(await iperf(near, far, '10.8.0.2')),
    gbit(await iperf(middle, far, '10.9.0.2')),
    '2 Gbit/s',
  ])
  await emulate.stop()
}

async function main(): Promise<void> {
  for (const name of [near, middle, far]) {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }
  const cables: [string, string, string, string, string | null, string | null][] = [
    [near, 'n0', middle, 'ea', '10.8.0.1/24', null],
    [far, 'f0', middle, 'eb', '10.8.0.2/24', null],
    [middle, 'k0', far, 'k1', '10.9.0.1/24', '10.9.0.2/24'],
  ]
  for (const [a, nameA, b, nameB, addressA, addressB] of cables) {
    ip('-n', a, 'link', 'add', nameA, 'type', 'veth', 'peer', 'name', nameB, 'netns', b)
    if (addressA !== null) ip('-n', a, 'addr', 'add', addressA, 'dev', nameA)
    if (addressB !== null) ip('-n', b, 'addr', 'add', addressB, 'dev', nameB)
    ip('-n', a, 'link', 'set', nameA, 'up')
    ip('-n', b, 'link', 'set', nameB, 'up')
  }
  await hostBesideKernel()
  await flood()
  await emulation()
  const [load] = loadavg()
  process.stdout.write(
    `${cpus().length} cores, load ${load!.toFixed(1)}, Node ${process.version}\n\n`,
  )
  process.stdout.write('| | twinwire | the kernel, over veth | aimed at |\n|---|---|---|---|\n')
  for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`)
}

try {
  await main()
} finally {
  for (const child of children) child.kill('SIGKILL')
  for (const name of [near, middle, far]) spawnSync('ip', ['netns', 'del', name])
}
