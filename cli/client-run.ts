import type { Command } from 'commander'
import type { IpAddress } from '../protocols/address.ts'
import type { Application } from '../protocols/application.ts'
import { EXIT_INTERRUPTED } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { hostFor } from './kernel-app.ts'
import { stackScenario } from './own-stack.ts'
import { collect } from './verb.ts'

/** Whose sockets a client uses: the kernel's, or those of a stack of our own on a device. */
export interface ClientPlace {
  readonly bind?: string
  readonly address: readonly string[]
  readonly gateway?: string
}

export const placeOptions = (command: Command): Command =>
  command
    .option('--bind <device>', 'over a stack of our own: tap:tap0, packet:eth1')
    .option('--address <address>', "the stack's: 10.0.0.2/24", collect, [])
    .option('--gateway <address>', "the stack's way to other networks")

/** Prints a report; the exit code where it was the last one, else `null`. */
type Show<Report> = (report: Report) => number | null

/** A client that may be told to stop, and says then how it went. */
export interface Client<State, Report> {
  readonly engine: Application<State, 'stop', Report>
  readonly state: State
  readonly show: Show<Report>
}

export const runClient = <State, Report>(
  place: ClientPlace,
  remote: IpAddress,
  client: Client<State, Report>,
  files: NodeFiles,
): Promise<number> =>
  place.bind === undefined
    ? overKernel(remote, client)
    : overStack(place, place.bind, client, files)

/** Ctrl-C ends it with what it has so far. */
function overKernel<State, Report>(
  remote: IpAddress,
  { engine, state, show }: Client<State, Report>,
): Promise<number> {
  const host = hostFor(remote)
  return new Promise<number>((resolve) => {
    let interrupted = false
    const running = host.run(engine, state, (report) => {
      const code = show(report)
      if (code === null) return
      process.off('SIGINT', stop)
      // Its socket is closed after this step.
      setImmediate(() => host.close())
      resolve(interrupted ? EXIT_INTERRUPTED : code)
    })
    const stop = () => {
      interrupted = true
      running.command('stop')
    }
    process.once('SIGINT', stop)
  })
}

async function overStack<State, Report>(
  { address, gateway }: ClientPlace,
  bind: string,
  { engine, state, show }: Client<State, Report>,
  files: NodeFiles,
): Promise<number> {
  const { LiveRun } = await import('../wire/live.ts')
  const { untilSignal } = await import('./live.ts')
  let code: number | null = null
  const place = { bind, address, ...(gateway === undefined ? {} : { gateway }) }
  const { scenario, binding } = stackScenario(place, (host) => {
    host.run(engine, state, (report) => {
      code ??= show(report)
      if (code !== null) setImmediate(() => live.stop())
    })
  })
  const live = await LiveRun.open(scenario, { seed: 'client', bindings: [binding], files })
  const { lost } = await untilSignal(live, files)
  if (lost !== null) throw lost
  return code ?? EXIT_INTERRUPTED
}
