import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import type { Nanos } from '../../protocols/time.ts'
import { numberOf } from './constants.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import type { SystemCall } from './script.ts'
import type { ScriptSettings } from './script-settings.ts'

/** A call under way. */
export interface Attempt {
  /** `null`: it has to wait. */
  readonly try: () => Outcome | null
  /** What it returns where it may not wait; `null`: it may. */
  readonly otherwise: string | null
  /** Trying again makes sense then, whatever the host does. */
  readonly wakeAt?: number
}

/** Begins a call. Reads its arguments before it does anything. */
export type Carry = (
  call: SystemCall,
  line: number,
  files: Descriptors,
  settings: ScriptSettings,
) => Attempt

export const atOnce = (outcome: () => Outcome): Attempt => ({ try: outcome, otherwise: null })

/** An attempt that gives up after `timeout`, with what there was by then; 0: it does not give up. */
export function within(
  stage: { readonly now: Nanos },
  timeout: Nanos,
  { soFar, ...attempt }: Attempt & { readonly soFar: () => number },
): Attempt {
  if (timeout === 0 || attempt.otherwise !== null) return attempt
  const wakeAt = stage.now + timeout
  const late = (): Outcome => (soFar() > 0 ? returned(soFar()) : failedWith('EAGAIN'))
  return { ...attempt, wakeAt, try: () => attempt.try() ?? (stage.now >= wakeAt ? late() : null) }
}

export const rejection = (events: readonly HostEvent[]): Outcome | null => {
  const rejected = events.find((event) => event.kind === 'rejected')
  return rejected === undefined ? null : failedWith(rejected.error)
}

/** Carries out a call on a socket whose only answer is an error or none. */
export function simple(files: Descriptors, call: SocketCall): Outcome {
  return rejection(files.stage.call(call)) ?? returned(0)
}

const BAD: Attempt = atOnce(() => failedWith('EBADF'))

/** A call whose first argument is the descriptor of a socket. */
export const onSocket =
  (carry: (d: Descriptor, ...rest: Parameters<Carry>) => Attempt): Carry =>
  (call, line, files, settings) => {
    const d = files.get(numberOf(call.args[0], line))
    return d === undefined ? BAD : carry(d, call, line, files, settings)
  }

/** SO_ERROR, told once. */
export function pendingError(d: Descriptor): Outcome {
  const { error } = d
  d.error = null
  return failedWith(error ?? 'EINVAL')
}
