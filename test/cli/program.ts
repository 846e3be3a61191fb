import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'twinwire')

/** A UDP port of the loopback that was free a moment ago. */
export async function freeUdpPort(): Promise<string> {
  const probe = createSocket('udp4')
  await new Promise<void>((resolve) => probe.bind(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise<void>((resolve) => probe.close(resolve))
  return String(port)
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** An empty directory of its own, from which the built program is started as a user would. */
export class Desk {
  readonly path: string = mkdtempSync(join(tmpdir(), 'twinwire-test-'))

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.path, name), content)
  }
  read(name: string): Buffer {
    return readFileSync(join(this.path, name))
  }
  get names(): string[] {
    return readdirSync(this.path).toSorted()
  }
  clear(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  get env(): NodeJS.ProcessEnv {
    return { ...process.env, XDG_CACHE_HOME: join(this.path, '.cache'), NO_COLOR: '1' }
  }

  run(...args: string[]): Ended {
    const options = { cwd: this.path, env: this.env, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(PROGRAM, args, options)
    return { code: status, out: stdout, err: stderr }
  }

  /** In a shell, where `$T` is the program. */
  shell(command: string): Ended {
    const env = { ...this.env, T: PROGRAM }
    const options = { cwd: this.path, env, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], options)
    return { code: status, out: stdout, err: stderr }
  }

  /** Starts the program and sends it a signal as soon as `ready` says so. */
  interrupt(args: string[], signal: NodeJS.Signals, ready: () => boolean): Promise<Ended> {
    const child = spawn(PROGRAM, args, { cwd: this.path, env: this.env })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += String(text)))
    child.stderr.on('data', (text) => (err += String(text)))
    const watch = setInterval(() => {
      if (!ready()) return
      clearInterval(watch)
      child.kill(signal)
    }, 20)
    return new Promise((resolve) => {
      child.on('close', (code) => {
        clearInterval(watch)
        resolve({ code, out, err })
      })
    })
  }
}

/** A scenario file: two hosts and a cable, some lines from one to the other. */
export const TWO_HOSTS = `import { count, defineScenario, duration, output, ratio } from 'twinwire'

export default defineScenario({
  name: 'two',
  about: 'Two hosts and a cable. A few lines go across.',
  params: {
    loss: ratio('1%', 'of the frames'),
    delay: duration('10ms', 'one way'),
    lines: count(50),
    out: output('what arrived'),
  },
  topology: { a: 'host', b: 'host' },
  links: ({ loss, delay }) => [
    { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay, loss, rate: '10Mbit' },
  ],
  programs: ({ lines, out }) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 7)
      for (let i = 0; i < lines; i++) await socket.send('a line of text\\n'.repeat(100))
      socket.close()
    },
    b: async (host) => {
      const file = out === null ? null : host.files.create(out)
      const socket = await host.listen(7).accept()
      let bytes = 0
      for await (const part of socket) {
        bytes += part.length
        file?.write(part)
      }
      file?.commit()
      host.note('bytes', bytes)
      socket.close()
    },
  }),
  expect: ({ notes }, { lines }) => [
    { that: 'every line arrives', holds: notes['bytes'] === 1500 * lines },
    { that: 'fewer than 1000 lines are sent', holds: lines < 1000 },
  ],
})
`
