import { CONGESTION_NAMES } from '../protocols/tcp/congestion/control-of.ts'
import type { TcpChoices } from '../protocols/tcp/policy.ts'
import { didYouMean } from './suggest.ts'
import { parseCount, parseDuration, parseSize } from './units.ts'
import { type Refusal, UserError, isRefusal, refused } from './user-error.ts'

/** A list: one of these words. */
type Kind = 'duration' | 'count' | 'size' | 'flag' | readonly string[]

/** How each choice is written. Complete by its type: a new choice must say what it is. */
export const TCP_OPTIONS: {
  readonly [Option in keyof TcpChoices]: Kind
} = {
  rtoInitial: 'duration',
  rtoMin: 'duration',
  rtoMax: 'duration',
  rtoGranularity: 'duration',
  synRetries: 'count',
  dataRetries: 'count',
  suspectAfter: 'count',
  delayedAck: 'duration',
  ackEvery: 'count',
  msl: 'duration',
  finWait2: 'duration',
  initialWindow: 'count',
  congestion: CONGESTION_NAMES,
  dupAckThreshold: 'count',
  sendBuffer: 'size',
  receiveBuffer: 'size',
  mss: 'size',
  blackHoleAfter: 'count',
  blackHoleMss: 'size',
  windowScale: 'flag',
  sackPermitted: 'flag',
  timestamps: 'flag',
  nagle: 'flag',
}
const OPTIONS = Object.keys(TCP_OPTIONS)

/**
 * Reads a node's `tcp` record.
 *
 * @throws UserError for an unknown option or a value of another kind.
 */
export function readTcpOptions(
  options: { readonly [option: string]: string | number | boolean },
  where: string,
): Partial<TcpChoices> {
  const choices: { [option: string]: number | boolean | string } = {}
  for (const [option, written] of Object.entries(options)) {
    const kind = Object.hasOwn(TCP_OPTIONS, option)
      ? TCP_OPTIONS[option as keyof TcpChoices]
      : undefined
    if (kind === undefined) {
      const hint = didYouMean(option, OPTIONS)
      throw new UserError(`unknown TCP option '${option}'`, {
        where,
        word: option,
        hint,
      })
    }
    const value = read(kind, written)
    if (isRefusal(value)) throw refused(value, `${where}: tcp.${option}`, String(written))
    choices[option] = value
  }
  return choices
}

function read(kind: Kind, written: string | number | boolean): number | boolean | string | Refusal {
  if (typeof kind === 'object') return readWord(kind, String(written))
  if (kind === 'flag') {
    if (typeof written === 'boolean') return written
    return { error: `'${written}' is neither true nor false` }
  }
  if (typeof written === 'boolean') return { error: `${written} is not a ${kind}` }
  if (kind === 'duration') return parseDuration(written)
  return kind === 'size' ? parseSize(written) : parseCount(written)
}

function readWord(words: readonly string[], written: string): string | Refusal {
  if (words.includes(written)) return written
  return { error: `'${written}' is not one of ${words.join(', ')}` }
}
