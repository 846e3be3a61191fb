import { parseIpv4Text } from '../../protocols/address.ts'
import { checkCall } from './calls.ts'
import { checkCode } from './code.ts'
import { type Script, Unsupported } from './script.ts'
import { settingsOf } from './sysctl.ts'

/** Options that are known, and the values that are, where not any. */
const OPTIONS: { readonly [name: string]: RegExp } = {
  ip_version: /^ipv4$/,
  local_ip: /^[\d./]+$/,
  remote_ip: /^[\d./]+$/,
  gateway_ip: /^[\d.]+$/,
  bind_port: /^\d+$/,
  connect_port: /^\d+$/,
  mtu: /^\d+$/,
  mss: /^\d+$/,
  tolerance_usecs: /^\d+$/,
  tolerance_percent: /^\d+(\.\d+)?$/,
  tcp_ts_tick_usecs: /^\d+$/,
  tcp_ts_ecr_scaled: /^$/,
  strict_segments: /^$/,
}

/**
 * Looks at every line of a script before the first is played: what is not known is refused, whether
 * the script gets there or not.
 *
 * @throws Unsupported
 */
export function checkSupport({ options, init, events, cleanup }: Script): void {
  for (const [name, value] of options) {
    const known = Object.hasOwn(OPTIONS, name) && OPTIONS[name]!.test(value)
    if (!known) throw new Unsupported(value === '' ? `--${name}` : `--${name}=${value}`, 1)
    const isAddress = name.endsWith('_ip')
    if (isAddress && parseIpv4Text(value.replace(/\/\d+$/, '')) === null) {
      throw new Unsupported(`--${name}=${value}`, 1)
    }
  }
  if (init !== null) settingsOf(init.text, init.line)
  for (const { action, line } of events) {
    if (action.kind === 'call') checkCall(action, line)
    else if (action.kind === 'command') settingsOf(action.text, line)
    else if (action.kind === 'code') checkCode(action.text, line)
  }
  if (cleanup !== null) settingsOf(cleanup.text, cleanup.line)
}
