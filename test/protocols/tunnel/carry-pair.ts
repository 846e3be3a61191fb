import { produce } from 'immer'
import type { ApplicationInput } from '../../../protocols/application.ts'
import { ip } from '../../../protocols/address.ts'
import type { Bytes } from '../../../protocols/bytes.ts'
import { NEVER, type Nanos, s as seconds } from '../../../protocols/time.ts'
import { carryEngine, type PacketCodec } from '../../../protocols/tunnel/carry.ts'
import {
  CARRY_DEFAULTS,
  type CarryConfig,
  type CarryReport,
  type CarryState,
  createCarry,
} from '../../../protocols/tunnel/carry-state.ts'

/** What becomes of a datagram: when it arrives, from now on; or the first link does not take it. */
export type Fate = (bytes: Bytes, from: number, count: number) => readonly Nanos[] | 'too big'

const OUTSIDE = 0
const INSIDE = 1

/** Two ends of a tunnel, and between them whatever a test wants. No world, and no host. */
export class CarryPair {
  now: Nanos = 0
  readonly states: CarryState[] = []
  /** What came out at each end. */
  readonly out: { readonly at: Nanos; readonly bytes: Bytes }[][] = [[], []]
  readonly reports: string[] = []
  /** What went outside, from either end. */
  readonly sent: { readonly from: number; readonly bytes: Bytes }[] = []
  /** MTUs that were set at each end. */
  readonly mtus: number[][] = [[], []]
  readonly #engine
  readonly #fate: Fate
  readonly #recorded: boolean
  /** At one instant. */
  #steps = 0
  readonly #due: Nanos[] = [NEVER, NEVER]
  readonly #flying: { readonly at: Nanos; readonly to: number; readonly bytes: Bytes }[] = []

  constructor(
    fate: Fate,
    options: Partial<CarryConfig> = {},
    codec: PacketCodec | null = null,
    recorded = false,
  ) {
    this.#engine = carryEngine(codec)
    this.#fate = fate
    this.#recorded = recorded
    for (const end of [0, 1]) this.states.push(createCarry(configOf(end, options)))
    for (const end of [0, 1]) this.begin(end)
  }

  begin(end: number): void {
    this.#step(end, { kind: 'start' })
    this.#step(end, { kind: 'socket', event: { kind: 'opened', socket: OUTSIDE, protocol: 'raw' } })
    this.#step(end, { kind: 'socket', event: { kind: 'opened', socket: INSIDE, protocol: 'tun' } })
  }

  /** As after a crash: nothing is remembered, and nobody was told. */
  restart(end: number, options: Partial<CarryConfig> = {}): void {
    const random = Uint8Array.of(9, end, this.sent.length)
    const epoch = this.states[end]!.config.epoch + 1000
    this.states[end] = createCarry({ ...configOf(end, options), random, epoch })
    this.begin(end)
  }

  /** A packet comes from inside. */
  give(end: number, bytes: Bytes): void {
    this.#heard(end, INSIDE, bytes)
  }

  /** A datagram comes from outside, whoever sent it. */
  inject(end: number, bytes: Bytes): void {
    this.#heard(end, OUTSIDE, bytes)
  }

  stop(end: number): void {
    this.#step(end, { kind: 'command', command: 'stop' })
  }

  /** Lets time pass, in seconds from the start. */
  until(time: number, each: () => void = () => {}): void {
    const end = seconds(time)
    for (;;) {
      this.#flying.sort((a, b) => a.at - b.at)
      const flying = this.#flying[0]?.at ?? NEVER
      const at = Math.min(flying, ...this.#due)
      if (at > end) break
      this.#steps = at === this.now ? this.#steps + 1 : 0
      if (this.#steps > 10_000) throw new Error(`the clock stands still at ${at / 1e9} s`)
      this.now = at
      if (flying === at) {
        const { to, bytes } = this.#flying.shift()!
        this.#heard(to, OUTSIDE, bytes)
      } else {
        const index = this.#due.indexOf(at)
        this.#due[index] = NEVER
        this.#step(index, { kind: 'timer' })
      }
      each()
    }
    this.now = end
  }

  #heard(end: number, socket: number, payload: Bytes): void {
    const remote = { address: ip('192.0.2.1'), port: 0 }
    const local = { address: ip('192.0.2.2'), port: 0 }
    this.#step(end, {
      kind: 'socket',
      event: { kind: 'datagram', socket, payload, remote, local },
    })
  }

  #step(end: number, input: ApplicationInput<'stop'>): void {
    const calls: (() => void)[] = []
    const act = (state: CarryState): void =>
      this.#engine.step(state, this.now, input, {
        call: (call) => {
          if (call.kind === 'send') {
            const { socket, bytes } = call
            calls.push(() =>
              socket === INSIDE ? this.#handedOver(end, bytes) : this.#send(end, bytes),
            )
          }
          if (call.kind === 'set' && call.option === 'SIOCSIFMTU') this.mtus[end]!.push(call.value)
        },
        report: (report) => void this.reports.push(textOf(end, report, this.now)),
        wake: (at) => {
          this.#due[end] = at
        },
      })
    if (this.#recorded)
      this.states[end] = produce(this.states[end]!, (draft) => act(draft as CarryState))
    else act(this.states[end]!)
    for (const call of calls) call()
  }

  #handedOver(end: number, bytes: Bytes): void {
    this.out[end]!.push({ at: this.now, bytes: Uint8Array.from(bytes) })
  }

  #send(end: number, bytes: Bytes): void {
    this.sent.push({ from: end, bytes: Uint8Array.from(bytes) })
    const fate = this.#fate(bytes, end, this.sent.length)
    if (fate === 'too big') {
      const about = { socket: OUTSIDE, call: 'send', error: 'EMSGSIZE' } as const
      return this.#step(end, { kind: 'socket', event: { kind: 'rejected', ...about } })
    }
    for (const delay of fate) {
      this.#flying.push({ at: this.now + delay, to: 1 - end, bytes: Uint8Array.from(bytes) })
    }
  }
}

const configOf = (end: number, options: Partial<CarryConfig>): CarryConfig => ({
  ...CARRY_DEFAULTS,
  peer: ip(`192.0.2.${2 - end}`),
  random: Uint8Array.of(end),
  ...options,
})

function textOf(end: number, report: CarryReport, now: Nanos): string {
  const what = 'mtu' in report ? ` ${report.mtu}` : 'why' in report ? ` ${report.why}` : ''
  return `${now / 1e9} ${end} ${report.kind}${what}`
}
