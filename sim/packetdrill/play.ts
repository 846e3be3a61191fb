import type { TcpPolicy } from '../../protocols/tcp/policy.ts'
import type { TcpState } from '../../protocols/tcp/state.ts'
import { type Nanos, s } from '../../protocols/time.ts'
import { beginCall } from './calls.ts'
import { opensBySending } from './data-calls.ts'
import { runCode } from './code.ts'
import { runCommand } from './commands.ts'
import { difference, liveText, stampError } from './compare.ts'
import { datagramDifference, datagramText } from './datagram.ts'
import { type Conversation, ScriptMistake } from './conversation.ts'
import { type Descriptor, Descriptors } from './descriptors.ts'
import { Deviation } from './deviation.ts'
import { isShort, joinPackets } from './join-segments.ts'
import { PendingCall } from './pending-call.ts'
import type { Script, ScriptEvent, ScriptPacket, SystemCall } from './script.ts'
import { type ScriptSettings, settingsIn } from './script-settings.ts'
import { destinationOf } from './socket-address.ts'
import { type Drive, type SentPacket, Stage } from './stage.ts'
import { Talks } from './talks.ts'

export interface PlayConfig {
  readonly drive: Drive
  readonly policy: TcpPolicy
  /** Windows, padding and order of options, window scales and receive buffers are not looked at. */
  readonly neutral: boolean
}

/** Beyond the time that is expected, and for a packet that may come at any time. */
const PATIENCE: Nanos = s(2)
const LONG_PATIENCE: Nanos = s(86_400)
/** A blocking call that the next call waits for. */
const CALL_PATIENCE: Nanos = s(1)

/** A command that takes its time. */
const SLEEP = /\bsleep (\d*\.?\d+)/g

/** One performance of one script. */
export class Play {
  /** What happened, line by line. */
  readonly log: string[] = []
  readonly #script: Script
  readonly #settings: ScriptSettings
  readonly #neutral: boolean
  readonly #stage: Stage
  readonly #files: Descriptors
  readonly #talks: Talks
  #pending: PendingCall | null = null
  /** When the last event was due. */
  #previous: Nanos = 0
  #lastAbsolute: Nanos = 0

  constructor(script: Script, { drive, policy, neutral }: PlayConfig) {
    this.#script = script
    this.#neutral = neutral
    this.#settings = settingsIn(script)
    this.#stage = new Stage({ drive, policy, ...this.#settings })
    this.#files = new Descriptors(this.#stage)
    this.#talks = new Talks(this.#settings)
  }

  /** @throws Deviation */
  run(): void {
    const { init, events, cleanup } = this.#script
    if (init !== null) this.#command(init.text, init.line)
    for (const event of events) {
      try {
        this.#event(event)
      } catch (e) {
        if (!(e instanceof Deviation) || !this.#mayFail(event)) throw e
        this.#note('!', `line ${e.line}: ${e.message}`)
      }
    }
    this.#settle()
    if (cleanup !== null) this.#command(cleanup.text, cleanup.line)
  }

  /** `--non_fatal`: it is noted, and the script goes on. */
  #mayFail({ action }: ScriptEvent): boolean {
    const { nonFatal } = this.#settings
    return (
      (action.kind === 'packet' && nonFatal.includes('packet')) ||
      (action.kind === 'call' && nonFatal.includes('syscall'))
    )
  }

  #event(event: ScriptEvent): void {
    const { when, action, line } = event
    const due = this.#dueAt(event)
    const tolerance = this.#tolerance(due)
    this.#previous = due
    if (action.kind === 'packet' && !action.inbound) {
      this.#expectPacket(event, action.packet, due, tolerance)
      if (when.kind === 'any') this.#previous = this.#stage.now
      return
    }
    this.#advance(due)
    const late = this.#stage.now - due
    if (late > tolerance) throw new Deviation(`this was due ${late / 1e9} s ago`, line)
    if (action.kind === 'packet') this.#inject(event, action.packet)
    else if (action.kind === 'command') this.#command(action.text, line)
    else if (action.kind === 'code') this.#code(action.text, line)
    else {
      const returns = when.kind === 'at' ? when.returns : null
      const base = when.kind === 'at' ? due - when.time : due
      this.#call(event, action, returns === null ? null : base + returns, tolerance)
    }
  }

  #dueAt({ when, line }: ScriptEvent): Nanos {
    if (when.kind === 'any') return this.#stage.now
    if (when.relative) return this.#stage.now + when.time
    if (when.time < this.#lastAbsolute) {
      throw new Deviation('the script goes back in time', line)
    }
    this.#lastAbsolute = when.time
    return when.time
  }

  /** Nanoseconds either way: a fixed time, or a part of the time since the event before. */
  #tolerance(due: Nanos): Nanos {
    const { toleranceFixed, tolerancePart } = this.#settings
    return Math.max(toleranceFixed, tolerancePart * (due - this.#previous))
  }

  #note(mark: string, text: string, at: Nanos = this.#stage.now): void {
    this.log.push(`${(at / 1e9).toFixed(6)} ${mark} ${text}`)
  }

  /** Time goes on; a call that blocks is tried again after everything that the host does. */
  #advance(until: Nanos, enough: () => boolean = () => false): void {
    const stop = (): boolean => {
      this.#pending?.tryAgain(this.#stage.now)
      return enough()
    }
    const wakeAt = this.#pending?.wakeAt ?? until
    if (wakeAt > this.#stage.now && wakeAt < until) {
      this.#stage.run(wakeAt, stop)
      if (stop()) return
    }
    this.#stage.run(until, stop)
    this.#pending?.tryAgain(this.#stage.now)
  }

  #fileOf({ args }: SystemCall): Descriptor | undefined {
    return args[0]?.kind === 'number' ? this.#files.get(args[0].value) : undefined
  }

  #call(event: ScriptEvent, call: SystemCall, end: Nanos | null, tolerance: Nanos): void {
    this.#settle()
    const to = destinationOf(call, this.#settings, event.line)
    const file = this.#fileOf(call)
    const opens = file !== undefined && opensBySending(file, call, event.line, this.#files)
    this.#talks.prepare(call, file, to, opens)
    const attempt = beginCall(call, event.line, this.#files, this.#settings)
    const { now } = this.#stage
    const pending = new PendingCall(event, call, attempt, end ?? now, tolerance)
    this.#pending = pending
    pending.begin(now)
    this.#talks.follow(call, this.#fileOf(call), this.#files)
    if (end === null) this.#settle()
  }

  /** Waits for the call that is under way, and judges it. */
  #settle(): void {
    const pending = this.#pending
    if (pending === null) return
    if (!pending.hasEnded) {
      const patience = Math.max(this.#stage.now, pending.end) + CALL_PATIENCE
      this.#advance(patience, () => pending.hasEnded)
    }
    this.#pending = null
    const { at, text } = pending.judge(this.#ignores(pending.call))
    this.#note('=', text, at)
  }

  #ignores({ name, args }: SystemCall): boolean {
    const option = args[2]?.kind === 'word' ? args[2].name : ''
    return this.#neutral && name === 'getsockopt' && option === 'SO_RCVBUF'
  }

  #inject({ text, line }: ScriptEvent, packet: ScriptPacket): void {
    const talk = this.#talks.ofArriving(packet)
    this.#note('', text)
    try {
      this.#stage.receive(talk.toLive(packet))
    } catch (e) {
      throw e instanceof ScriptMistake ? new Deviation(e.message, line) : e
    }
    this.#pending?.tryAgain(this.#stage.now)
  }

  #expectPacket(event: ScriptEvent, packet: ScriptPacket, due: Nanos, tolerance: Nanos): void {
    const { when, line, text } = event
    const width = when.kind === 'at' ? when.latest - when.time : 0
    const wanted = { at: when.kind === 'any' ? null : due, text }
    const patience = when.kind === 'any' ? LONG_PATIENCE : width + PATIENCE
    const talk = this.#talks.ofExpected(packet)
    const found = this.#next(talk, due + patience)
    if (found === null || talk === null) {
      throw new Deviation('nothing was sent', line, wanted, { at: null, text: 'nothing' })
    }
    talk.learn(packet, found.packet.payload)
    const { packet: whole, at, udp } = this.#joined(talk, found, packet, due + patience)
    const actual = { at, text: `> ${liveText(whole, talk)}${datagramText(udp)}` }
    this.#note('', actual.text, at)
    const wrong = datagramDifference(packet, udp) ?? difference(packet, whole, talk, this.#neutral)
    if (wrong !== null) throw new Deviation(wrong, line, wanted, actual)
    if (stampError(packet, whole, talk) * this.#settings.stampTick > tolerance) {
      throw new Deviation('TS val', line, wanted, actual)
    }
    if (when.kind === 'any') return
    if (at < due - tolerance || at > due + width + tolerance) {
      throw new Deviation('time', line, wanted, actual)
    }
  }

  /** The next packet of a conversation, out of those sent or still to be sent. */
  #next(talk: Conversation | null, deadline: Nanos): SentPacket | null {
    const { sent } = this.#stage
    let looked = 0
    const find = (): boolean => {
      while (looked < sent.length) {
        const { packet } = sent[looked]!
        if (talk?.owns(packet) === true) return true
        if (this.#talks.concerns(packet)) looked += 1
        else sent.splice(looked, 1)
      }
      return false
    }
    this.#advance(deadline, find)
    return find() ? sent.splice(looked, 1)[0]! : null
  }

  /** A long segment of the script stands for several in a row, unless `--strict_segments`. */
  #joined(
    talk: Conversation,
    first: SentPacket,
    expected: ScriptPacket,
    deadline: Nanos,
  ): SentPacket {
    let whole = first
    if (expected.kind !== 'tcp' || this.#settings.strictSegments) return whole
    while (isShort(whole.packet, expected.length)) {
      const next = this.#next(talk, deadline)
      if (next === null) return whole
      const packet = joinPackets(whole.packet, next.packet)
      if (packet === null) {
        this.#stage.sent.unshift(next)
        return whole
      }
      whole = { packet, at: next.at, udp: next.udp }
    }
    return whole
  }

  #command(text: string, line: number): void {
    for (const [, seconds] of text.matchAll(SLEEP)) {
      this.#advance(this.#stage.now + s(Number(seconds)))
    }
    const wrong = runCommand(text, line, this.#stage, this.#files)
    if (wrong !== null) throw new Deviation(wrong, line)
  }

  #code(text: string, line: number): void {
    const talk = this.#talks.current
    const connection = this.#stage.state.sockets.find(
      (each): each is TcpState =>
        each?.kind === 'connection' &&
        (talk?.awaitsSyn ? each.state === 'SYN-SENT' : each.localPort === talk?.localPort) &&
        each.remotePort === talk?.remotePort,
    )
    const state = connection?.state ?? (this.#talks.listening ? 'LISTEN' : 'CLOSED')
    const wrong = runCode(text, connection ?? null, state, line, this.#stage.now)
    if (wrong !== null) throw new Deviation(wrong, line)
  }
}
