import { type IpAddress, parseIpText } from '../../protocols/address.ts'
import type { Bytes } from '../../protocols/bytes.ts'
import type { Nanos } from '../../protocols/time.ts'
import type { Family, Script } from './script.ts'

/** What the options at the head of a script say, and what holds where they say nothing. */
export interface ScriptSettings {
  readonly family: Family
  readonly local: IpAddress
  readonly prefixLength: number
  readonly remote: IpAddress
  readonly gateway: IpAddress
  /** Where `bind` binds, and where `connect` goes. */
  readonly bindPort: number
  readonly connectPort: number
  readonly mtu: number
  /** How far off a packet or a call may be: a fixed time, or a part of the time since the event before. */
  readonly toleranceFixed: Nanos
  readonly tolerancePart: number
  /** How long a tick of the host's timestamps is; 0: they are not looked at. */
  readonly stampTick: Nanos
  readonly scaledEchoes: boolean
  readonly strictSegments: boolean
  /** `--tcp_md5_secret`: the key behind `md5 valid`; none: no bytes. */
  readonly secret: Bytes
  /** What may go otherwise than written: it is noted, and the script goes on. */
  readonly nonFatal: readonly string[]
}

const USUAL: { readonly [family in Family]: { readonly [name: string]: string } } = {
  ipv4: {
    local_ip: '192.168.0.1',
    remote_ip: '192.0.2.1',
    gateway_ip: '192.168.0.2',
    netmask_ip: '255.255.0.0',
  },
  ipv6: {
    local_ip: 'fd3d:fa7b:d17d::1',
    remote_ip: '2001:db8::1',
    gateway_ip: 'fd3d:fa7b:d17d::2',
    netmask_ip: '',
  },
}

const PREFIX: { readonly [family in Family]: number } = { ipv4: 16, ipv6: 48 }

export const familyOf = (options: Script['options']): Family =>
  options.get('ip_version') === 'ipv6' ? 'ipv6' : 'ipv4'

export function settingsIn({ options }: Script): ScriptSettings {
  const family = familyOf(options)
  const text = (name: string, usual = ''): string =>
    options.get(name) ?? USUAL[family][name] ?? usual
  const number = (name: string, usual: number): number => Number(text(name, String(usual)))
  const address = (name: string): IpAddress => parseIpText(text(name).replace(/\/\d+$/, '')) ?? 0
  return {
    family,
    local: address('local_ip'),
    prefixLength: prefixOf(text('local_ip'), text('netmask_ip')) ?? PREFIX[family],
    remote: address('remote_ip'),
    gateway: address('gateway_ip'),
    bindPort: number('bind_port', 8080),
    connectPort: number('connect_port', 8080),
    mtu: number('mtu', 1500),
    toleranceFixed: number('tolerance_usecs', 4000) * 1000,
    tolerancePart: number('tolerance_percent', 12.5) / 100,
    stampTick: number('tcp_ts_tick_usecs', 0) * 1000,
    scaledEchoes: options.has('tcp_ts_ecr_scaled'),
    strictSegments: options.has('strict_segments'),
    secret: new TextEncoder().encode(text('tcp_md5_secret')),
    nonFatal: text('non_fatal').split(','),
  }
}

/** From `ADDRESS/LENGTH`, or else from a mask. */
function prefixOf(local: string, mask: string): number | null {
  const written = /\/(\d+)$/.exec(local)?.[1]
  if (written !== undefined) return Number(written)
  const bits = parseIpText(mask)
  if (typeof bits !== 'number') return null
  return (bits >>> 0).toString(2).replaceAll('0', '').length
}
