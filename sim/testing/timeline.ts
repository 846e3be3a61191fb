import { assert } from '../../protocols/assert.ts'
import { ip } from '../../protocols/address.ts'
import type { Input } from '../../protocols/engine.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type {
  NumberOption,
  ReadableOption,
  ShutdownHow,
  SocketCall,
  SocketId,
} from '../../protocols/host/socket.ts'
import { seqDiff } from '../../protocols/sequence.ts'
import { NOT_ECT } from '../../protocols/tcp/codepoints.ts'
import { tcpEngine } from '../../protocols/tcp/engine.ts'
import type { TcpChoices } from '../../protocols/tcp/policy.ts'
import { DEFAULT_PROFILE, policyOf, type TcpProfile } from '../../protocols/tcp/profile.ts'
import type { TcpSegment } from '../../protocols/tcp/segment.ts'
import { createTcp, nextDue, type TcpState } from '../../protocols/tcp/state.ts'
import { timestampAt } from '../../protocols/tcp/transmit.ts'
import { NEVER, type Nanos } from '../../protocols/time.ts'
import { type Driven, inPlace, recorded } from '../driver.ts'
import { parseDuration } from '../units.ts'
import { isRefusal, refused } from '../user-error.ts'
import { saidText } from './said-text.ts'
import { parseSegment, segmentText, type Origins } from './segment-notation.ts'
import { assertStreamBytes, streamBytes } from './stream-bytes.ts'

type Call = Input<SocketCall, TcpSegment>
type Connection = Driven<TcpState, SocketCall, TcpSegment, HostEvent>

export interface TimelineOptions {
  /** Virtual time goes on by itself up to here, inclusive: `'200s'`. */
  readonly until: string
  /** Whose choices the connection makes. Default `'rfc'`. */
  readonly profile?: TcpProfile
  /** What differs from the profile's. */
  readonly policy?: Partial<TcpChoices>
  /** The connection waits in LISTEN for the script's SYN. Default: `connect` opens it. */
  readonly passive?: boolean
  /** Initial sequence numbers, ours and the script's. */
  readonly iss?: number
  readonly irs?: number
  /** Largest segment that the path allows, bytes. Default 1460. */
  readonly pathMss?: number
  /** Events that are otherwise left out, for they say what other lines show. */
  readonly show?: readonly Quiet[]
  /** A line `*` with what it returns, after every step that changes it. */
  readonly watch?: (s: TcpState) => string
}
type Quiet = 'rtt' | 'timer' | 'queued' | 'readable'
const QUIET: readonly string[] = ['rtt', 'timer', 'queued', 'readable'] satisfies Quiet[]

/**
 * Plays one side of one TCP connection against a script and lists everything that it does, each
 * with its exact time in seconds. A line of the script is an instant, `0.25` or `+0.25` after the
 * line before, and what happens then:
 *
 *   < S. 0:0(0) ack 1 win 65535 <mss 1460>     a segment arrives (see segment-notation.ts)
 *   < [ce] . 1:1001(1000) ack 1                the same in a packet with this ECN codepoint
 *   connect · send 1000 · send 1 urgent · send 10 more · receive · receive 100 · shutdown · close · abort · info
 *   set TCP_NODELAY 1 · set TCP_CONGESTION reno · get TCP_MAXSEG · shutdown both
 *
 * The result has `>` before what is sent, with the reason where it was sent before, `=` before
 * events, `*` before what is watched. Between the script's lines, time jumps from deadline to
 * deadline; what is due in the same instant as a line of the script comes before it.
 *
 * All bytes, sent and received, are checked against the streams. The script runs with the state
 * changed in place and again recorded, and both must do and leave the same.
 *
 * @throws SyntaxError for a line that cannot be read, InvariantError for bytes out of place, Error
 * where the two runs differ.
 */
export function timeline(script: string, options: TimelineOptions): string {
  const first = play(script, options, inPlace)
  const second = play(script, options, recorded)
  for (const [i, line] of first.all.entries()) {
    if (second.all[i] === line) continue
    throw new Error(`recorded: '${second.all[i] ?? 'nothing'}', in place: '${line}'`)
  }
  if (second.all.length > first.all.length || second.left !== first.left) {
    throw new Error('recorded and in place leave different states')
  }
  return first.shown.join('\n')
}

interface Played {
  readonly all: readonly string[]
  readonly shown: readonly string[]
  /** The state at the end, as JSON. */
  readonly left: string
}

function play(
  script: string,
  options: TimelineOptions,
  drive: (engine: typeof tcpEngine, state: TcpState) => Connection,
): Played {
  const stage = new Stage(options, drive)
  let last: Nanos = 0
  for (const written of script.split('\n')) {
    const line = written.replace(/#.*/, '').trim()
    if (line === '') continue
    const [, plus, time, what] = /^(\+?)(\d+(?:\.\d+)?)\s+(.+)$/.exec(line) ?? []
    if (time === undefined || what === undefined) throw new SyntaxError(`no instant: '${line}'`)
    const at = Math.round(Number(time) * 1e9) + (plus === '+' ? last : 0)
    if (at < last) throw new SyntaxError(`back in time: '${line}'`)
    last = at
    stage.runTimers(at)
    stage.input(at, what)
  }
  const until = parseDuration(options.until)
  if (isRefusal(until)) throw refused(until, 'until', options.until)
  stage.runTimers(until)
  return stage
}

function setting(socket: SocketId, option = '', value = ''): SocketCall {
  if (option === 'TCP_CONGESTION') return { kind: 'set', socket, option, value }
  return { kind: 'set', socket, option: option as NumberOption, value: Number(value) }
}

/** As packetdrill writes the two bits of RFC 3168 §5. */
const CODEPOINTS = ['noecn', 'ect1', 'ect0', 'ce']

/** One connection and everything it has done. */
class Stage implements Played {
  readonly all: string[] = []
  readonly shown: string[] = []
  readonly #driven: Connection
  readonly #options: TimelineOptions
  readonly #theirs: Origins
  readonly #ours: Origins
  #now: Nanos = 0
  #due: Nanos = NEVER
  /** Bytes of our stream that were taken, of theirs that were received. */
  #queued = 0
  #received = 0
  #window = 65_535
  #again = ''
  #watched = ''

  constructor(
    options: TimelineOptions,
    drive: (engine: typeof tcpEngine, state: TcpState) => Connection,
  ) {
    const { passive = false, iss = 1_000_000, irs = 5_000_000, pathMss = 1460 } = options
    const state = createTcp({
      id: 1,
      policy: policyOf(options.profile ?? DEFAULT_PROFILE).with(options.policy ?? {}),
      local: { address: ip('192.0.2.1'), port: passive ? 80 : 40_000 },
      remote: { address: ip('192.0.2.2'), port: passive ? 40_000 : 80 },
      iss: iss | 0,
      pathMss,
      listener: passive ? 0 : -1,
    })
    const clock = timestampAt(state, 0)
    this.#ours = { seq: iss | 0, ack: irs | 0, value: clock, echo: 0 }
    this.#theirs = { seq: irs | 0, ack: iss | 0, value: 0, echo: clock }
    this.#options = options
    this.#driven = drive(tcpEngine, state)
  }

  get left(): string {
    return JSON.stringify(this.#driven.state)
  }

  /** Every deadline up to `until`, in its own step. */
  runTimers(until: Nanos): void {
    while (this.#due <= until) this.#step(this.#due, { kind: 'timer', owner: 1 })
  }

  input(at: Nanos, what: string): void {
    if (!what.startsWith('<')) return this.#step(at, { kind: 'call', call: this.#call(what) })
    const { localPort, remotePort } = this.#driven.state
    const ports = { source: remotePort, destination: localPort }
    const [, mark = '', text = ''] = /^<\s*(?:\[(\w+)\]\s*)?(.*)$/.exec(what) ?? []
    const packet = parseSegment(text, this.#theirs, ports, this.#window)
    this.#window = packet.window
    const port = mark === '' ? NOT_ECT : CODEPOINTS.indexOf(mark)
    if (port < 0) throw new SyntaxError(`no ECN codepoint: '${mark}'`)
    this.#step(at, { kind: 'packet', packet, port })
  }

  #call(what: string): SocketCall {
    const [kind, word, value] = what.split(/\s+/)
    const { id: socket, remoteAddress: address, remotePort: port } = this.#driven.state
    switch (kind) {
      case 'connect':
        return { kind, socket, remote: { address, port } }
      case 'send':
        if (value !== undefined && value !== 'urgent' && value !== 'more') {
          throw new SyntaxError(`sent urgent or more, not '${value}'`)
        }
        return {
          kind,
          socket,
          bytes: streamBytes(this.#queued, Number(word)),
          urgent: value === 'urgent',
          more: value === 'more',
        }
      case 'receive':
        return { kind, socket, max: word === undefined ? Infinity : Number(word) }
      case 'set':
        return setting(socket, word, value)
      case 'get':
        return { kind, socket, option: word as ReadableOption }
      case 'shutdown':
        return { kind, socket, how: (word ?? 'write') as ShutdownHow }
      case 'close':
      case 'abort':
      case 'info':
        return { kind, socket }
      default:
        throw new SyntaxError(`unknown input '${what}'`)
    }
  }

  #step(at: Nanos, input: Call): void {
    this.#now = at
    this.#driven.step(at, input, {
      send: (segment, codepoint) => this.#sent(segment, codepoint),
      event: (event) => this.#said(event),
      wake: (_, due) => (this.#due = due),
    })
    const { state } = this.#driven
    assert(this.#due === nextDue(state.timers), 'the engine says when it is due')
    assert(this.#due > at, 'what was due is done')
    const watched = this.#options.watch?.(state) ?? ''
    if (watched !== this.#watched) this.#say(`* ${watched}`)
    this.#watched = watched
  }

  #sent(segment: TcpSegment, codepoint: number): void {
    const position = seqDiff(segment.seq, this.#ours.seq) - 1
    assertStreamBytes(segment.payload, position, 'a segment sent')
    const mark = codepoint === NOT_ECT ? '' : `[${CODEPOINTS[codepoint]}] `
    this.#say(`> ${mark}${segmentText(segment, this.#ours)}${this.#again}`)
    this.#again = ''
  }

  #said(event: HostEvent): void {
    switch (event.kind) {
      case 'queued':
        this.#queued += event.bytes
        break
      case 'received':
        for (const chunk of event.chunks) {
          assertStreamBytes(chunk, this.#received, 'bytes received')
          this.#received += chunk.length
        }
        break
      case 'retransmit': {
        const count = event.cause === 'rto' ? ` #${event.count}, rto ${event.rto / 1e9}` : ''
        this.#again = `  (${event.cause}${count})`
        return
      }
      default:
    }
    this.#say(`= ${saidText(event)}`, event.kind)
  }

  /** With the time in seconds, as short as it is exact. */
  #say(text: string, kind = ''): void {
    const [whole = '0', fraction] = (this.#now / 1e9)
      .toFixed(9)
      .replace(/\.?0+$/, '')
      .split('.')
    const time = whole.padStart(4) + (fraction === undefined ? '' : `.${fraction}`)
    const line = `${time.padEnd(9)} ${text}`
    this.all.push(line)
    const { show = [] } = this.#options
    if (QUIET.includes(kind) && !(show as readonly string[]).includes(kind)) return
    this.shown.push(line)
  }
}
