import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { randomBytes } from '../sim/two-hosts.ts'
import { Desk, freeUdpPort, PROGRAM } from './program.ts'

// What becomes of files when a transfer over loopback does not come to its end.

const desk = new Desk()
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  desk.clear()
})

function start(command: string, ...args: string[]) {
  const child = spawn(command, args, { cwd: desk.path, env: desk.env })
  children.push(child)
  const running = {
    child,
    text: '',
    ended: new Promise<number | null>((end) => child.on('close', end)),
    says: (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (pattern.test(running.text)) resolve()
        }
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        child.on('close', () => reject(new Error(`ended: ${running.text}`)))
        look()
      }),
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => (running.text += String(text)))
  }
  return running
}

const content = randomBytes(10_000_000, 1)
desk.write('in.bin', content)

test('a receiver that is interrupted keeps its part, and the next attempt goes on from there', async () => {
  const port = await freeUdpPort()
  const first = start(PROGRAM, 'p2mp-ftp', 'server', port, 'out.bin', '0')
  await first.says(/waits/)
  const sender = start(PROGRAM, 'p2mp-ftp', 'client', '127.0.0.1', port, 'in.bin', '1000')
  await first.says(/sends/)
  await new Promise((resolve) => setTimeout(resolve, 50))
  first.child.kill('SIGINT')
  expect(await first.ended).toBe(130)
  expect(await sender.ended).toBe(1)
  expect(sender.text).toContain('cancelled')
  const kept = Number(/(\d+) bytes are kept/.exec(first.text)![1])
  expect(kept).toBeGreaterThan(0)
  expect(kept).toBeLessThan(content.length)
  expect(desk.names).not.toContain('out.bin')

  const second = start(PROGRAM, 'p2mp-ftp', 'server', port, 'out.bin', '0')
  await second.says(/waits/)
  const args = ['client', '127.0.0.1', port, 'in.bin', '1000', '--json']
  const again = desk.run('p2mp-ftp', ...args)
  expect(again.code).toBe(0)
  expect(await second.ended).toBe(0)
  expect(second.text).toContain(`of which ${kept} are here`)
  // Only the rest went over the wire.
  const { sent } = (JSON.parse(again.out) as { receivers: { sent: number }[] }).receivers[0]!
  expect(sent).toBeLessThan((content.length - kept) / 1000 + 1000)
  expect(desk.read('out.bin').equals(content)).toBe(true)
  expect(desk.names).toEqual(['in.bin', 'out.bin'])
}, 60_000)

const mounts =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
if (!mounts) process.stderr.write('skipped: a full disk needs root and unshare\n')

test.runIf(mounts)(
  'a disk that is full in mid-transfer: an error at both ends, and no half file',
  async () => {
    const port = await freeUdpPort()
    const run = `mkdir full && mount -t tmpfs -o size=64k none full && "$0" p2mp-ftp server ${port} full/out.bin 0
code=$?; ls full; exit $code`
    const receiver = start('unshare', '-m', 'bash', '-c', run, PROGRAM)
    await receiver.says(/waits/)
    const sender = desk.run('p2mp-ftp', 'client', '127.0.0.1', port, 'in.bin', '1000')
    expect(sender.code).toBe(1)
    expect(sender.err).toContain('cannot-write')
    expect(await receiver.ended).not.toBe(0)
    expect(receiver.text).toMatch(/error: cannot write '.*full\/out.bin': no space left/)
    expect(receiver.text.split('\n')).not.toContain('out.bin')
  },
  60_000,
)
