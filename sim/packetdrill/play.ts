import { type Ipv4Address, parseIpv4Text } from '../../protocols/address.ts'
import type { TcpPolicy } from '../../protocols/tcp/policy.ts'
import { ACK, SYN } from '../../protocols/tcp/segment.ts'
import type { TcpState } from '../../protocols/tcp/state.ts'
import { type Nanos, s } from '../../protocols/time.ts'
import { type Addresses, type Attempt, beginCall } from './calls.ts'
import { runCode } from './code.ts'
import { difference, liveText, stampError } from './compare.ts'
import { Conversation, ScriptMistake } from './conversation.ts'
import { Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, outcomeText, sameErrno } from './errno-result.ts'
import { isShort, joinPackets } from './join-segments.ts'
import type { Script, ScriptEvent, ScriptPacket, SystemCall } from './script.ts'
import { type Drive, type SentPacket, Stage } from './stage.ts'
import { settingsOf, stateWord } from './sysctl.ts'

export interface PlayConfig {
  readonly drive: Drive
  readonly policy: TcpPolicy
  /** Windows, padding and order of options, window scales and receive buffers are not looked at. */
  readonly neutral: boolean
}

/** What was to be, or what was, and when; `text` in the notation of scripts. */
export interface Side {
  /** `null`: never, or whenever. */
  readonly at: Nanos | null
  readonly text: string
}

/** Something did not go as the script has it. */
export class Deviation extends Error {
  override name = 'Deviation'
  readonly line: number
  readonly expected: Side | null
  readonly actual: Side | null

  constructor(
    what: string,
    line: number,
    expected: Side | null = null,
    actual: Side | null = null,
  ) {
    super(what)
    this.line = line
    this.expected = expected
    this.actual = actual
  }
}

/** Beyond the time that is expected, and for a packet that may come at any time. */
const PATIENCE: Nanos = s(2)
const LONG_PATIENCE: Nanos = s(86_400)
/** A blocking call that the next call waits for. */
const CALL_PATIENCE: Nanos = s(1)

/** Where the ports of the script's side begin. */
const FIRST_REMOTE_PORT = 40_000

interface Pending {
  readonly event: ScriptEvent
  readonly call: SystemCall
  readonly attempt: Attempt
  /** When it is expected to return, and how exactly. */
  readonly end: Nanos
  readonly tolerance: Nanos
  ended: { readonly outcome: Outcome; readonly at: Nanos } | null
}

/** One performance of one script. */
export class Play {
  /** What happened, line by line. */
  readonly log: string[] = []
  readonly #script: Script
  readonly #config: PlayConfig
  readonly #stage: Stage
  readonly #files: Descriptors
  readonly #at: Addresses
  #talk: Conversation | null = null
  #listening = false
  #pending: Pending | null = null
  /** When the last event was due. */
  #previous: Nanos = 0
  #lastAbsolute: Nanos = 0
  #nextPort = FIRST_REMOTE_PORT

  constructor(script: Script, config: PlayConfig) {
    this.#script = script
    this.#config = config
    const address = (name: string, usual: string): Ipv4Address =>
      parseIpv4Text(this.#option(name, usual).replace(/\/\d+$/, '')) ?? 0
    const local = address('local_ip', '192.168.0.1')
    const remote = address('remote_ip', '192.0.2.1')
    this.#at = {
      local: { address: local, port: this.#number('bind_port', 8080) },
      remote: { address: remote, port: this.#number('connect_port', 8080) },
    }
    this.#stage = new Stage({
      drive: config.drive,
      policy: config.policy,
      local,
      prefixLength: Number(/\/(\d+)$/.exec(this.#option('local_ip', ''))?.[1] ?? 16),
      gateway: address('gateway_ip', '192.168.0.2'),
      mtu: this.#number('mtu', 1500),
    })
    this.#files = new Descriptors(this.#stage)
  }

  /** @throws Deviation */
  run(): void {
    const { init, events, cleanup } = this.#script
    if (init !== null) this.#command(init.text, init.line)
    for (const event of events) this.#event(event)
    this.#settle()
    if (cleanup !== null) this.#command(cleanup.text, cleanup.line)
  }

  #option(name: string, usual: string): string {
    return this.#script.options.get(name) ?? usual
  }
  #number(name: string, usual: number): number {
    return Number(this.#option(name, String(usual)))
  }

  #event(event: ScriptEvent): void {
    const { when, action, line } = event
    const due = this.#dueAt(event)
    const tolerance = this.#tolerance(due)
    if (action.kind === 'packet' && !action.inbound) {
      this.#expectPacket(event, action.packet, due, tolerance)
    } else {
      this.#advance(due)
      const late = this.#stage.now - due
      if (late > tolerance) {
        throw new Deviation(`this was due ${late / 1e9} s ago`, line, null, null)
      }
      if (action.kind === 'packet') this.#inject(event, action.packet)
      else if (action.kind === 'command') this.#command(action.text, line)
      else if (action.kind === 'code') this.#code(action.text, line)
      else {
        const returns = when.kind === 'at' ? when.returns : null
        const base = when.kind === 'at' ? due - when.time : due
        this.#call(event, action, returns === null ? null : base + returns, tolerance)
      }
    }
    this.#previous = due
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
    const fixed = this.#number('tolerance_usecs', 4000) * 1000
    const part = this.#number('tolerance_percent', 12.5) / 100
    return Math.max(fixed, part * (due - this.#previous))
  }

  #note(mark: string, text: string, at: Nanos = this.#stage.now): void {
    this.log.push(`${(at / 1e9).toFixed(6)} ${mark} ${text}`)
  }

  /** Time goes on; a call that blocks is tried again after everything that the host does. */
  #advance(until: Nanos, enough: () => boolean = () => false): void {
    const stop = (): boolean => {
      this.#tryPending()
      return enough()
    }
    const wakeAt = this.#pending?.ended === null ? (this.#pending.attempt.wakeAt ?? until) : until
    if (wakeAt > this.#stage.now && wakeAt < until) {
      this.#stage.run(wakeAt, stop)
      if (stop()) return
    }
    this.#stage.run(until, stop)
    this.#tryPending()
  }

  #tryPending(): void {
    const pending = this.#pending
    if (pending === null || pending.ended !== null) return
    const outcome = pending.attempt.try()
    if (outcome !== null) pending.ended = { outcome, at: this.#stage.now }
  }

  #call(event: ScriptEvent, call: SystemCall, end: Nanos | null, tolerance: Nanos): void {
    this.#settle()
    this.#prepare(call)
    const attempt = beginCall(call, event.line, this.#files, this.#at)
    const { now } = this.#stage
    let outcome = attempt.try()
    if (outcome === null && attempt.otherwise !== null) outcome = failedWith(attempt.otherwise)
    const ended = outcome === null ? null : { outcome, at: now }
    this.#pending = { event, call, attempt, end: end ?? now, tolerance, ended }
    this.#follow(call)
    if (end === null) this.#settle()
  }

  /** A call may begin the conversation that the script is about. */
  #prepare(call: SystemCall): void {
    const fd = call.args[0]
    const d = fd?.kind === 'number' ? this.#files.get(fd.value) : undefined
    if (d === undefined || d.connected || d.connecting) return
    const sendsFirst = call.name === 'sendto' && d.protocol === 'udp' && this.#talk === null
    if (call.name === 'connect' || sendsFirst) {
      this.#listening = false
      this.#talk = this.#converse(this.#at.remote.port, 0, true, null)
    }
  }

  /** What a call has changed about whom the script talks to. */
  #follow({ name, args }: SystemCall): void {
    if (name === 'listen') this.#listening = true
    const fd = args[0]
    const d = fd?.kind === 'number' ? this.#files.get(fd.value) : undefined
    const socket = d === undefined ? null : this.#files.socketOf(d)
    if (name !== 'connect' || socket?.kind !== 'udp' || this.#talk === null) return
    this.#talk.localPort = socket.port
    this.#talk.awaitsSyn = false
  }

  #converse(
    remotePort: number,
    localPort: number,
    awaitsSyn: boolean,
    isn: number | null,
  ): Conversation {
    const local = this.#at.local.address as Ipv4Address
    const remote = this.#at.remote.address as Ipv4Address
    const scaled = this.#script.options.has('tcp_ts_ecr_scaled')
    return new Conversation({ local, remote, localPort, remotePort, awaitsSyn }, isn, scaled)
  }

  /** Waits for the call that is under way, and judges it. */
  #settle(): void {
    const pending = this.#pending
    if (pending === null) return
    if (pending.ended === null) {
      this.#advance(
        Math.max(this.#stage.now, pending.end) + CALL_PATIENCE,
        () => pending.ended !== null,
      )
    }
    this.#pending = null
    const { event, call, ended, end, tolerance } = pending
    const { line } = event
    const wanted = call.errno === null ? String(call.result) : `${call.result} ${call.errno}`
    const expected = { at: end, text: `${call.name} = ${wanted}` }
    if (ended === null) {
      throw new Deviation('the call does not return', line, expected, { at: null, text: 'blocked' })
    }
    const { outcome, at } = ended
    const actual = { at, text: `${call.name} = ${outcomeText(outcome)}` }
    this.#note('=', actual.text, at)
    if (!this.#asExpected(call, outcome)) throw new Deviation('result', line, expected, actual)
    if (outcome.differs !== undefined && !this.#ignores(call)) {
      const { differs } = outcome
      throw new Deviation(
        'value',
        line,
        { at: end, text: differs.expected },
        { at, text: differs.actual },
      )
    }
    if (Math.abs(at - end) > tolerance) throw new Deviation('time', line, expected, actual)
  }

  #asExpected({ name, result, errno }: SystemCall, outcome: Outcome): boolean {
    if (result === null) return true
    const makesFile = name === 'socket' || name === 'accept'
    if (makesFile && result >= 0) return outcome.value >= 0
    if (outcome.value !== result) return false
    return errno === null || (outcome.errno !== null && sameErrno(errno, outcome.errno))
  }

  #ignores({ name, args }: SystemCall): boolean {
    const option = args[2]?.kind === 'word' ? args[2].name : ''
    return this.#config.neutral && name === 'getsockopt' && option === 'SO_RCVBUF'
  }

  #inject({ text, line }: ScriptEvent, packet: ScriptPacket): void {
    if (this.#talk === null || this.#listening) {
      const isn = packet.kind === 'tcp' ? (packet.seq ?? 0) : 0
      this.#talk = this.#converse(this.#nextPort++, this.#at.local.port, false, isn)
      // What is no SYN does not take the listener's place.
      const opens = packet.kind !== 'tcp' || (packet.flags & (SYN | ACK)) === SYN
      if (opens) this.#listening = false
    }
    this.#note('', text)
    try {
      this.#stage.receive(this.#talk.toLive(packet))
    } catch (e) {
      throw e instanceof ScriptMistake ? new Deviation(e.message, line) : e
    }
    this.#tryPending()
  }

  #expectPacket(event: ScriptEvent, packet: ScriptPacket, due: Nanos, tolerance: Nanos): void {
    const { when, line, text } = event
    const width = when.kind === 'at' ? when.latest - when.time : 0
    const wanted = { at: when.kind === 'any' ? null : due, text }
    const patience = when.kind === 'any' ? LONG_PATIENCE : width + PATIENCE
    const found = this.#next(due + patience)
    const talk = this.#talk
    if (found === null || talk === null) {
      throw new Deviation('nothing was sent', line, wanted, { at: null, text: 'nothing' })
    }
    talk.learn(packet, found.packet.payload)
    const { packet: whole, at } = this.#joined(found, packet, due + patience)
    const actual = { at, text: `> ${liveText(whole, talk)}` }
    this.#note('', actual.text, at)
    const wrong = difference(packet, whole, talk, this.#config.neutral)
    if (wrong !== null) throw new Deviation(wrong, line, wanted, actual)
    const tick = this.#number('tcp_ts_tick_usecs', 0) * 1000
    if (stampError(packet, whole, talk) * tick > tolerance) {
      throw new Deviation('TS val', line, wanted, actual)
    }
    if (when.kind === 'any') return
    if (at < due - tolerance || at > due + width + tolerance) {
      throw new Deviation('time', line, wanted, actual)
    }
  }

  /** The next packet of the conversation, out of those sent or still to be sent. */
  #next(deadline: Nanos): SentPacket | null {
    const { sent } = this.#stage
    const isReady = (): boolean => {
      while (sent.length > 0 && this.#talk?.owns(sent[0]!.packet) !== true) sent.shift()
      return sent.length > 0
    }
    this.#advance(deadline, isReady)
    return isReady() ? sent.shift()! : null
  }

  /** A long segment of the script stands for several in a row, unless `--strict_segments`. */
  #joined(first: SentPacket, expected: ScriptPacket, deadline: Nanos): SentPacket {
    let whole = first
    if (expected.kind !== 'tcp' || this.#script.options.has('strict_segments')) return whole
    while (isShort(whole.packet, expected.length)) {
      const next = this.#next(deadline)
      if (next === null) return whole
      const packet = joinPackets(whole.packet, next.packet)
      if (packet === null) {
        this.#stage.sent.unshift(next)
        return whole
      }
      whole = { packet, at: next.at }
    }
    return whole
  }

  #command(text: string, line: number): void {
    const stage = this.#stage
    for (const setting of settingsOf(text, line)) {
      if (setting.kind === 'policy') stage.policy = stage.policy.with(setting.changes)
      else if (setting.kind === 'drop-time-wait') {
        for (const socket of stage.state.sockets) {
          if (socket?.kind !== 'connection' || socket.state !== 'TIME-WAIT') continue
          stage.call({ kind: 'abort', socket: socket.id })
        }
      } else if (setting.kind === 'count') {
        const actual = setting.state === 'CLOSED' ? this.#files.gone : this.#count(setting.state)
        if (actual === setting.expected) continue
        throw new Deviation(
          `${actual} sockets are in ${setting.state}, not ${setting.expected}`,
          line,
        )
      }
    }
  }

  #count(word: string): number {
    const { sockets } = this.#stage.state
    return sockets.filter((each) => each?.kind === 'connection' && stateWord(each.state) === word)
      .length
  }

  #code(text: string, line: number): void {
    const talk = this.#talk
    const connection = this.#stage.state.sockets.find(
      (each): each is TcpState =>
        each?.kind === 'connection' &&
        each.localPort === talk?.localPort &&
        each.remotePort === talk.remotePort,
    )
    const state = connection?.state ?? (this.#listening ? 'LISTEN' : 'CLOSED')
    const wrong = runCode(text, connection ?? null, state, line)
    if (wrong !== null) throw new Deviation(wrong, line)
  }
}
