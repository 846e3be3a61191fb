import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { has } from '../trace/judge.ts'
import { Desk, PROGRAM } from './program.ts'

// The chat over loopback: the built program as server, nc and the built program as clients.

const desk = new Desk()
const children: ChildProcess[] = []
let port = 0

/** A process whose lines can be waited for. */
class Talker {
  text = ''
  readonly #child: ChildProcess
  #wake = (): void => {}
  readonly ended: Promise<number | null>

  constructor(command: string, ...args: string[]) {
    this.#child = spawn(command, args, { cwd: desk.path, env: desk.env })
    children.push(this.#child)
    this.#child.stdout!.on('data', (piece) => {
      this.text += String(piece)
      this.#wake()
    })
    this.ended = new Promise((resolve) => this.#child.on('close', resolve))
  }

  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }
  end(): void {
    this.#child.stdin!.end()
  }
  kill(): void {
    this.#child.kill('SIGKILL')
  }
  /** Resolves once it has been told this; the test's time limit bounds it. */
  async hears(line: string): Promise<void> {
    while (!this.text.includes(`${line}\n`))
      await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port: free } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return free
}

beforeAll(async () => {
  port = await freePort()
  const server = new Talker(PROGRAM, 'chat', 'server', '--port', String(port))
  await server.hears(`[SERVER] Listening on 127.0.0.1:${port}`)
}, 20_000)
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  desk.clear()
})

const nc = () => new Talker('nc', '127.0.0.1', String(port))
async function login(name: string): Promise<Talker> {
  const talker = nc()
  await talker.hears('INFO Welcome! Please login: HELLO <name>')
  talker.say(`HELLO ${name}`)
  await talker.hears(`OK Logged in as ${name}`)
  return talker
}

describe.skipIf(!has('nc'))('five people with nc', () => {
  test('talk in pairs, one leaves by force, nobody hears what is not meant for it', async () => {
    const [anna, ben, carl] = [await login('anna'), await login('ben'), await login('carl')]
    const [dora, emil] = [await login('dora'), await login('emil')]
    anna.say('CHAT ben')
    await ben.hears('INFO anna started a chat with you')
    carl.say('CHAT dora')
    await dora.hears('INFO carl started a chat with you')
    emil.say('CHAT anna')
    await emil.hears('ERR anna is already in a chat')
    anna.say('MSG a secret')
    await ben.hears('FROM anna a secret')
    dora.say('MSG another')
    await carl.hears('FROM dora another')
    ben.kill()
    await anna.hears('INFO ben disconnected. Chat ended.')
    emil.say('LIST')
    await emil.hears('OK 4 online: anna, carl*, dora*, emil')
    expect(emil.text).not.toMatch(/secret|another/)
    expect(carl.text).not.toContain('secret')
  })

  test('our own client talks to one of them', async () => {
    const fred = await login('fred')
    const gina = new Talker(PROGRAM, 'chat', 'client', 'gina', '--port', String(port))
    gina.say('/chat fred')
    await fred.hears('INFO gina started a chat with you')
    gina.say('hello fred')
    await fred.hears('FROM gina hello fred')
    fred.say('MSG hello \u001b[2Jgina')
    await gina.hears('FROM fred hello ?[2Jgina')
    gina.end()
    expect(await gina.ended).toBe(0)
    await fred.hears('INFO gina disconnected. Chat ended.')
  })
})

test('a name that is taken, a server that is not there, a port that is taken: one line each', async () => {
  const nobody = await freePort()
  const absent = desk.run('chat', 'client', 'anna', '--port', String(nobody), '--no-key')
  expect(absent).toEqual({ code: 1, out: '', err: 'error: ECONNREFUSED\n' })
  const twice = desk.run('chat', 'server', '--port', String(port))
  expect(twice.code).toBe(4)
  expect(twice.err).toMatch(
    /^error: cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE; another program/,
  )
  const bad = desk.run('chat', 'client', 'a b')
  expect({ code: bad.code, lines: bad.err.split('\n').length }).toEqual({ code: 2, lines: 2 })
})
