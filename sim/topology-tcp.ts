import { CONGESTION_NAMES } from '../protocols/tcp/congestion/control-of.ts'
import { ECN_POLICIES } from '../protocols/tcp/ecn.ts'
import { FAST_OPEN_SIDES, type FastOpenSides } from '../protocols/tcp/fast-open-choices.ts'
import type { TcpChoices, TcpPolicy } from '../protocols/tcp/policy.ts'
import {
  DEFAULT_PROFILE,
  isTcpProfile,
  policyOf,
  TCP_PROFILE_NAMES,
  type TcpProfile,
} from '../protocols/tcp/profile.ts'
import { didYouMean } from './suggest.ts'
import { parseCount, parseDuration, parseSize } from './units.ts'
import { type Refusal, UserError, isRefusal, refused } from './user-error.ts'

/** What a host's TCP is to be: a profile, and what differs from it. */
export type TcpPlan = Partial<Omit<TcpChoices, 'fastOpen'>> & {
  readonly profile?: TcpProfile
  /** Which sides of Fast Open it has (RFC 7413). */
  readonly fastOpen?: FastOpenSides
}

/** What a plan comes to. */
export function policyIn({ profile = DEFAULT_PROFILE, fastOpen, ...choices }: TcpPlan): TcpPolicy {
  const policy = policyOf(profile).with(choices)
  if (fastOpen === undefined) return policy
  const client = fastOpen === 'client' || fastOpen === 'both'
  const server = fastOpen === 'server' || fastOpen === 'both'
  return policy.with({ fastOpen: { ...policy.fastOpen, client, server } })
}

/** A profile's alone. */
type Unwritten =
  | 'synLayouts'
  | 'synAckLayouts'
  | 'icmpEndsConnect'
  | 'icmpConnectError'
  | 'resetInCloseWait'
  | 'resetInClosing'
  | 'resetInLastAck'
  | 'signs'
  | 'signingKeys'
type Written = Exclude<keyof TcpChoices, Unwritten>
/** A list: one of these words. */
type Kind = 'duration' | 'durations' | 'count' | 'size' | 'flag' | readonly string[]

/** How each choice is written. Complete by its type: a new choice must say what it is. */
export const TCP_OPTIONS: { readonly [Option in Written]: Kind } = {
  rtoInitial: 'duration',
  rtoMin: 'duration',
  rtoMax: 'duration',
  rtoGranularity: 'duration',
  rtoSlop: 'duration',
  rtoAdaptive: 'flag',
  synRetries: 'count',
  dataRetries: 'count',
  synAckRetries: 'count',
  synSchedule: 'durations',
  synLinear: 'count',
  retriesAreTime: 'flag',
  probesOldNumber: 'flag',
  stampsMayMiss: 'flag',
  suspectAfter: 'count',
  delayedAck: 'duration',
  ackEvery: 'count',
  msl: 'duration',
  finWait2: 'duration',
  initialWindow: 'count',
  congestion: CONGESTION_NAMES,
  slowStartLimit: 'count',
  hystart: 'flag',
  dupAckThreshold: 'count',
  tallies: 'flag',
  wholeWindows: 'flag',
  lossSlowStartLimit: 'count',
  idleHalves: 'flag',
  reducesAgain: 'flag',
  undoesWholly: 'flag',
  pacing: 'flag',
  ecn: ECN_POLICIES,
  accurateEcn: ECN_POLICIES,
  accurateEcnOption: 'flag',
  fastOpen: FAST_OPEN_SIDES,
  ecnSynRetries: 'count',
  trafficClass: 'count',
  hopLimit: 'count',
  noOptions: 'flag',
  oneAfterSyns: 'count',
  oneAfterSynAcks: 'count',
  idleRestart: 'flag',
  tellsSoftErrors: 'flag',
  resetsHalfOpen: 'flag',
  sendBuffer: 'size',
  receiveBuffer: 'size',
  receiveBufferMax: 'size',
  bufferUnit: 'count',
  sendBufferMin: 'size',
  receiveBufferMin: 'size',
  receiveLowWater: 'size',
  notSentLowWater: 'size',
  mss: 'size',
  provesIpv6TooBig: 'flag',
  offersPathMss: 'flag',
  maxsegLowers: 'flag',
  blackHoleAfter: 'count',
  blackHoleMss: 'size',
  windowScale: 'flag',
  sackPermitted: 'flag',
  sackCountsFin: 'flag',
  dsack: 'flag',
  limitedTransmit: 'flag',
  prr: 'flag',
  rack: 'flag',
  tlp: 'flag',
  maxAckDelay: 'duration',
  frto: 'flag',
  timestamps: 'flag',
  nagle: 'flag',
  synPlainAfter: 'count',
  eagerUpdates: 'flag',
  steadyEdge: 'flag',
  connectTimeout: 'duration',
  userTimeout: 'duration',
  keepAlive: 'flag',
  alwaysKeepAlive: 'flag',
  keepIdle: 'duration',
  keepInterval: 'duration',
  keepCount: 'count',
  lingers: 'flag',
  lingerTime: 'duration',
  cork: 'flag',
  corkTime: 'duration',
  quickAcks: 'count',
  deferAccept: 'duration',
  defersHandshake: 'flag',
  deferredAck: 'duration',
  reuseAddress: 'flag',
  reusePort: 'flag',
  signatureFirst: 'flag',
  signedTimestamps: 'flag',
  resetsAsSocket: 'flag',
  udpPort: 'count',
  tunnelPort: 'count',
  tunnelOverhead: 'count',
  synCookies: 'flag',
  roomInMemory: 'flag',
  wholeSegments: 'flag',
  freeIsWindow: 'flag',
  countsSegments: 'flag',
  keepsSynText: 'flag',
  takesSynAckText: 'flag',
  delaysFinAck: 'flag',
  synAgainAfter: 'duration',
  sendsChunks: 'flag',
  nagleAsksOnce: 'flag',
  minshall: 'flag',
  listenSkipsSynFin: 'flag',
  crossingOffersAll: 'flag',
  looseHalfOpenReset: 'flag',
  resetAtFin: 'flag',
  resetAtAck: 'flag',
  resetTellsWindow: 'flag',
  finRides: 'flag',
  timeWaitStays: 'flag',
  insecureReset: 'flag',
  insecureSyn: 'flag',
  dropSynFin: 'flag',
  challengeAcks: 'count',
  challengeWindow: 'duration',
  timeWaitReuse: 'flag',
  timeWaitMute: 'flag',
  timeWaitBySeq: 'flag',
}
const OPTIONS = ['profile', ...Object.keys(TCP_OPTIONS)]

/**
 * Reads a node's `tcp` record.
 *
 * @throws UserError for an unknown profile or option, or a value of another kind.
 */
export function readTcpOptions(
  options: { readonly [option: string]: string | number | boolean },
  where: string,
): TcpPlan {
  const choices: { [option: string]: Choice } = {}
  for (const [option, written] of Object.entries(options)) {
    if (option === 'profile') {
      choices.profile = readProfile(written, where)
      continue
    }
    const kind = Object.hasOwn(TCP_OPTIONS, option) ? TCP_OPTIONS[option as Written] : undefined
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

type Choice = number | boolean | readonly number[] | string

function readProfile(written: string | number | boolean, where: string): TcpProfile {
  const name = String(written)
  if (isTcpProfile(name)) return name
  const hint = didYouMean(name, TCP_PROFILE_NAMES)
  throw new UserError(`there is no TCP profile '${name}'`, { where, word: name, hint })
}

function read(kind: Kind, written: string | number | boolean): Choice | Refusal {
  if (typeof kind === 'object') return readWord(kind, String(written))
  if (kind === 'flag') {
    if (typeof written === 'boolean') return written
    return { error: `'${written}' is neither true nor false` }
  }
  if (typeof written === 'boolean') return { error: `${written} is not a ${kind}` }
  if (kind === 'durations') return readDurations(String(written))
  if (kind === 'duration') return parseDuration(written)
  return kind === 'size' ? parseSize(written) : parseCount(written)
}

function readWord(words: readonly string[], written: string): string | Refusal {
  if (words.includes(written)) return written
  return { error: `'${written}' is not one of ${words.join(', ')}` }
}

/** `'1s 2s 4s'`; an empty text is an empty list. */
function readDurations(written: string): readonly number[] | Refusal {
  const durations: number[] = []
  for (const word of written.split(/[\s,]+/)) {
    if (word === '') continue
    const duration = parseDuration(word)
    if (isRefusal(duration)) return duration
    durations.push(duration)
  }
  return durations
}
