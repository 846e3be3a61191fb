import { type Bytes, concatBytes, u16, viewOf } from '../bytes.ts'
import type { TcpPolicy } from './policy.ts'
import { SIGNATURE_SPACE } from './signature.ts'
import { OPTION_END, optionBytes, optionData, TcpOptions } from './options.ts'

// The Fast Open option, RFC 7413 §4.1.1, and the form that it had before (RFC 6994 with the experiment
// number 0xF989): a cookie of 4 to 16 bytes, or none, which asks for one.

export const OPTION_FAST_OPEN = 34
export const OPTION_EXPERIMENT = 254
export const FAST_OPEN_EXPERIMENT = Uint8Array.of(0xf9, 0x89)

const COOKIE_MIN = 4
const COOKIE_MAX = 16
/** The data offset leaves so much (RFC 9293 §3.1). */
const OPTIONS_MAX = 40

export interface FastOpenOption {
  /** Empty: it asks for one. */
  readonly cookie: Bytes
  readonly experimental: boolean
}

/** What a SYN or a SYN,ACK says; `null`: nothing, or nothing that makes sense, which is the same. */
export function fastOpenIn(options: TcpOptions): FastOpenOption | null {
  const standard = optionData(options, OPTION_FAST_OPEN)
  if (standard !== null) return optionOf(standard, false)
  const other = optionData(options, OPTION_EXPERIMENT)
  if (other === null || !isFastOpen(other)) return null
  return optionOf(viewOf(other, 2, other.length), true)
}

/** The data of an experiment's option is ours. */
export const isFastOpen = (data: Bytes): boolean =>
  data.length >= 2 && u16(data, 0) === u16(FAST_OPEN_EXPERIMENT, 0)

const optionOf = (cookie: Bytes, experimental: boolean): FastOpenOption | null =>
  cookie.length === 0 || isCookie(cookie.length) ? { cookie, experimental } : null

/** §4.1.1: an even number of bytes, 4 to 16. */
export const isCookie = (length: number): boolean =>
  length >= COOKIE_MIN && length <= COOKIE_MAX && length % 2 === 0

/** The same options with this one behind them, if there is room for it. */
export function withFastOpen(
  options: TcpOptions,
  { cookie, experimental }: FastOpenOption,
  policy: TcpPolicy,
): TcpOptions {
  const layout = options.layout.slice()
  while (layout[layout.length - 1] === OPTION_END) layout.pop()
  layout.push(experimental ? OPTION_EXPERIMENT : OPTION_FAST_OPEN)
  const data = experimental ? concatBytes([FAST_OPEN_EXPERIMENT, cookie]) : cookie
  const unknown = [...options.unknown, data]
  const { sack, mss, windowScale, timestampValue, timestampEcho } = options
  let size = optionBytes(layout, sack, unknown)
  const room = policy.signs === 'nobody' ? OPTIONS_MAX : OPTIONS_MAX - SIGNATURE_SPACE
  if (size > room) return options
  for (; size % 4 !== 0; size++) layout.push(policy.fastOpen.padding)
  return new TcpOptions(layout, mss, windowScale, timestampValue, timestampEcho, sack, unknown)
}
