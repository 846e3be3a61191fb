import { enableMapSet, produce } from 'immer'
import type { Application, ApplicationInput } from '../protocols/application.ts'
import type { SocketCall } from '../protocols/host/socket.ts'
import { NEVER, type Nanos, s } from '../protocols/time.ts'

enableMapSet()

/** Inputs with their times in seconds. */
export type Script<Command> = readonly (readonly [at: number, input: ApplicationInput<Command>])[]

/**
 * Plays a script against an application engine and lets its deadlines come by themselves; lists all
 * it says, with the time. Once in place and once on immutable states: both must say the same.
 */
export function applicationTimeline<State, Command, Report>(
  engine: Application<State, Command, Report>,
  create: () => State,
  script: Script<Command>,
  until: number,
  say: {
    readonly call: (call: SocketCall) => string | null
    readonly report: (report: Report) => string | null
  },
): string {
  const live = create()
  const inPlace = play((act) => act(live), engine, script, until, say)
  let frozen = create()
  const recorded = play(
    (act) => {
      frozen = produce(frozen, (draft) => act(draft as State))
    },
    engine,
    script,
    until,
    say,
  )
  if (recorded !== inPlace) throw new Error(`recorded differs:\n${recorded}\nin place:\n${inPlace}`)
  return inPlace
}

function play<State, Command, Report>(
  step: (act: (state: State) => void) => void,
  engine: Application<State, Command, Report>,
  script: Script<Command>,
  until: number,
  say: Parameters<typeof applicationTimeline<State, Command, Report>>[4],
): string {
  const lines: string[] = []
  let due: Nanos = NEVER
  let next = 0
  for (;;) {
    const given = script[next]
    const at = Math.min(due, given === undefined ? NEVER : s(given[0]))
    if (at > s(until)) return lines.join('\n')
    let input: ApplicationInput<Command> = { kind: 'timer' }
    if (given !== undefined && at === s(given[0])) {
      input = given[1]
      next += 1
    } else due = NEVER
    const line = (what: string | null) => {
      if (what !== null) lines.push(`${seconds(at)}  ${what}`)
    }
    // Read after the step: what was said is a value, and no part of a state.
    const said: (() => string | null)[] = []
    step((state) =>
      engine.step(state, at, input, {
        call: (call) => void said.push(() => say.call(call)),
        report: (report) => void said.push(() => say.report(report)),
        wake: (time) => {
          due = time
        },
      }),
    )
    for (const each of said) line(each())
  }
}

const seconds = (at: Nanos): string => String(at / 1e9).padStart(13)
