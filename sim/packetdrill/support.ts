import { parseIpText } from '../../protocols/address.ts'
import { checkCall } from './calls.ts'
import { checkCode } from './code.ts'
import { type Script, type ScriptPacket, Unsupported } from './script.ts'
import { type ScriptSettings, settingsIn } from './script-settings.ts'
import { settingsOf } from './sysctl.ts'

const ADDRESS = /^[\da-fA-F.:]+(\/\d+)?$/

/** Options that are known, and the values that are, where not any. */
const OPTIONS: { readonly [name: string]: RegExp } = {
  ip_version: /^(ipv4|ipv6|ipv4-mapped-ipv6)$/,
  local_ip: ADDRESS,
  remote_ip: ADDRESS,
  gateway_ip: ADDRESS,
  netmask_ip: ADDRESS,
  bind_port: /^\d+$/,
  connect_port: /^\d+$/,
  mtu: /^\d+$/,
  mss: /^\d+$/,
  tolerance_usecs: /^\d+$/,
  tolerance_percent: /^\d+(\.\d+)?$/,
  tcp_ts_tick_usecs: /^\d+$/,
  tcp_ts_ecr_scaled: /^$/,
  strict_segments: /^$/,
  tcp_md5_secret: /^.{1,80}$/,
  // Each packet says whether it is in a datagram.
  udp_encapsulation: /^tcp$/,
  non_fatal: /^(packet|syscall)(,(packet|syscall))*$/,
  // Of the program that plays scripts on a kernel.
  send_omit_free: /^$/,
}

/**
 * Looks at every line of a script before the first is played: what is not known is refused, whether
 * the script gets there or not.
 *
 * @throws Unsupported
 */
export function checkSupport(script: Script): void {
  const { options, init, events, cleanup } = script
  for (const [name, value] of options) {
    const known = Object.hasOwn(OPTIONS, name) && OPTIONS[name]!.test(value)
    if (!known) throw new Unsupported(value === '' ? `--${name}` : `--${name}=${value}`, 1)
    const isAddress = name.endsWith('_ip')
    if (isAddress && parseIpText(value.replace(/\/\d+$/, '')) === null) {
      throw new Unsupported(`--${name}=${value}`, 1)
    }
  }
  const settings = settingsIn(script)
  if (init !== null) settingsOf(init.text, init.line)
  for (const { action, line } of events) {
    if (action.kind === 'call') checkCall(action, line, settings)
    else if (action.kind === 'command') settingsOf(action.text, line)
    else if (action.kind === 'packet') checkPacket(action.packet, settings, line)
    else if (action.kind === 'code') checkCode(action.text, line)
  }
  if (cleanup !== null) settingsOf(cleanup.text, cleanup.line)
}

/** A signature needs a key. */
function checkPacket(packet: ScriptPacket, { secret }: ScriptSettings, line: number): void {
  if (packet.kind !== 'tcp' || secret.length > 0) return
  if (packet.options?.some(({ kind }) => kind === 'md5') === true) {
    throw new Unsupported('md5 valid without --tcp_md5_secret', line)
  }
}
