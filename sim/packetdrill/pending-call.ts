import type { Nanos } from '../../protocols/time.ts'
import type { Attempt } from './attempt.ts'
import { Deviation } from './deviation.ts'
import { failedWith, type Outcome, outcomeText, sameErrno } from './errno-result.ts'
import type { ScriptEvent, SystemCall } from './script.ts'

/** A call of the script that has begun and that nobody has judged yet. */
export class PendingCall {
  readonly event: ScriptEvent
  readonly call: SystemCall
  /** When it is expected to return, and how exactly. */
  readonly end: Nanos
  readonly #tolerance: Nanos
  readonly #attempt: Attempt
  #ended: { readonly outcome: Outcome; readonly at: Nanos } | null = null

  constructor(
    event: ScriptEvent,
    call: SystemCall,
    attempt: Attempt,
    end: Nanos,
    tolerance: Nanos,
  ) {
    this.event = event
    this.call = call
    this.end = end
    this.#attempt = attempt
    this.#tolerance = tolerance
  }

  get hasEnded(): boolean {
    return this.#ended !== null
  }

  /** Trying again makes sense then, whatever the host does; `null`: only when it does something. */
  get wakeAt(): Nanos | null {
    return this.#ended === null ? (this.#attempt.wakeAt ?? null) : null
  }

  /** The first try: what may not wait fails instead. */
  begin(now: Nanos): void {
    this.tryAgain(now)
    const { otherwise } = this.#attempt
    if (this.#ended !== null || otherwise === null) return
    this.#ended = { outcome: failedWith(otherwise), at: now }
  }

  tryAgain(now: Nanos): void {
    if (this.#ended !== null) return
    const outcome = this.#attempt.try()
    if (outcome !== null) this.#ended = { outcome, at: now }
  }

  /**
   * What it returned, in words, and when.
   *
   * @throws Deviation where it is not what the script has
   */
  judge(ignoresValue: boolean): { readonly at: Nanos; readonly text: string } {
    const { call, end } = this
    const { line } = this.event
    const wanted = call.errno === null ? String(call.result) : `${call.result} ${call.errno}`
    const expected = { at: end, text: `${call.name} = ${wanted}` }
    if (this.#ended === null) {
      throw new Deviation('the call does not return', line, expected, { at: null, text: 'blocked' })
    }
    const { outcome, at } = this.#ended
    const actual = { at, text: `${call.name} = ${outcomeText(outcome)}` }
    if (!asExpected(call, outcome)) throw new Deviation('result', line, expected, actual)
    const { differs } = outcome
    if (differs !== undefined && !ignoresValue) {
      const sides = [
        { at: end, text: differs.expected },
        { at, text: differs.actual },
      ] as const
      throw new Deviation('value', line, ...sides)
    }
    if (Math.abs(at - end) > this.#tolerance) throw new Deviation('time', line, expected, actual)
    return actual
  }
}

/** Calls that make a descriptor: its number is the script's own. */
const MAKES_FILE: readonly string[] = ['socket', 'accept', 'open', 'epoll_create', 'pipe']

function asExpected({ name, result, errno }: SystemCall, outcome: Outcome): boolean {
  if (result === null) return true
  if (MAKES_FILE.includes(name) && result >= 0) return outcome.value >= 0
  if (outcome.value !== result) return false
  return errno === null || (outcome.errno !== null && sameErrno(errno, outcome.errno))
}
