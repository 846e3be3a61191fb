import type { IpAddress } from '../../protocols/address.ts'
import { parseIpText } from '../../protocols/address.ts'
import type { Nanos } from '../../protocols/time.ts'
import type { Quantity } from '../scenario.ts'
import { didYouMean } from '../suggest.ts'
import { parseCount, parseDuration, parseRate, parseSize } from '../units.ts'
import { isRefusal, type Refusal, refused, UserError } from '../user-error.ts'

interface Common {
  /** Default: at once; and until the run ends. */
  readonly start?: Quantity
  readonly stop?: Quantity
  /** Names the random stream and the samples. Default: the kind. */
  readonly name?: string
}
interface Sending extends Common {
  /** `10.0.0.2:9`. */
  readonly to: string
}
interface Paced extends Sending {
  /** Payload bits per second; of `on-off` while it is on. */
  readonly rate: Quantity
  /** Payload of each datagram, or of each write to a TCP connection. Default 1000 bytes. */
  readonly size?: Quantity
  /** Default `udp`. */
  readonly protocol?: 'udp' | 'tcp'
}

/** Traffic as data. Sizes are of the payload. `docs/statistics.md` has the table. */
export type TrafficSpec =
  /** One every `size / rate`, exactly. */
  | (Paced & { readonly kind: 'cbr' })
  /** Gaps of the exponential distribution with that mean. */
  | (Paced & { readonly kind: 'poisson' })
  /** As `cbr` for spells; both spells are of the exponential distribution with these means. */
  | (Paced & { readonly kind: 'on-off'; readonly on: Quantity; readonly off: Quantity })
  /** A TCP connection that is kept full. */
  | (Sending & { readonly kind: 'bulk'; readonly bytes?: Quantity })
  /** Requests over one TCP connection, each after the answer to the last and a pause. */
  | (Sending & {
      readonly kind: 'request-response'
      readonly request?: Quantity
      readonly response?: Quantity
      /** The mean of the exponentially distributed pause. Default none. */
      readonly think?: Quantity
      readonly count?: Quantity
    })
  /** The other end of `request-response`. */
  | (Common & {
      readonly kind: 'respond'
      readonly port: number
      readonly request?: Quantity
      readonly response?: Quantity
    })
  /** Datagrams as long and as far apart as the frames of a capture. */
  | (Sending & { readonly kind: 'replay'; readonly capture: string; readonly filter?: string })

/** A spec with every quantity read. Times are nanoseconds, sizes bytes, rates bits per second. */
export interface TrafficPlan {
  readonly kind: TrafficSpec['kind']
  readonly name: string
  readonly to: { readonly address: IpAddress; readonly port: number }
  readonly start: Nanos
  readonly stop: Nanos
  readonly protocol: 'udp' | 'tcp'
  readonly rate: number
  readonly size: number
  readonly on: Nanos
  readonly off: Nanos
  readonly bytes: number
  readonly request: number
  readonly response: number
  readonly think: Nanos
  readonly count: number
  readonly port: number
  readonly capture: string
  readonly filter: string
}

interface Written {
  readonly [key: string]: unknown
}

const PACED = ['to', 'rate', 'size', 'protocol']
const KEYS: { readonly [kind in TrafficSpec['kind']]: readonly string[] } = {
  cbr: PACED,
  poisson: PACED,
  'on-off': [...PACED, 'on', 'off'],
  bulk: ['to', 'bytes'],
  'request-response': ['to', 'request', 'response', 'think', 'count'],
  respond: ['port', 'request', 'response'],
  replay: ['to', 'capture', 'filter'],
}
export const TRAFFIC_KINDS = Object.keys(KEYS) as readonly TrafficSpec['kind'][]
const COMMON = ['kind', 'name', 'start', 'stop']
const REQUIRED = ['to', 'rate', 'on', 'off', 'port', 'capture']
/** The longest UDP payload over IPv4. */
const DATAGRAM_MAX = 65_507

/**
 * Reads a spec.
 *
 * @throws UserError for an unknown kind or key, or a quantity that cannot be used.
 */
export function readTraffic(spec: TrafficSpec, where = `traffic ${spec.kind}`): TrafficPlan {
  const written = spec as unknown as Written
  checkKeys(spec.kind, written, where)
  const read = (
    key: string,
    parse: (q: string | number) => number | Refusal,
    otherwise: number,
    least = 0,
  ): number => {
    const value = written[key] as Quantity | undefined
    if (value === undefined) return otherwise
    const parsed = parse(value)
    if (isRefusal(parsed)) throw refused(parsed, `${where}: ${key}`, String(value))
    if (parsed >= least) return parsed
    throw new UserError(`'${value}' is too little`, {
      where: `${where}: ${key}`,
      word: String(value),
    })
  }
  const protocol = written['protocol'] ?? 'udp'
  if (protocol !== 'udp' && protocol !== 'tcp') {
    throw new UserError(`'${protocol as string}' is not udp or tcp`, {
      where: `${where}: protocol`,
    })
  }
  const size = read('size', parseSize, 1000, 1)
  if (protocol === 'udp' && size > DATAGRAM_MAX) {
    const hint = `at most ${DATAGRAM_MAX} bytes`
    throw new UserError(`a datagram cannot hold ${size} bytes`, { where: `${where}: size`, hint })
  }
  const port = (written['port'] as number | undefined) ?? 1
  if (!isPort(port)) throw new UserError(`${port} is not a port`, { where: `${where}: port` })
  return {
    kind: spec.kind,
    name: spec.name ?? spec.kind,
    to: endpointOf(written['to'] as string | undefined, where),
    start: read('start', parseDuration, 0),
    stop: read('stop', parseDuration, Infinity),
    protocol,
    rate: read('rate', parseRate, 1, 1),
    size,
    on: read('on', parseDuration, 1, 1),
    off: read('off', parseDuration, 1, 1),
    bytes: read('bytes', parseSize, Infinity),
    request: read('request', parseSize, 100, 1),
    response: read('response', parseSize, 10_000, 1),
    think: read('think', parseDuration, 0),
    count: read('count', parseCount, Infinity),
    port,
    capture: (written['capture'] as string | undefined) ?? '',
    filter: (written['filter'] as string | undefined) ?? '',
  }
}

function checkKeys(kind: TrafficSpec['kind'], written: Written, where: string): void {
  const keys = Object.hasOwn(KEYS, kind) ? KEYS[kind] : null
  if (keys === null) {
    const hint = didYouMean(kind, Object.keys(KEYS))
    throw new UserError(`'${kind}' is no kind of traffic`, { where: 'traffic', hint })
  }
  for (const key of Object.keys(written)) {
    if (keys.includes(key) || COMMON.includes(key)) continue
    const hint = didYouMean(key, [...keys, ...COMMON])
    throw new UserError(`unknown key '${key}'`, { where, word: key, hint })
  }
  for (const key of keys) {
    if (!REQUIRED.includes(key) || written[key] !== undefined) continue
    throw new UserError(`'${key}' is missing`, { where, hint: `it needs ${needed(keys)}` })
  }
}

const needed = (keys: readonly string[]): string =>
  keys.filter((key) => REQUIRED.includes(key)).join(', ')

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port <= 0xffff

function endpointOf(text: string | undefined, where: string): TrafficPlan['to'] {
  if (text === undefined) return { address: 0, port: 0 }
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(text)
  const address = match === null ? null : parseIpText(match[1]!)
  const port = Number(match?.[2])
  if (address !== null && isPort(port)) return { address, port }
  throw new UserError(`'${text}' is not an address with its port`, {
    where: `${where}: to`,
    word: text,
    hint: "write one such as '10.0.0.2:9'",
  })
}
