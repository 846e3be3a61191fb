import { randomBytes, randomInt } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { type IpAddress, isIpv4, isMulticastIpv4, parseIpText } from '../protocols/address.ts'
import { CANONICAL, type Dialect, type EndMarker } from '../protocols/arq/dialect.ts'
import { createLoss, type Loss } from '../protocols/arq/loss.ts'
import { fixedTimeout } from '../protocols/arq/policy.ts'
import type { TransferProfile } from '../protocols/arq/profile.ts'
import { isMulticastIpv6 } from '../protocols/ipv6/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import { didYouMean } from '../sim/suggest.ts'
import { parseDuration } from '../sim/units.ts'
import { EnvironmentError, isRefusal, refused, UserError } from '../sim/user-error.ts'
import type { NodeFiles } from './files.ts'

/* What the commands that carry files read from their arguments. */

/** Options that senders and receivers share. */
export interface DialectOptions {
  readonly profile: string
  readonly end?: string
  readonly encoding?: string
  readonly key?: string
}

const ENDS: { readonly [name: string]: EndMarker } = {
  none: { kind: 'none' },
  short: { kind: 'short' },
  fin: { kind: 'type', type: 0 },
  ffff: { kind: 'type', type: 0xffff },
  '5557': { kind: 'type', type: 0x5557 },
  '55ff': { kind: 'type', type: 0x55ff },
  cccc: { kind: 'type', type: 0xcccc },
}
const ENCODINGS = ['binary', 'ascii-bits', 'ascii-header'] as const

/** A profile by name, with what differs from it. */
export function chosenProfile(
  profiles: readonly TransferProfile[],
  options: DialectOptions,
): TransferProfile {
  const names = profiles.map(({ name }) => name)
  const profile = profiles.find(({ name }) => name === options.profile)
  if (profile === undefined) throw unknown('--profile', options.profile, names)
  return { ...profile, dialect: chosenDialect(profile.dialect, options) }
}

function chosenDialect(dialect: Dialect, options: DialectOptions): Dialect {
  const end = options.end === undefined ? dialect.end : ENDS[options.end]
  if (end === undefined) throw unknown('--end', options.end!, Object.keys(ENDS))
  const encoding = ENCODINGS.find((name) => name === (options.encoding ?? dialect.encoding))
  if (encoding === undefined) throw unknown('--encoding', options.encoding!, ENCODINGS)
  return { ...CANONICAL, ...dialect, end, encoding }
}

function unknown(where: string, word: string, names: readonly string[]): UserError {
  const hint = didYouMean(word, [...names]) ?? `there are ${names.join(', ')}`
  return new UserError(`there is no '${word}'`, { where, word, hint })
}

/** A fixed timeout in the place of the profile's. */
export function withTimeout(profile: TransferProfile, text: string | undefined): TransferProfile {
  if (text === undefined) return profile
  const timeout = fixedTimeout(duration(text, '--timeout'))
  return { ...profile, policy: { ...profile.policy, timeout } }
}

export function duration(text: string, where: string): number {
  const span = parseDuration(text)
  if (isRefusal(span)) throw refused(span, where)
  return span
}

export function wholeNumber(text: string, where: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new UserError(`'${text}' is no number from ${min} to ${max}`, { where })
}

export const port = (text: string): number => wholeNumber(text, 'PORT', 1, 65_535)

/** `0.05` or `5%`, from 0 to 1. */
export function lossOf(text: string, seed: string | undefined, lose: string | undefined): Loss {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)
  const plain = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN
  const p = percent === null ? plain : Number(percent[1]) / 100
  if (!(p >= 0 && p <= 1)) {
    throw new UserError(`'${text}' is no probability`, { where: 'P', hint: 'write 0.05 or 5%' })
  }
  const listed = lose === undefined ? [] : lose.split(',').map((each) => sequence(each))
  const random = seed === undefined ? randomInt(2 ** 32) : wholeNumber(seed, '--seed', 0, 2 ** 32)
  return createLoss(p, random, listed)
}

const sequence = (text: string): number => wholeNumber(text.trim(), '--lose', 0, 2 ** 32 - 1)

const KEY_MIN = 16

/** A group of either family; `null`: there is none. */
export function groupOf(text: string | undefined): IpAddress | null {
  if (text === undefined) return null
  const group = parseIpText(text)
  const isGroup =
    group !== null && (isIpv4(group) ? isMulticastIpv4(group) : isMulticastIpv6(group))
  if (isGroup) return group
  const hint = 'groups are 224.0.0.0 to 239.255.255.255, and ff00::/8: for example 239.1.2.3'
  throw new UserError(`'${text}' is no multicast group`, { where: '--group', hint })
}

/** Whose sockets it takes. */
export const familyOf = (group: IpAddress | null): 4 | 6 =>
  group === null || isIpv4(group) ? 4 : 6

/** A secret that both sides have in a file. */
export function keyOf(path: string | undefined, files: NodeFiles): Bytes | null {
  if (path === undefined) return null
  const { bytes } = files.read(path)
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1
  if (end >= KEY_MIN) return bytes.subarray(0, end)
  throw new UserError(`the key in '${path}' is shorter than ${KEY_MIN} bytes`, {
    where: '--key',
    hint: `make one: head -c 32 /dev/urandom > ${path}`,
  })
}

/** What no two runs share. */
export const freshIdentity = () => ({
  session: randomInt(2 ** 32),
  random: new Uint8Array(randomBytes(32)),
  // Counters of a key go on from where an earlier run can have been.
  epoch: Date.now() * 64,
})

/** An address, or a name that the system's resolver knows. */
export async function addressOf(host: string): Promise<IpAddress> {
  const given = parseIpText(host)
  if (given !== null) return given
  try {
    const { address } = await lookup(host, { family: 4 })
    return parseIpText(address) ?? 0
  } catch {
    throw new EnvironmentError(`nobody knows the host '${host}'`, 'give its address')
  }
}
