import type { Bytes } from '../../protocols/bytes.ts'
import type { Nanos } from '../../protocols/time.ts'
import { parseFilter } from '../../trace/filter.ts'
import { FilterError } from '../../trace/filter-tokens.ts'
import { readCapture } from '../../trace/pcap-reader.ts'
import { UserError } from '../user-error.ts'
import { exponential } from './exponential.ts'
import type { TrafficPlan } from './spec.ts'

/** Something to be sent. */
export interface TrafficPacket {
  /** Since the traffic's start. */
  readonly at: Nanos
  /** Payload. */
  readonly bytes: number
}

/** Bits of a byte, in nanoseconds at 1 bit per second. */
const NANOS_PER_BYTE = 8e9

/** When traffic sends how much: a sequence without end, in the order of time. */
export function packetsOf(plan: TrafficPlan, draw: () => number): Generator<TrafficPacket, void> {
  switch (plan.kind) {
    case 'poisson':
      return poisson(plan, draw)
    case 'on-off':
      return onOff(plan, draw)
    default:
      return constant(plan)
  }
}

/** Adds up spans of `size / rate` with no error: what does not make a nanosecond is kept. */
class Pace {
  readonly #work: number
  readonly #rate: number
  #rest = 0

  constructor({ size, rate }: TrafficPlan) {
    this.#work = size * NANOS_PER_BYTE
    this.#rate = rate
  }

  next(): Nanos {
    const work = this.#work + this.#rest
    const span = Math.floor(work / this.#rate)
    this.#rest = work - span * this.#rate
    return span
  }
}

function* constant(plan: TrafficPlan): Generator<TrafficPacket, void> {
  const pace = new Pace(plan)
  for (let at = 0; ; at += pace.next()) yield { at, bytes: plan.size }
}

/** One draw a packet. The first comes after a gap, too. */
function* poisson(plan: TrafficPlan, draw: () => number): Generator<TrafficPacket, void> {
  const mean = (plan.size * NANOS_PER_BYTE) / plan.rate
  for (let at = 0; ;) {
    at += Math.round(mean * exponential(draw()))
    yield { at, bytes: plan.size }
  }
}

/** One draw a spell. It begins with one that is on; a spell's packets begin with it. */
function* onOff(plan: TrafficPlan, draw: () => number): Generator<TrafficPacket, void> {
  for (let start = 0; ;) {
    const end = start + Math.round(plan.on * exponential(draw()))
    const pace = new Pace(plan)
    for (let at = start; at < end; at += pace.next()) yield { at, bytes: plan.size }
    start = end + Math.round(plan.off * exponential(draw()))
  }
}

/** What is around the payload of a datagram: Ethernet, IPv4 and UDP headers. */
const HEADERS = 14 + 20 + 8

/**
 * Datagrams that make frames as long as those of a capture, and as far apart. Shorter frames than a
 * datagram's headers become empty datagrams.
 *
 * @throws UserError for a capture or a filter that cannot be read.
 */
export function replayOf(capture: Bytes, filter: string, where: string): TrafficPacket[] {
  const passes = filterOf(filter, where)
  const packets: TrafficPacket[] = []
  let [firstSeconds, firstNanos] = [0, 0]
  let before = 0
  for (const item of readCapture(capture)) {
    if (item.kind === 'damage') {
      throw new UserError(`byte ${item.offset}: ${item.why}`, { where })
    }
    const { seconds, nanos, bytes, length } = item
    if (!passes(bytes, length)) continue
    if (packets.length === 0) [firstSeconds, firstNanos] = [seconds, nanos]
    // Captures of several processors are not always in the order of time.
    before = Math.max(before, (seconds - firstSeconds) * 1e9 + nanos - firstNanos)
    packets.push({ at: before, bytes: Math.max(length - HEADERS, 0) })
  }
  if (packets.length === 0) throw new UserError('there is no frame to replay', { where })
  return packets
}

function filterOf(text: string, where: string) {
  try {
    return parseFilter(text)
  } catch (e) {
    if (!(e instanceof FilterError)) throw e
    throw new UserError(e.message, { where: `${where}: filter`, word: e.word, hint: e.hint })
  }
}
