import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

/*
 * Live mode beside the kernel, in namespaces of its own: `npm run bench:live`, as root, with ping,
 * curl, nc and iperf3. Figures of one run; the kernel's are of the same run and the same machine.
 */
const ROOT = join(import.meta.dirname, '..', '..')
const PROGRAM = join(ROOT, 'bin', 'twinwire')
const MB = 1e6
const FILE_BYTES = 200 * MB

const prefix = `twb-${process.pid}`
const [near, middle, far] = ['near', 'middle', 'far'].map((name) => `${prefix}-${name}`) as [
  string,
  string,
  string,
]
const children: ChildProcess[] = []
const folder = mkdtempSync(join(tmpdir(), 'twinwire-bench-'))

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

function pingTimes(namespace: string, address: string): { p50: number; p99: number } {
  const out = run(namespace, 'ping', '-c', '3000', '-i', '0.001', address)
  const times = [...out.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms) * 1000)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * times.length)] ?? NaN
  return { p50: at(0.5), p99: at(0.99) }
}

async function iperf(from: string, to: string, address: string, ...more: string[]) {
  const server = await start(to, /listening/, 'iperf3', '-s', '--forceflush')
  const out = run(from, 'iperf3', '-c', address, '-t', '3', '-J', ...more)
  await server.stop()
  const { end } = JSON.parse(out) as { end: { sum_received: { bits_per_second: number } } }
  return end.sum_received.bits_per_second / 1e9
}

const rows: [string, string, string, string][] = []
const gbit = (n: number): string => `${n.toFixed(2)} Gbit/s`
const us = ({ p50, p99 }: { p50: number; p99: number }): string =>
  `${p50.toFixed(0)}/${p99.toFixed(0)} us`

async function hostBesideKernel(): Promise<void> {
  writeFileSync(join(folder, 'file'), Buffer.alloc(FILE_BYTES, 7))
  const set = ['--set', `file=${folder}/file`]
  const args = ['live', 'live-server', '--bind', 'b=tap:tap0', '--json', ...set]
  const live = await start(near, /^live: /m, PROGRAM, ...args)
  run(near, 'ping', '-c', '200', '-i', '0.002', '10.0.0.1')
  rows.push([
    'ping, p50/p99',
    us(pingTimes(near, '10.0.0.1')),
    us(pingTimes(middle, '10.9.0.2')),
    '30 us',
  ])

  const kernel = await iperf(middle, far, '10.9.0.2')
  const url = 'http://10.0.0.1/file'
  const speed = run(near, 'curl', '-s', '-o', '/dev/null', '-w', '%{speed_download}', url)
  rows.push(['TCP, ours to kernel', gbit((Number(speed) * 8) / 1e9), gbit(kernel), '1 Gbit/s'])
  rows.push(['TCP, kernel to ours', gbit(upload()), gbit(kernel), '1 Gbit/s'])
  await live.stop()
  await largeSegments(kernel)
}

/** The card's offload at an MTU of 1500: segments of up to 64 KiB reach our TCP whole. */
async function largeSegments(kernel: number): Promise<void> {
  const set = ['--set', `file=${folder}/file`, '--set', 'large=true']
  const args = ['live', 'live-server', '--bind', 'b=tap:tap0', '--json', ...set]
  const live = await start(near, /^live: /m, PROGRAM, ...args)
  upload()
  rows.push(['the same, segments uncut', gbit(upload()), gbit(kernel), '4 Gbit/s'])
  await live.stop()
}

/** Gbit/s. */
function upload(): number {
  const begin = performance.now()
  run(near, 'bash', '-c', `nc -N 10.0.0.1 9 < ${folder}/file`)
  return (FILE_BYTES * 8) / ((performance.now() - begin) / 1000) / 1e9
}

async function flood(): Promise<void> {
  const args = ['live', 'live-server', '--bind', 'b=tap:tap0', '--json']
  const live = await start(near, /^live: /m, PROGRAM, ...args)
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
  rmSync(folder, { recursive: true, force: true })
}
