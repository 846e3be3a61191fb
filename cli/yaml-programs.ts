import { parseIpText } from '../protocols/address.ts'
import type { Host } from '../sim/programs.ts'
import type { LinkBetween, Program, Quantity } from '../sim/scenario.ts'
import { addressOf } from '../sim/shape-draft.ts'
import { type TrafficSpec, readTraffic } from '../sim/traffic/spec.ts'
import { parseCount, parseDuration, parseSize } from '../sim/units.ts'
import { type Refusal, UserError, isRefusal, refused } from '../sim/user-error.ts'
import type { DataAction } from './yaml-programs-schema.ts'

type Actions = { readonly [node: string]: readonly DataAction[] }
type Remote = { readonly address: string; readonly port: number }

/**
 * Programs as data, for a network with these links.
 *
 * @throws UserError for a remote that is nobody, or a quantity that cannot be read.
 */
export function readPrograms(
  actions: Actions,
  links: readonly LinkBetween[],
): { [node: string]: Program[] } {
  const programs: { [node: string]: Program[] } = {}
  for (const [node, list] of Object.entries(actions)) {
    programs[node] = list.map((action, index) =>
      readProgram(action, node, links, `program ${index + 1} of ${node}`),
    )
  }
  return programs
}

function readProgram(
  action: DataAction,
  node: string,
  links: readonly LinkBetween[],
  where: string,
): Program {
  const at = number(('at' in action ? action.at : undefined) ?? 0, parseDuration, `${where}: at`)
  const later = (run: Program): Program =>
    at === 0
      ? run
      : async (host) => {
          await host.sleep(at)
          await run(host)
        }
  if ('sink' in action) {
    const port = portOf(action.sink, `${where}: sink`)
    return later((host) => void host.sink(port))
  }
  if ('serve' in action) {
    const { serve, port, epoch = 0 } = action
    const options = {
      ...(port === undefined ? {} : { port: portOf(port, `${where}: port`) }),
      epoch: number(epoch, parseCount, `${where}: epoch`),
    }
    return later((host) => host.serve(serve, options))
  }
  if ('traffic' in action) {
    const { traffic, to, ...rest } = action
    const spec = { kind: traffic, ...rest } as Record<string, unknown>
    if (typeof to === 'string') {
      const { address, port } = remoteAt(to, links, `${where}: to`)
      spec['to'] = `${address}:${port}`
    }
    // Whatever is wrong with it is wrong before the first event.
    readTraffic(spec as unknown as TrafficSpec, where)
    return (host) => void host.traffic(spec as unknown as TrafficSpec)
  }
  if ('ping' in action) {
    const target = addressAt(action.ping, links, `${where}: ping`)
    const title = `${node}>${action.ping}`
    const times = number(action.count ?? 1, parseCount, `${where}: count`)
    const interval = number(action.interval ?? '1s', parseDuration, `${where}: interval`)
    const timeout = number(action.timeout ?? '1s', parseDuration, `${where}: timeout`)
    const ttl = number(action.ttl ?? 64, parseCount, `${where}: ttl`)
    return later((host) => ping(host, target, title, { times, interval, timeout, ttl }))
  }
  if ('bulk' in action) {
    const to = remoteAt(action.bulk, links, `${where}: bulk`)
    const bytes =
      action.bytes === undefined ? Infinity : number(action.bytes, parseSize, `${where}: bytes`)
    return later((host) => host.bulk(to.address, to.port, bytes))
  }
  const to = remoteAt(action.datagrams, links, `${where}: datagrams`)
  const title = `${node}>${action.datagrams}`
  const bytes = number(action.bytes ?? '512B', parseSize, `${where}: bytes`)
  const times = number(action.count ?? 1, parseCount, `${where}: count`)
  const interval = number(action.interval ?? '10ms', parseDuration, `${where}: interval`)
  return later((host) => datagrams(host, to, title, { bytes, times, interval }))
}

async function ping(
  host: Host,
  target: string,
  title: string,
  {
    times,
    interval,
    timeout,
    ttl,
  }: { times: number; interval: number; timeout: number; ttl: number },
): Promise<void> {
  let received = 0
  host.note(`${title} received`, received)
  for (let i = 1; i <= times; i++) {
    const sent = host.now
    const answer = await host.ping(target, { timeout, ttl })
    if (answer?.kind === 'reply') {
      host.note(`${title} received`, ++received)
      host.sample(`${title} rtt`, answer.rtt)
    }
    if (i < times) await host.sleep(Math.max(sent + interval - host.now, 0))
  }
}

async function datagrams(
  host: Host,
  { address, port }: Remote,
  title: string,
  { bytes, times, interval }: { bytes: number; times: number; interval: number },
): Promise<void> {
  const socket = host.udp()
  let received = 0
  host.note(`${title} received`, received)
  const listen = async () => {
    for (;;) {
      await socket.receive()
      host.note(`${title} received`, ++received)
    }
  }
  void listen()
  const payload = new Uint8Array(bytes)
  for (let i = 1; i <= times; i++) {
    socket.sendTo(payload, address, port)
    if (i < times) await host.sleep(interval)
  }
}

/** A node by its first address, or an address as it stands. */
function addressAt(written: string, links: readonly LinkBetween[], where: string): string {
  if (parseIpText(written) !== null) return written
  try {
    return addressOf({ links }, written)
  } catch {
    throw new UserError(`'${written}' is neither a node with an address nor an address`, {
      where,
      word: written,
    })
  }
}

function remoteAt(written: string, links: readonly LinkBetween[], where: string): Remote {
  const match = /^(.+):(\d+)$/.exec(written)
  if (match === null) {
    throw new UserError(`'${written}' has no port`, {
      where,
      word: written,
      hint: `write '${written}:5000'`,
    })
  }
  return { address: addressAt(match[1]!, links, where), port: portOf(match[2]!, where) }
}

function portOf(written: Quantity, where: string): number {
  const port = number(written, parseCount, where)
  if (port >= 1 && port <= 65_535) return port
  throw new UserError(`there is no port ${port}`, {
    where,
    word: String(written),
    hint: 'expected 1 to 65535',
  })
}

function number(
  written: Quantity,
  parse: (q: Quantity) => number | Refusal,
  where: string,
): number {
  const value = parse(written)
  if (isRefusal(value)) throw refused(value, where, String(written))
  return value
}
