import { spawn, type ChildProcess } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { randomBytes } from '../sim/two-hosts.ts'
import { Desk, freeUdpPort, PROGRAM } from './program.ts'

const desk = new Desk()
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  desk.clear()
})

interface Running {
  readonly ended: Promise<number | null>
  out: string
}

/** Starts a server, and waits until it says that it waits. */
async function serve(...args: string[]): Promise<Running> {
  const child = spawn(PROGRAM, ['simple-ftp', 'server', ...args], { cwd: desk.path, env: desk.env })
  children.push(child)
  const ended = new Promise<number | null>((end) => child.on('close', end))
  const running = { out: '', ended }
  child.stdout.on('data', (text) => (running.out += String(text)))
  let err = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text) => {
      err += String(text)
      if (/waits/.test(err)) resolve()
    })
    child.on('close', () => reject(new Error(`the server ended: ${running.out}${err}`)))
  })
  return running
}

const content = randomBytes(20_123, 1)
desk.write('in.bin', content)

const canonical = ['--profile', 'canonical', '--end', 'fin']
test.each([
  ['a session', [], [], []],
  ['Go-back-N', canonical, [], []],
  ['Selective Repeat', canonical, ['SR'], ['--sr']],
])(
  '%s over loopback: two packets are lost, the file is whole',
  async (name, both, sr, ofServer) => {
    const port = await freeUdpPort()
    const file = `${name.replaceAll(' ', '-')}.bin`
    const end = both.length > 0 ? ['--end', 'fin'] : []
    const server = await serve(port, file, '0', '--lose', '3,7', ...end, ...ofServer)
    const client = desk.run(
      'simple-ftp',
      'client',
      '127.0.0.1',
      port,
      'in.bin',
      '8',
      '1000',
      ...sr,
      ...both,
    )
    expect(client).toMatchObject({ code: 0 })
    expect(await server.ended).toBe(0)
    expect(server.out.split('\n').filter((line) => line.startsWith('Packet loss'))).toHaveLength(2)
    expect(desk.read(file).equals(content)).toBe(true)
  },
)
