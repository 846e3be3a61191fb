import { isCongestionName } from '../../protocols/tcp/congestion/control-of.ts'
import { fromHex } from '../../protocols/bytes.ts'
import type { FastOpenChoices } from '../../protocols/tcp/fast-open-choices.ts'
import type { TcpChoices } from '../../protocols/tcp/policy.ts'
import { LINUX } from '../../protocols/tcp/profiles/linux.ts'
import { FREEBSD } from '../../protocols/tcp/profiles/freebsd.ts'
import { ms, s } from '../../protocols/time.ts'
import { Unsupported } from './script.ts'
import { type Association, associationsIn } from './security-associations.ts'

/** What a command means to the host. */
export type Setting =
  | { readonly kind: 'policy'; readonly changes: Partial<TcpChoices> }
  | { readonly kind: 'fast-open'; readonly changes: Partial<FastOpenChoices> }
  /** What is remembered of other hosts is no more. */
  | { readonly kind: 'forget' }
  | { readonly kind: 'none' }
  /** So many sockets are in this state. */
  | { readonly kind: 'count'; readonly state: string; readonly expected: number }
  /** Keys for signed segments. */
  | { readonly kind: 'keys'; readonly added: readonly Association[] }
  /** Connections in this state are dropped. */
  | { readonly kind: 'drop'; readonly state: string }

const NONE: Setting = { kind: 'none' }
const policy = (changes: Partial<TcpChoices>): Setting => ({ kind: 'policy', changes })

const fastOpen = (changes: Partial<FastOpenChoices>): Setting => ({ kind: 'fast-open', changes })

type Meaning = (n: number) => Setting | null
/** Only this value is what the host does anyway. */
const only =
  (...values: readonly number[]): Meaning =>
  (n) =>
    values.includes(n) ? NONE : null

/** 0 never, 1 asks for it, 2 agrees where the peer asks; then what it is to be with RFC 9768. */
const ecn =
  (...more: readonly Partial<TcpChoices>[]): Meaning =>
  (n) => {
    const choices = [...CLASSIC_ECN, ...more][n]
    return choices === undefined ? null : policy(choices)
  }

const CLASSIC_ECN: readonly Partial<TcpChoices>[] = [
  { ecn: 'off', accurateEcn: 'off' },
  { ecn: 'request', accurateEcn: 'off' },
  { ecn: 'accept', accurateEcn: 'off' },
]

/** Linux's bits of tcp_fastopen. */
const fastOpenBits = (n: number): Setting =>
  fastOpen({
    client: (n & 1) !== 0,
    server: (n & 2) !== 0,
    clientNeedsCookie: (n & 4) === 0,
    serverNeedsCookie: (n & 0x200) === 0,
    everyListener: (n & 0x400) !== 0,
  })

/** The names of two systems; what a host of ours does not have is known by its idle value alone. */
const SETTINGS: { readonly [name: string]: Meaning } = {
  'net.ipv4.tcp_timestamps': (n) => policy({ timestamps: n !== 0 }),
  'net.ipv4.tcp_sack': (n) => policy({ sackPermitted: n !== 0 }),
  'net.ipv4.tcp_window_scaling': (n) => policy({ windowScale: n !== 0 }),
  'net.ipv4.tcp_syn_retries': (n) => policy({ synRetries: n }),
  'net.ipv4.tcp_retries2': (n) => policy({ dataRetries: n }),
  'net.ipv4.tcp_fin_timeout': (n) => policy({ finWait2: ms(1000 * n) }),
  'net.ipv4.tcp_ecn': ecn(
    { ecn: 'request', accurateEcn: 'request' },
    { ecn: 'request', accurateEcn: 'accept' },
    { ecn: 'accept', accurateEcn: 'accept' },
  ),
  'net.ipv4.tcp_ecn_option': (n) => policy({ accurateEcnOption: n !== 0 }),
  'net.ipv4.tcp_dsack': (n) => policy({ dsack: n !== 0 }),
  'net.ipv4.tcp_recovery': (n) => policy({ rack: (n & 1) !== 0 }),
  'net.ipv4.tcp_early_retrans': (n) => policy({ tlp: n !== 0 }),
  'net.ipv4.tcp_frto': (n) => policy({ frto: n !== 0 }),
  'net.ipv4.tcp_reordering': (n) => policy({ dupAckThreshold: n }),
  'net.ipv4.tcp_retries1': (n) => policy({ suspectAfter: n }),
  'net.ipv4.tcp_synack_retries': (n) => policy({ synAckRetries: n }),
  'net.ipv4.tcp_keepalive_time': (n) => policy({ keepIdle: s(n) }),
  'net.ipv4.tcp_keepalive_intvl': (n) => policy({ keepInterval: s(n) }),
  'net.ipv4.tcp_keepalive_probes': (n) => policy({ keepCount: n }),
  'net.ipv4.tcp_syncookies': (n) => policy({ synCookies: n !== 0 }),
  'net.ipv4.tcp_rfc1337': (n) => policy({ timeWaitStays: n !== 0 }),
  'net.ipv4.tcp_slow_start_after_idle': (n) => policy({ idleRestart: n !== 0 }),
  'net.ipv4.tcp_invalid_ratelimit': (n) => policy({ challengeWindow: ms(n) }),
  'net.ipv4.tcp_rto_min_us': (n) => policy({ rtoMin: 1000 * n, rtoGranularity: 1000 * n }),
  'net.ipv4.tcp_fastopen': (n) => fastOpenBits(n),
  'net.ipv4.tcp_fastopen_blackhole_timeout_sec': (n) => fastOpen({ pausedFor: s(n) }),
  'net.ipv4.tcp_syn_linear_timeouts': (n) => policy({ synLinear: n }),
  'net.ipv4.tcp_fack': only(0),
  'net.ipv4.tcp_mtu_probing': only(0),
  'net.ipv4.tcp_thin_linear_timeouts': only(0),
  'net.ipv4.tcp_notsent_lowat': (n) => policy({ notSentLowWater: n >>> 0 || 2 ** 32 - 1 }),
  'net.ipv4.tcp_rto_max_ms': (n) => policy({ rtoMax: ms(n) }),
  'net.ipv4.tcp_shrink_window': only(0),
  'net.ipv4.tcp_ecn_fallback': only(1),
  'net.ipv4.tcp_orphan_retries': only(0),
  'net.ipv4.tcp_adv_win_scale': only(1),
  'net.inet.tcp.rfc1323': (n) => policy({ timestamps: n !== 0, windowScale: n !== 0 }),
  'net.inet.tcp.sack.enable': (n) => policy({ sackPermitted: n !== 0 }),
  'net.inet.tcp.recvspace': (n) => policy({ receiveBuffer: n }),
  'net.inet.tcp.sendspace': (n) => policy({ sendBuffer: n }),
  'net.inet.tcp.delacktime': (n) => policy({ delayedAck: ms(n) }),
  'net.inet.tcp.rexmit_initial': (n) => policy({ rtoInitial: ms(n) }),
  'net.inet.tcp.keepinit': (n) => policy({ connectTimeout: ms(n) }),
  'net.inet.tcp.keepidle': (n) => policy({ keepIdle: ms(n) }),
  'net.inet.tcp.keepintvl': (n) => policy({ keepInterval: ms(n) }),
  'net.inet.tcp.keepcnt': (n) => policy({ keepCount: n }),
  'net.inet.tcp.mssdflt': only(536),
  'net.inet.tcp.rexmit_slop': (n) => policy({ rtoSlop: ms(n) }),
  'net.inet.tcp.rexmit_drop_options': (n) => policy({ synPlainAfter: n === 0 ? 0 : 3 }),
  'net.inet.tcp.ecn.enable': ecn(
    { ecn: 'request', accurateEcn: 'request' },
    { ecn: 'accept', accurateEcn: 'accept' },
  ),
  'net.inet.tcp.ecn.maxretries': (n) => policy({ ecnSynRetries: n }),
  'net.inet.tcp.blackhole': only(0),
  'net.inet.tcp.insecure_rst': (n) => policy({ insecureReset: n !== 0 }),
  'net.inet.tcp.insecure_syn': (n) => policy({ insecureSyn: n !== 0 }),
  'net.inet.tcp.drop_synfin': (n) => policy({ dropSynFin: n !== 0 }),
  'net.inet.tcp.syncookies': only(0, 1),
  'net.inet.tcp.syncookies_only': only(0),
  'net.inet.tcp.icmp_may_rst': (n) =>
    policy({ icmpEndsConnect: n === 0 ? [] : FREEBSD.icmpEndsConnect }),
  'net.inet.tcp.path_mtu_discovery': only(1),
  'net.inet.tcp.fastopen.client_enable': (n) => fastOpen({ client: n !== 0 }),
  'net.inet.tcp.fastopen.server_enable': (n) => fastOpen({ server: n !== 0 }),
  'net.inet.tcp.fastopen.acceptany': (n) => fastOpen({ serverNeedsCookie: n === 0 }),
  'net.inet.tcp.fastopen.path_disable_time': (n) => fastOpen({ refusedFor: s(n) }),
  'net.inet.tcp.udp_tunneling_port': (n) =>
    n >= 0 && n < 0x10000 ? policy({ tunnelPort: n }) : null,
  // tcp(4): between 8 and 1024.
  'net.inet.tcp.udp_tunneling_overhead': (n) =>
    n >= 8 && n <= 1024 ? policy({ tunnelOverhead: n }) : null,
  'net.inet.tcp.hostcache.purgenow': () => NONE,
  'kern.ipc.maxsockbuf': (n) => policy({ receiveBufferMax: n }),
}

const COUNT = /^sockstat\s.*\bgrep -c (\w+)\s*\|\s*grep (\d+)$/

/**
 * What a shell command of a script stands for.
 *
 * @throws Unsupported for a command that is none of them, or a value that the host does not have.
 */
export function settingsOf(command: string, line: number): Setting[] {
  const { added, rest } = associationsIn(command, line)
  const keys: Setting[] = added.length === 0 ? [] : [{ kind: 'keys', added }]
  const parts = rest
    .replaceAll(WHERE_TO, '')
    .split(/[;\n]|&&|\|\|/)
    .map((part) => part.trim())
  const others = parts.flatMap((part) => {
    const [, several] = /^\S*\bset_sysctls\.py\s+(.*)$/.exec(part) ?? []
    if (several === undefined) {
      return part === '' ? [] : oneByOne(part).map((each) => settingOf(each, line))
    }
    return several.split(/\s+(?=\/)/).map((each) => settingOf(asSysctl(each), line))
  })
  return [...others, ...keys]
}

/** Nobody looks at what a command says. */
const WHERE_TO = /\s*\d?>\s*(&\d|\/dev\/null)/g

/** `sysctl -q a=1 b=2` is two commands. */
function oneByOne(command: string): string[] {
  const [, flags = '', rest = ''] = /^sysctl((?: -[qw]+)*) (.*)$/.exec(command) ?? []
  const parts = rest.split(/\s+(?=[a-z][\w.]*\.[\w.]*=)/)
  return parts.length < 2 ? [command] : parts.map((part) => `sysctl${flags} ${part}`)
}

/** Of kernels that cut segments late, remember paths, or run programs: nothing that shows here. */
const IDLE =
  /^net\.(core\.\w+|ipv4\.(tcp_(no_metrics_save|no_ssthresh_metrics_save|autocorking|retrans_collapse|comp_sack_\w+|max_reordering|backlog_ack_defer|reflect_tos|app_win|min_rtt_wlen|abort_on_overflow|plb_\w+|min_tso_segs|tso_win_divisor|pacing_\w+|ecn_option_beacon|moderate_rcvbuf|limit_output_bytes|challenge_ack_limit|tw_reuse|max_syn_backlog|min_snd_mss|base_mss)))$/

/** They change a machine's devices and routes, of which the host has none but the script. */
const IDLE_COMMAND = /^(tc|ethtool|ip|sleep|kldstat|kldload|\S*sysctl_restore\S*\.sh)\b/

/** What the suites of Linux begin with, as far as it is not what the TCP does anyway. */
const DEFAULTS = /^\S*\bdefaults\.sh$/
const LINUX_DEFAULTS: Partial<TcpChoices> = {
  receiveBuffer: 270_000, // half of it holds payload
  receiveBufferMax: 15_728_640,
  sendBuffer: 262_144,
  synRetries: 5,
  synAckRetries: 5,
  congestion: 'cubic',
  idleRestart: false,
  ecn: 'off',
  fastOpen: {
    ...LINUX.fastOpen,
    client: true,
    server: true,
    everyListener: true,
    key: fromHex('a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4'),
  },
}

function settingOf(command: string, line: number): Setting {
  if (/^ip tcp_metrics flush\b/.test(command)) return { kind: 'forget' }
  if (IDLE_COMMAND.test(command)) return NONE
  if (/^setkey -F\b/.test(command)) return policy({ signingKeys: [] })
  if (DEFAULTS.test(command)) return policy(LINUX_DEFAULTS)
  const counted = COUNT.exec(command)
  if (counted !== null) {
    return { kind: 'count', state: counted[1]!, expected: Number(counted[2]) }
  }
  const dropped = /^tcpdrop -s (\w+)$/.exec(command)
  if (dropped !== null) return { kind: 'drop', state: dropped[1]! }
  const [, name, value] = /^sysctl(?: -[qw]+)* ([\w.]+)=(.*)$/.exec(command) ?? []
  if (name === undefined || value === undefined) {
    throw new Unsupported(`command '${command.split(/\s/, 1)[0]}'`, line)
  }
  if (name === 'net.ipv4.tcp_congestion_control') return congestionOf(value, line)
  if (FAST_OPEN_KEYS.includes(name)) return keyOf(name, value, line)
  if (IDLE.test(name)) return NONE
  if (name === 'net.ipv4.tcp_rmem') return receiveMemory(value, line)
  const meaning = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : buffers(name)
  const number = Number(
    value.replaceAll(/["']/g, '').trim().split(/\s+/)[name.endsWith('mem') ? 1 : 0],
  )
  const setting = Number.isInteger(number) ? meaning?.(number) : null
  if (setting === null || setting === undefined) throw new Unsupported(`${name}=${value}`, line)
  return setting
}

function congestionOf(value: string, line: number): Setting {
  if (isCongestionName(value)) return policy({ congestion: value })
  throw new Unsupported(`net.ipv4.tcp_congestion_control=${value}`, line)
}

const FAST_OPEN_KEYS: readonly string[] = [
  'net.ipv4.tcp_fastopen_key',
  'net.inet.tcp.fastopen.setkey',
]

/** Linux writes four words in hexadecimal, which it keeps low byte first; FreeBSD 16 bytes. */
function keyOf(name: string, value: string, line: number): Setting {
  const written = value.replaceAll(/["']/g, '').trim()
  const words = written.split('-')
  const isLinux = name.startsWith('net.ipv4')
  const fits = isLinux
    ? words.length === 4 && words.every((word) => /^[\da-f]{1,8}$/i.test(word))
    : /^[\da-f]{32}$/i.test(written)
  if (!fits) throw new Unsupported(`${name}=${value}`, line)
  const bytes = isLinux ? words.flatMap(lowByteFirst) : [written]
  return fastOpen({ key: fromHex(bytes.join('')) })
}

const lowByteFirst = (word: string): string[] =>
  (word.padStart(8, '0').match(/../g) ?? []).toReversed()

/** `/proc/sys/net/ipv4/tcp_sack=1` is `sysctl net.ipv4.tcp_sack=1`. */
function asSysctl(assignment: string): string {
  const [path = '', value = ''] = assignment.split('=')
  return `sysctl ${path.replace('/proc/sys/', '').replaceAll('/', '.')}=${value.trim()}`
}

/** Half of the memory holds payload; the largest decides the window scale. */
function receiveMemory(value: string, line: number): Setting {
  const [, usual, most] = value.replaceAll(/["']/g, '').trim().split(/\s+/).map(Number)
  if (usual === undefined || most === undefined || !(usual > 0 && most > 0)) {
    throw new Unsupported(`net.ipv4.tcp_rmem=${value}`, line)
  }
  return policy({ receiveBuffer: Math.floor(usual / 2), receiveBufferMax: most })
}

/** Three sizes: least, usual, most. */
function buffers(name: string): Meaning | undefined {
  if (name === 'net.ipv4.tcp_wmem') return (n) => policy({ sendBuffer: n })
  return undefined
}

/** How scripts call the states of RFC 9293. */
export const stateWord = (state: string): string =>
  state === 'SYN-RECEIVED' ? 'SYN_RCVD' : state.replaceAll('-', '_')
