import { isIpv4 } from '../protocols/address.ts'
import { DEFAULT_HOP_LIMIT } from '../protocols/ipv6/packet.ts'
import { ADVERTISE_INTERVAL, type AdvertiseConfig } from '../protocols/nd/advertiser.ts'
import type { PrefixInformation } from '../protocols/nd/message.ts'
import { type Nanos, s } from '../protocols/time.ts'
import type { AdvertiseSpec, Ipv6Spec, Quantity } from './scenario.ts'
import { type InterfaceAddress, networkOf } from './subnet.ts'
import { didYouMean } from './suggest.ts'
import { unknownKey } from './topology-links.ts'
import { parseDuration } from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'

/** How a node comes by its IPv6 addresses, and what a router tells others. */
export interface Ipv6Plan {
  /** Also interfaces without a written address speak IPv6. */
  readonly everywhere: boolean
  readonly detectDuplicates: boolean
  readonly autoconfigure: boolean
  /** `null`: it does not advertise. Prefixes are those of each interface. */
  readonly advertise:
    | (Omit<AdvertiseConfig, 'prefixes' | 'mtu'> & {
        readonly preferredLifetime: number
        readonly validLifetime: number
      })
    | null
}

const STATIC: Ipv6Plan = {
  everywhere: false,
  detectDuplicates: false,
  autoconfigure: false,
  advertise: null,
}

const WORDS = ['static', 'dad', 'auto'] as const
const KEYS = ['addresses', 'advertise']
const ADVERTISE_KEYS: readonly (keyof AdvertiseSpec)[] = [
  'interval',
  'lifetime',
  'preferred',
  'valid',
]

/**
 * Reads `ipv6` of a node.
 *
 * @throws UserError for an unknown word or key, or a time that cannot be right.
 */
export function readIpv6(written: Ipv6Spec | undefined, router: boolean, where: string): Ipv6Plan {
  if (written === undefined) return STATIC
  const spec = typeof written === 'string' ? { addresses: written } : written
  for (const key of Object.keys(spec)) {
    if (!KEYS.includes(key)) throw unknownKey(key, KEYS, `${where}: ipv6`)
  }
  const { addresses = 'static', advertise = false } = spec
  if (!WORDS.includes(addresses)) {
    throw new UserError(`'${addresses}' is not a way to come by addresses`, {
      where: `${where}: ipv6`,
      word: addresses,
      hint: didYouMean(addresses, WORDS),
    })
  }
  if (router && addresses === 'auto') {
    throw new UserError('a router does not configure itself by what other routers say', {
      where: `${where}: ipv6`,
      word: addresses,
      hint: "write 'static' or 'dad', and its addresses at the links",
    })
  }
  if (!router && advertise !== false) {
    const hint = "make it a router: { kind: 'router', ipv6: { advertise: true } }"
    throw new UserError('a host does not advertise', { where, word: 'advertise', hint })
  }
  return {
    everywhere: addresses === 'auto',
    detectDuplicates: addresses !== 'static',
    autoconfigure: addresses === 'auto',
    advertise: advertise === false ? null : readAdvertise(advertise, `${where}: ipv6.advertise`),
  }
}

/** RFC 4861 §6.2.1: what is not said. */
const PREFERRED: Nanos = s(604_800)
const VALID: Nanos = s(2_592_000)

function readAdvertise(written: true | AdvertiseSpec, where: string): Ipv6Plan['advertise'] {
  const spec = written === true ? {} : written
  for (const key of Object.keys(spec)) {
    if (!ADVERTISE_KEYS.includes(key as keyof AdvertiseSpec)) {
      throw unknownKey(key, ADVERTISE_KEYS, where)
    }
  }
  const read = (key: keyof AdvertiseSpec, usual: Nanos, least: Nanos, most: Nanos): Nanos => {
    const quantity: Quantity = spec[key] ?? usual
    const span = parseDuration(quantity)
    if (isRefusal(span)) throw refused(span, `${where}.${key}`, String(quantity))
    if (span >= least && span <= most) return span
    const hint = `expected ${least / s(1)}s to ${most / s(1)}s`
    const word = String(quantity)
    throw new UserError(`'${word}' is out of bounds`, { where: `${where}.${key}`, word, hint })
  }
  // §6.2.1, MaxRtrAdvInterval, MinRtrAdvInterval and AdvDefaultLifetime.
  const maxInterval = read('interval', ADVERTISE_INTERVAL, s(4), s(1800))
  const valid = read('valid', VALID, 0, LIFETIME_MAX)
  return {
    maxInterval,
    minInterval: maxInterval >= s(9) ? Math.floor(maxInterval * 0.33) : maxInterval * 0.75,
    hopLimit: DEFAULT_HOP_LIMIT,
    managed: false,
    other: false,
    lifetime: Math.ceil(read('lifetime', Math.min(3 * maxInterval, s(9000)), 0, s(9000)) / s(1)),
    reachableTime: 0,
    retransTimer: 0,
    preferredLifetime: Math.floor(read('preferred', Math.min(PREFERRED, valid), 0, valid) / s(1)),
    validLifetime: Math.floor(valid / s(1)),
  }
}

/** What fits into the lifetime of a prefix below "for ever". */
const LIFETIME_MAX: Nanos = s(0xfffffffe)

/** What one interface of a router tells: its networks, and the MTU of its link. */
export function advertisementFor(
  plan: Ipv6Plan,
  addresses: readonly InterfaceAddress[],
  mtu: number,
): AdvertiseConfig | null {
  if (plan.advertise === null) return null
  const { preferredLifetime, validLifetime, ...rest } = plan.advertise
  const prefixes: PrefixInformation[] = []
  for (const { address, prefixLength } of addresses) {
    if (isIpv4(address)) continue
    const prefix = networkOf(address, prefixLength) as string
    if (prefixes.some((each) => each.prefix === prefix)) continue
    const autonomous = prefixLength === 64
    const lifetimes = { validLifetime, preferredLifetime }
    prefixes.push({ prefix, prefixLength, onLink: true, autonomous, ...lifetimes })
  }
  return { ...rest, mtu, prefixes }
}
