import type { FileReceiver } from '../protocols/arq/file-receiver-state.ts'
import { fileReceiver, type ReceiveCommand } from '../protocols/arq/file-receiver.ts'
import type { FileSender } from '../protocols/arq/file-sender-state.ts'
import { fileSender } from '../protocols/arq/file-sender.ts'
import type { ReceiveReport, SendReport, SendSummary } from '../protocols/arq/report.ts'
import { formatIp } from '../protocols/address.ts'
import { formatDuration } from '../sim/units.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { KernelHost, type KernelHostOptions } from '../wire/kernel-host.ts'
import type { RunningApplication } from '../sim/application.ts'
import { ByteProgress } from './byte-progress.ts'
import { EXIT_EXPECTATION, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import { checkWritable, PartFile, partOf } from './part-file.ts'
import { describe, errorLine, message } from './report.ts'

/* A file over the kernel's sockets, with what a user sees of it. */

export interface ShowOptions {
  readonly json: boolean
  /** How compressed content becomes the file. */
  readonly inflate?: (content: Uint8Array, size: number) => Uint8Array
}

/** Sends, and says how it went; the exit code. */
export function sendFile(
  state: FileSender,
  names: readonly string[],
  { json }: ShowOptions,
  options: KernelHostOptions = {},
): Promise<number> {
  return onKernel(options, (host, end) => {
    const progress = new ByteProgress()
    const hear = (report: SendReport) => {
      switch (report.kind) {
        case 'line':
          return line(report.text, json)
        case 'progress':
          return progress.update(report.bytes, report.total)
        case 'peer-lost':
          return message(`${names[report.peer]}: ${report.why}`)
        case 'smaller':
          return message(`the path takes no more: units of ${report.unitBytes} bytes from now on`)
        case 'finished':
        case 'failed':
          progress.stop()
          sayHowSendingWent(report, names, json)
          return end(report.kind === 'finished' ? EXIT_OK : EXIT_EXPECTATION)
      }
    }
    const running = host.run(fileSender, state, hear)
    return () => running.command({ kind: 'cancel' })
  })
}

function sayHowSendingWent(
  report: SendSummary & { readonly kind: 'finished' | 'failed' },
  names: readonly string[],
  json: boolean,
): void {
  const receivers = report.peers.map((peer, i) => ({ name: names[i], ...peer }))
  const { kind, bytes, span, units, timeouts, grouped } = report
  if (json) {
    const result = {
      schema: 1,
      result: kind,
      bytes,
      spanNanos: span,
      units,
      timeouts,
      grouped,
      receivers,
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const resent = receivers.reduce((sum, peer) => sum + peer.resent, 0)
  // What went to the group went once; again it goes to those who miss it.
  const sent = grouped > 0 ? grouped + resent : receivers.reduce((sum, peer) => sum + peer.sent, 0)
  const has = receivers.filter(({ why }) => why === null).length
  const time = formatDuration(Math.round(span / 1e6) * 1e6)
  const figures = `${bytes} bytes in ${time}, ${sent} packets, ${resent} of them again`
  message(`${has} of ${receivers.length} receivers have the file: ${figures}`)
}

/** Receives one file, and says how it went; the exit code. */
export function receiveFile(
  state: FileReceiver,
  target: string,
  show: ShowOptions,
  options: KernelHostOptions = {},
): Promise<number> {
  checkWritable(target)
  return onKernel(options, (host, end, fail) => {
    const incoming = new Incoming(target, show, end, fail)
    incoming.running = host.run(fileReceiver, state, (report) => incoming.hear(report))
    const { carrier, port } = state.config
    message(`waits for a sender: ${carrier.protocol === 'udp' ? `port ${port}` : 'raw IP'}`)
    return () => incoming.interrupted()
  })
}

class Incoming {
  running: RunningApplication<FileReceiver, ReceiveCommand> | null = null
  readonly #target: string
  readonly #show: ShowOptions
  readonly #end: (code: number) => void
  readonly #fail: (error: unknown) => void
  #file: PartFile | null = null
  #isKept = false
  #size: number | null = null
  #change: ((content: Uint8Array) => Uint8Array) | null = null
  #code = EXIT_EXPECTATION

  constructor(
    target: string,
    show: ShowOptions,
    end: (code: number) => void,
    fail: (error: unknown) => void,
  ) {
    this.#target = target
    this.#show = show
    this.#end = end
    this.#fail = fail
  }

  hear(report: ReceiveReport): void {
    try {
      this.#take(report)
    } catch (e) {
      // The sender is told, and so is the user.
      if (!(e instanceof UserError) && !(e instanceof EnvironmentError)) return this.#fail(e)
      errorLine(describe(e))
      this.#leave()
      this.#file = null
      this.running?.command({ kind: 'abort', why: 'cannot-write' })
    }
  }

  interrupted(): void {
    this.#code = EXIT_INTERRUPTED
    this.running?.command({ kind: 'abort', why: 'cancelled' })
  }

  #take(report: ReceiveReport): void {
    const { json } = this.#show
    switch (report.kind) {
      case 'line':
        return line(report.text, json)
      case 'refused':
        throw this.#fail(refusedPort(report.error))
      case 'offered': {
        const have = partOf(this.#target, report.file.hash)
        // Not within the step that asks.
        setImmediate(() => this.running?.command({ kind: 'accept', have }))
        return
      }
      case 'begun':
        return this.#begun(report)
      case 'data':
        for (const chunk of report.chunks) this.#file?.write(chunk)
        return
      case 'finished':
        this.#file ??= new PartFile(this.#target, null, 0)
        this.#file.commit(this.#change)
        this.#file = null
        this.#code = EXIT_OK
        this.#say('finished', report.bytes, report.by)
        return
      case 'failed':
        this.#leave()
        if (report.why === 'started anew') message('the sender begins anew')
        else this.#say('failed', this.#file?.bytes ?? 0, report.why)
        this.#file = null
        return
      case 'closed':
        return this.#end(this.#code)
    }
  }

  #begun({ file, have, from }: ReceiveReport & { readonly kind: 'begun' }): void {
    this.#leave()
    this.#isKept = file !== null
    this.#size = file?.size ?? null
    this.#file = new PartFile(this.#target, file?.hash ?? null, have)
    const { inflate } = this.#show
    const size = file?.size ?? 0
    this.#change =
      file?.compressed === true && inflate !== undefined
        ? (content) => inflate(content, size)
        : null
    const what =
      file === null ? 'a file' : `${file.name === '' ? 'a file' : file.name}, ${file.size} bytes`
    const rest = have > 0 ? `, of which ${have} are here` : ''
    message(`${formatIp(from.address)} sends ${what}${rest}`)
  }

  /** What belongs to a content with a name is kept for the next attempt. */
  #leave(): void {
    if (this.#file === null) return
    if (this.#isKept && this.#file.bytes > 0) {
      this.#file.keep()
      message(`${this.#file.bytes} bytes are kept for another attempt: ${this.#file.path}`)
    } else this.#file.discard()
  }

  #say(result: string, bytes: number, why: string): void {
    if (this.#show.json) {
      const object = { schema: 1, result, file: this.#target, bytes, size: this.#size, why }
      process.stdout.write(`${JSON.stringify(object)}\n`)
    } else if (result === 'finished')
      message(`wrote ${this.#target}: ${bytes} bytes, known by ${why}`)
    else errorLine(`no file: ${why}`)
  }
}

function refusedPort(error: string): EnvironmentError {
  if (error === 'ENODEV') {
    const hint = 'give it one: ip route add 239.0.0.0/8 dev eth0'
    return new EnvironmentError('no interface has a way to the group', hint)
  }
  if (error === 'EADDRINUSE') {
    return new EnvironmentError('the port is taken', 'see by whom: ss -lunp')
  }
  if (error === 'EACCES' || error === 'EOPNOTSUPP') {
    return new EnvironmentError(`the system does not allow it (${error})`, 'try it with sudo')
  }
  return new EnvironmentError(`the port cannot be had: ${error}`)
}

/** The course's lines are the output; beside a JSON object they are messages. */
function line(text: string, json: boolean): void {
  if (json) message(text)
  else process.stdout.write(`${text}\n`)
}

/** Runs something on the kernel's sockets until it says that it is over. */
export function onKernel(
  options: KernelHostOptions,
  start: (
    host: KernelHost,
    end: (code: number) => void,
    fail: (error: unknown) => unknown,
  ) => () => void,
): Promise<number> {
  const host = new KernelHost(options)
  return new Promise((resolve, reject) => {
    let interrupts = 0
    const end = (code: number) => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      // What was sent last goes out first.
      setTimeout(() => {
        host.close()
        resolve(interrupts > 0 ? EXIT_INTERRUPTED : code)
      }, 20)
    }
    const fail = (error: unknown) => {
      host.close()
      reject(error instanceof Error ? error : new Error(String(error)))
      return error
    }
    const onSignal = () => {
      interrupts += 1
      if (interrupts > 1) process.exit(EXIT_INTERRUPTED)
      cancel()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    const cancel = start(host, end, fail)
  })
}
