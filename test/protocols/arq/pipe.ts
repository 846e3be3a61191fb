import { produce } from 'immer'
import type { Application, ApplicationInput } from '../../../protocols/application.ts'
import type { FileReceiver } from '../../../protocols/arq/file-receiver-state.ts'
import { fileReceiver, type ReceiveCommand } from '../../../protocols/arq/file-receiver.ts'
import { fileSender } from '../../../protocols/arq/file-sender.ts'
import {
  type ReceiveOptions,
  receiveAs,
  type SendOptions,
  sendAs,
  type TransferProfile,
} from '../../../protocols/arq/profile.ts'
import type { ReceiveReport, SendReport } from '../../../protocols/arq/report.ts'
import { type Bytes, concatBytes, NO_BYTES } from '../../../protocols/bytes.ts'
import type { SocketCall, SocketEvent } from '../../../protocols/host/socket.ts'
import { ms, NEVER } from '../../../protocols/time.ts'

/** A datagram on its way: `to` and `from` are receivers by number, or the sender, -1. */
export interface Carried {
  readonly from: number
  readonly to: number
  /** Among all between these two in this direction, from 0. */
  readonly index: number
  readonly bytes: Bytes
  readonly now: number
}
/** What arrives in the place of a datagram, and how much later than it would have. */
export type Mangle = (
  carried: Carried,
) => readonly { readonly bytes: Bytes; readonly late?: number }[]

export interface PipePlan {
  readonly profile: TransferProfile
  readonly content: Bytes
  readonly unitBytes?: number
  readonly receivers?: number
  readonly mangle?: Mangle
  readonly send?: Partial<SendOptions>
  readonly receive?: (receiver: number) => Partial<ReceiveOptions>
  /** A receiver is gone at this time, and starts anew at the other. */
  readonly restart?: { readonly receiver: number; readonly at: number; readonly back: number }
  /** The sender is gone at this time and another one starts, in ms. */
  readonly senderRestart?: { readonly at: number; readonly back: number }
  /** Receivers that never start. */
  readonly absent?: readonly number[]
  /** Parts are kept by hash, and offered to the next attempt. */
  readonly keepsParts?: boolean
  /** What a receiver answers to an offer, in the place of taking it. */
  readonly answer?: ReceiveCommand
  /** Datagrams from somebody else, to the sender's socket for a receiver or to a receiver. */
  readonly strangers?: readonly {
    readonly at: number
    readonly to: number
    readonly bytes: Bytes
  }[]
  readonly recorded?: boolean
}

export interface PipeResult {
  readonly sent: (SendReport & { readonly kind: 'finished' | 'failed' }) | null
  readonly said: readonly string[]
  readonly receivers: readonly {
    readonly files: readonly Bytes[]
    readonly ended: readonly string[]
    readonly said: readonly string[]
  }[]
  /** When nothing was left to do, ms. */
  readonly end: number
  /** Everything that anybody did, for comparison. */
  readonly trace: string
}

const DELAY = ms(10)

/** A sender and its receivers with nothing but a pipe between them: 10 ms each way. */
export function pipe(plan: PipePlan): PipeResult {
  return new Pipe(plan).run()
}

class Actor<State, Command, Report> {
  readonly calls: SocketCall[] = []
  readonly reports: Report[] = []
  due = NEVER
  alive = true
  running = false
  state: State
  readonly engine: Application<State, Command, Report>
  readonly place: { now: number; recorded: boolean; make(call: SocketCall): void }

  constructor(
    engine: Application<State, Command, Report>,
    state: State,
    place: Actor<State, Command, Report>['place'],
    readonlyHear: (report: Report) => void,
  ) {
    this.engine = engine
    this.state = state
    this.place = place
    this.hear = readonlyHear
  }
  readonly hear: (report: Report) => void

  step(input: ApplicationInput<Command>): void {
    if (!this.alive) return
    const out = {
      call: (call: SocketCall) => void this.calls.push(call),
      report: (report: Report) => void this.reports.push(report),
      wake: (at: number) => {
        this.due = at
      },
    }
    const { now, recorded } = this.place
    if (recorded) {
      this.state = produce(this.state, (draft) => {
        this.engine.step(draft as State, now, input, out)
      })
    } else this.engine.step(this.state, now, input, out)
    if (this.running) return
    this.running = true
    while (this.reports.length > 0 || this.calls.length > 0) {
      const report = this.reports.shift()
      if (report !== undefined) this.hear(report)
      else this.place.make(this.calls.shift()!)
    }
    this.running = false
  }

  event(event: SocketEvent): void {
    this.step({ kind: 'socket', event })
  }
}

interface Flight {
  readonly at: number
  readonly act: () => void
}

class Pipe {
  now = 0
  readonly recorded: boolean
  readonly #plan: PipePlan
  readonly #count: number
  #sender!: Actor<ReturnType<typeof sendAs>, { kind: 'cancel' }, SendReport>
  #receivers: (Actor<FileReceiver, ReceiveCommand, ReceiveReport> | null)[] = []
  readonly #queue: Flight[] = []
  readonly #indices = new Map<string, number>()
  readonly #storage = new Map<string, Bytes>()
  readonly #lines: string[] = []
  readonly #results: { files: Bytes[]; ended: string[]; said: string[]; part: Bytes[] }[]
  readonly #said: string[] = []
  #sent: PipeResult['sent'] = null
  #senders = 0
  #opened = 0

  constructor(plan: PipePlan) {
    this.#plan = plan
    this.recorded = plan.recorded ?? false
    this.#count = plan.receivers ?? 1
    this.#results = Array.from({ length: this.#count }, () => ({
      files: [],
      ended: [],
      said: [],
      part: [],
    }))
  }

  run(): PipeResult {
    const { restart, senderRestart, strangers = [], absent = [] } = this.#plan
    for (let i = 0; i < this.#count; i++) {
      this.#receivers.push(null)
      if (!absent.includes(i)) this.#startReceiver(i, 1)
    }
    this.#startSender()
    if (restart !== undefined) {
      const { receiver, at, back } = restart
      this.#at(ms(at), () => {
        this.#receivers[receiver]!.alive = false
        this.#receivers[receiver] = null
      })
      this.#at(ms(back), () => this.#startReceiver(receiver, 2))
    }
    if (senderRestart !== undefined) {
      this.#at(ms(senderRestart.at), () => {
        this.#sender.alive = false
      })
      this.#at(ms(senderRestart.back), () => this.#startSender())
    }
    for (const { at, to, bytes } of strangers) {
      this.#at(ms(at), () => this.#deliver(-2, to, bytes))
    }
    this.#loop()
    const receivers = this.#results.map(({ files, ended, said }) => ({ files, ended, said }))
    const trace = this.#lines.join('\n')
    return { sent: this.#sent, said: this.#said, receivers, end: this.now / 1e6, trace }
  }

  #loop(): void {
    for (let steps = 0; ; steps++) {
      if (steps > 1_000_000) throw new Error('it never ends')
      const actors = [this.#sender, ...this.#receivers].filter((a) => a?.alive === true)
      let due = NEVER
      for (const actor of actors) due = Math.min(due, actor!.due)
      const flight = this.#queue[0]
      const next = Math.min(due, flight?.at ?? NEVER)
      if (next === NEVER) return
      this.now = Math.max(next, this.now)
      if (flight !== undefined && flight.at <= due) {
        this.#queue.shift()
        flight.act()
      } else {
        const actor = actors.find((a) => a!.due === due)!
        actor.due = NEVER
        actor.step({ kind: 'timer' })
      }
    }
  }

  #at(at: number, act: () => void): void {
    let i = this.#queue.length
    while (i > 0 && this.#queue[i - 1]!.at > at) i -= 1
    this.#queue.splice(i, 0, { at, act })
  }

  #startSender(): void {
    const { profile, content, unitBytes = 100, send = {} } = this.#plan
    this.#senders += 1
    this.#opened = 0
    const peers = this.#results.map((_, i) => ({ address: 10 + i, port: 7735 }))
    const session = 0xfffffff0 + this.#senders
    const state = sendAs(profile, {
      session,
      peers,
      unitBytes,
      content,
      epoch: this.#senders,
      ...send,
    })
    const place = this.#placeOf(-1)
    this.#sender = new Actor(fileSender, state, place, (report) => {
      if (report.kind === 'line') this.#said.push(`${this.now / 1e6} ${report.text}`)
      if (report.kind === 'finished' || report.kind === 'failed') this.#sent = report
      this.#note('s', JSON.stringify(report))
    })
    this.#sender.step({ kind: 'start' })
  }

  #startReceiver(i: number, boot: number): void {
    const { profile, receive, keepsParts = false, answer } = this.#plan
    const options = {
      port: 7735,
      epoch: boot * 1000,
      random: Uint8Array.of(i, boot),
      asks: keepsParts || answer !== undefined,
      ...receive?.(i),
    }
    const state = receiveAs(profile, options)
    const actor = new Actor(fileReceiver, state, this.#placeOf(i), (report: ReceiveReport) => {
      const said = report.kind === 'data' ? `data ${report.bytes}` : JSON.stringify(report)
      this.#note(`r${i}`, said)
      this.#receiverSaid(i, report)
    })
    this.#receivers[i] = actor
    actor.step({ kind: 'start' })
  }

  #receiverSaid(i: number, report: ReceiveReport): void {
    const result = this.#results[i]!
    const keep = (hash: string | undefined) => `${i} ${hash ?? ''}`
    switch (report.kind) {
      case 'line':
        result.said.push(`${this.now / 1e6} ${report.text}`)
        return
      case 'offered': {
        const have = this.#storage.get(keep(report.file.hash)) ?? NO_BYTES
        const command = this.#plan.answer ?? ({ kind: 'accept', have } as const)
        return this.#receivers[i]!.step({ kind: 'command', command })
      }
      case 'begun': {
        const kept = this.#storage.get(keep(report.file?.hash)) ?? NO_BYTES
        result.part = [kept.subarray(0, report.have)]
        return
      }
      case 'data':
        result.part.push(...report.chunks)
        // Under every name: a test has one file.
        if (this.#plan.keepsParts === true) {
          this.#storage.set(keep(this.#hash()), concatBytes(result.part))
        }
        return
      case 'finished':
        result.files.push(concatBytes(result.part))
        result.ended.push(`finished by ${report.by}`)
        return
      case 'failed':
        result.ended.push(`failed: ${report.why}`)
        return
      case 'refused':
      case 'closed':
    }
  }

  #hash(): string {
    const { wire } = this.#sender.state.config
    if (wire.kind !== 'session') return ''
    return Buffer.from(wire.hash as Uint8Array).toString('hex')
  }

  #placeOf(who: number) {
    const clock = () => this.now
    return {
      get now() {
        return clock()
      },
      recorded: this.recorded,
      make: (call: SocketCall) => this.#make(who, call),
    }
  }

  #make(who: number, call: SocketCall): void {
    const actor = who < 0 ? this.#sender : this.#receivers[who]!
    if (call.kind === 'open') {
      const socket = who < 0 ? this.#opened++ : 0
      return actor.event({ kind: 'opened', socket, protocol: call.protocol })
    }
    if (call.kind === 'send') return this.#carry(-1, call.socket, call.bytes)
    if (call.kind === 'send-to') return this.#carry(who, -1, call.bytes)
    if (call.kind === 'close') return actor.event({ kind: 'closed', socket: call.socket })
  }

  #carry(from: number, to: number, bytes: Bytes): void {
    const key = `${from}>${to}`
    const index = this.#indices.get(key) ?? 0
    this.#indices.set(key, index + 1)
    this.#note(key, Buffer.from(bytes as Uint8Array).toString('hex'))
    const carried = { from, to, index, bytes, now: this.now }
    const arrivals = this.#plan.mangle?.(carried) ?? [{ bytes, late: 0 }]
    const sender = this.#senders
    for (const { bytes: arriving, late = 0 } of arrivals) {
      this.#at(this.now + DELAY + late, () => {
        // Another process has other ports.
        if (sender === this.#senders || from < 0) this.#deliver(from, to, arriving, sender)
      })
    }
  }

  #deliver(from: number, to: number, payload: Bytes, sender = this.#senders): void {
    const local = { address: 0, port: 0 }
    if (to < 0) {
      // A connected socket hears its peer alone: strangers are not heard at all.
      if (from === -2) return
      const remote = { address: 10 + from, port: 7735 }
      return this.#sender.event({ kind: 'datagram', socket: from, payload, remote, local })
    }
    const port = from === -2 ? 666 : 5000 + to + 100 * sender
    const remote = { address: from === -2 ? 66 : 1, port }
    this.#receivers[to]?.event({ kind: 'datagram', socket: 0, payload, remote, local })
  }

  #note(who: string, what: string): void {
    this.#lines.push(`${this.now / 1e6} ${who} ${what}`)
  }
}
