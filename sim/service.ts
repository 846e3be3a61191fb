import type { Errno } from '../protocols/errno.ts'
import { iperf3Server } from '../protocols/iperf3/server.ts'
import { createIperf3Server, IPERF3_PORT, type Iperf3Report } from '../protocols/iperf3/state.ts'
import { murmur3 } from '../protocols/murmur3.ts'
import { ascii } from '../protocols/services/ascii.ts'
import { chargen } from '../protocols/services/chargen.ts'
import { daytime } from '../protocols/services/daytime.ts'
import { discard } from '../protocols/services/discard.ts'
import { echo } from '../protocols/services/echo.ts'
import {
  createService,
  type Service,
  serviceEngine,
  type ServiceRefused,
} from '../protocols/services/server.ts'
import { startApplication } from './application.ts'
import type { Node } from './node.ts'
import { SocketError } from './socket.ts'
import { didYouMean } from './suggest.ts'
import { UserError } from './user-error.ts'
import type { World } from './world.ts'

/** The services by name; `serve` takes one of these. */
export type ServiceName = Service['name'] | 'iperf3'

export const SERVICES = [
  'echo',
  'discard',
  'daytime',
  'chargen',
  'iperf3',
] as const satisfies ServiceName[]

export interface ServeOptions {
  /** Default: the RFC's; 5201 of iperf3. */
  readonly port?: number
  /** daytime: what time 0 of the host's clock is, in whole seconds since 1970. Default 0. */
  readonly epoch?: number
}

/**
 * Runs a service on a host until the run ends. `seed`: any text.
 *
 * @throws UserError for a name or port that is none, SocketError where the port is taken.
 */
export function serve(
  world: World,
  node: Node,
  name: ServiceName,
  options: ServeOptions,
  seed: string,
): void {
  const service = name === 'iperf3' ? null : serviceOf(name, options)
  const { port = service?.port ?? IPERF3_PORT } = options
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) {
    throw new UserError(`${port} is not a port`, { where: `serve ${name}` })
  }
  let refused: Errno | null = null
  const hear = (report: ServiceRefused | Iperf3Report): void => {
    if (report.kind === 'refused') refused ??= report.error
  }
  if (service === null) {
    startApplication(world, node, iperf3Server, createIperf3Server(port), hear)
  } else {
    const state = createService(port, murmur3(ascii(seed), 0))
    startApplication(world, node, serviceEngine(service), state, hear)
  }
  if (refused !== null) throw new SocketError(refused, `serve ${name} on port ${port}`)
}

function serviceOf(name: string, { epoch = 0 }: ServeOptions): Service {
  switch (name) {
    case 'echo':
      return echo
    case 'discard':
      return discard
    case 'chargen':
      return chargen
    case 'daytime':
      return daytime(epoch)
    default:
      throw new UserError(`there is no service '${name}'`, {
        word: name,
        hint: didYouMean(name, [...SERVICES]),
      })
  }
}
