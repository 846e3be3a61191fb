import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'

/** What the wire's tests need of the machine: one line where it is missing, `null` where not. */
export function missing(...tools: string[]): string | null {
  if (process.platform !== 'linux') return 'skipped: these tests need Linux'
  if (process.getuid?.() !== 0) return 'skipped: these tests need root, for network namespaces'
  const gone = ['ip', ...tools].filter((tool) => spawnSync('which', [tool]).status !== 0)
  if (gone.length > 0) return `skipped: not installed: ${gone.join(', ')}`
  const probe = spawnSync('ip', ['netns', 'add', `tw-probe-${process.pid}`], { encoding: 'utf8' })
  spawnSync('ip', ['netns', 'del', `tw-probe-${process.pid}`])
  return probe.status === 0 ? null : `skipped: ip netns add: ${probe.stderr.trim()}`
}

/** Says once why a file's tests are skipped. */
export function needs(...tools: string[]): boolean {
  const why = missing(...tools)
  if (why !== null) process.stderr.write(`${why}\n`)
  return why === null
}

let count = 0
const open = new Set<Namespace>()
process.on('exit', () => {
  for (const namespace of open) namespace.remove()
})

/** A network namespace of this test's own, with its loopback up. Removing it removes its devices. */
export class Namespace {
  readonly name = `tw-${process.pid}-${++count}`
  readonly #children: ChildProcess[] = []

  constructor() {
    must(['ip', 'netns', 'add', this.name])
    open.add(this)
    // No neighbour discovery and no router solicitation: only what a test does is on the wire.
    this.run(
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.disable_ipv6=1',
      'net.ipv6.conf.default.disable_ipv6=1',
    )
    this.ip('link set lo up')
  }

  /** Runs a command in it to its end. */
  run(...command: string[]) {
    const args = ['netns', 'exec', this.name, ...command]
    const done = spawnSync('ip', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
    return { code: done.status, out: done.stdout, err: done.stderr }
  }
  /** In a shell. */
  shell(text: string, env: NodeJS.ProcessEnv = {}) {
    const args = ['netns', 'exec', this.name, 'bash', '-c', text]
    const options = {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      maxBuffer: 1 << 28,
    } as const
    const done = spawnSync('ip', args, options)
    return { code: done.status, out: done.stdout, err: done.stderr }
  }
  ip(text: string): void {
    must(['ip', '-n', this.name, ...text.split(' ')])
  }

  /** Starts a command in it; it is ended with the namespace. */
  start(...command: string[]): Child {
    const child = spawn('ip', ['netns', 'exec', this.name, ...command], { detached: true })
    this.#children.push(child)
    return new Child(child)
  }

  /** Moves this thread into it: what it opens and starts from now on is there. */
  enter(): void {
    setNamespace(`/var/run/netns/${this.name}`)
  }

  remove(): void {
    open.delete(this)
    for (const child of this.#children) killGroup(child)
    spawnSync('ip', ['netns', 'del', this.name])
  }
}

/** A command that runs beside the test. */
export class Child {
  readonly process: ChildProcess
  out = ''
  err = ''
  readonly ended: Promise<number | null>
  #heard: (() => void)[] = []

  constructor(child: ChildProcess) {
    this.process = child
    child.stdout?.on('data', (text) => this.#hear(() => (this.out += String(text))))
    child.stderr?.on('data', (text) => this.#hear(() => (this.err += String(text))))
    this.ended = new Promise((resolve) =>
      child.on('close', (code) => this.#hear(() => resolve(code))),
    )
  }

  #hear(note: () => void): void {
    note()
    for (const heard of this.#heard.splice(0)) heard()
  }

  /** Resolves when it has said something; rejects when it ends without. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.out + this.err)) {
      if (this.process.exitCode !== null) {
        throw new Error(`ended with ${this.process.exitCode}: ${this.out}${this.err}`)
      }
      await new Promise<void>((resolve) => this.#heard.push(resolve))
    }
  }

  signal(name: NodeJS.Signals): void {
    killGroup(this.process, name)
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has just ended.
  }
}

function must([command, ...args]: string[]): void {
  const done = spawnSync(command!, args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr}`)
}

const CLONE_NEWNET = 0x40000000

const home = process.platform === 'linux' ? openSync('/proc/self/ns/net', 'r') : -1

function setNamespace(path: string): void {
  const fd = openSync(path, 'r')
  joinNamespace(fd)
  closeSync(fd)
}

function joinNamespace(fd: number): void {
  const koffi = createRequire(import.meta.url)('koffi') as {
    load(name: string): { func(prototype: string): (...args: unknown[]) => number }
  }
  const setns = koffi.load('libc.so.6').func('int setns(int fd, int kind)')
  if (setns(fd, CLONE_NEWNET) !== 0) throw new Error('setns failed')
}

/** For the end of a file's tests: back to where this process came from. */
export function leaveNamespaces(): void {
  joinNamespace(home)
}
