import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import { KOFFI_HINT } from './native.ts'

/** One thing that the machine offers, or does not. */
export interface Finding {
  readonly what: string
  readonly ok: boolean
  /** What was seen. */
  readonly seen: string
  /** The command that mends it; `null` where nothing has to be mended. */
  readonly mend: string | null
  /** What works only with it. */
  readonly serves: string
}

const TUN = '/dev/net/tun'
// linux/capability.h
const [CAP_NET_ADMIN, CAP_NET_RAW] = [12n, 13n]

/** Looks at what live mode needs; changes nothing. */
export function examine(): Finding[] {
  const require = createRequire(import.meta.url)
  const node = process.execPath
  return [
    systemFinding(),
    packageFinding(require, 'koffi', 'tap, tun, packet, raw, emulate', KOFFI_HINT),
    tunFinding(),
    capability('CAP_NET_ADMIN', CAP_NET_ADMIN, 'making TAPs, addresses', node),
    capability('CAP_NET_RAW', CAP_NET_RAW, 'packet and raw sockets', node),
    packageFinding(
      require,
      'raw-socket',
      'raw sockets without koffi',
      'install it: npm install raw-socket (needs a compiler)',
    ),
    toolFinding('ip', 'namespaces, preparing TAPs', 'apt-get install iproute2'),
    toolFinding('tcpdump', 'looking at the wire', 'apt-get install tcpdump'),
    namespaceFinding(),
  ]
}

function systemFinding(): Finding {
  const ok = process.platform === 'linux'
  const seen = `${process.platform} ${release()}, Node ${process.versions.node}, ${process.arch}`
  return { what: 'kernel', ok, seen, mend: ok ? null : 'run it on Linux', serves: 'live mode' }
}

function packageFinding(
  require: NodeJS.Require,
  name: string,
  serves: string,
  hint: string,
): Finding {
  const what = `package ${name}`
  try {
    require(name)
    return { what, ok: true, seen: versionOf(require.resolve(name)), mend: null, serves }
  } catch (e) {
    const code = e instanceof Error && 'code' in e ? String(e.code) : ''
    const seen = code === 'MODULE_NOT_FOUND' ? 'not installed' : 'does not load'
    return { what, ok: false, seen, mend: hint.replace('install it: ', ''), serves }
  }
}

/** From the manifest of the package that a file belongs to. */
function versionOf(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json')
    if (!existsSync(path)) continue
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: string }
    if (version !== undefined) return version
  }
  return 'installed'
}

function tunFinding(): Finding {
  const found = { what: TUN, serves: 'tap and tun' }
  if (!existsSync(TUN)) {
    const mend = 'modprobe tun; mkdir -p /dev/net; mknod /dev/net/tun c 10 200'
    return { ...found, ok: false, seen: 'missing', mend }
  }
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK)
    return { ...found, ok: true, seen: 'may be opened', mend: null }
  } catch {
    return { ...found, ok: false, seen: 'closed to this user', mend: `sudo chmod 0666 ${TUN}` }
  }
}

function capability(what: string, bit: bigint, serves: string, node: string): Finding {
  const ok = ((effectiveCapabilities() >> bit) & 1n) === 1n
  const word = what.toLowerCase()
  const mend =
    what === 'CAP_NET_ADMIN'
      ? 'run as root, or: sudo ip tuntap add dev tap0 mode tap user $USER'
      : `run as root, or: sudo setcap ${word}+ep ${node}`
  return { what, ok, seen: ok ? 'held' : 'not held', mend: ok ? null : mend, serves }
}

function effectiveCapabilities(): bigint {
  if (!existsSync('/proc/self/status')) return 0n
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return BigInt(`0x${match?.[1] ?? '0'}`)
}

function toolFinding(what: string, serves: string, mend: string): Finding {
  const { status, error } = spawnSync(what, ['-V'], { stdio: 'ignore', timeout: 5000 })
  const ok = error === undefined && status !== null
  return { what, ok, seen: ok ? 'installed' : 'not installed', mend: ok ? null : mend, serves }
}

/** A namespace of its own, in which everything is allowed: `unshare -Urn`. */
function namespaceFinding(): Finding {
  const { status } = spawnSync('unshare', ['-Urn', 'true'], { stdio: 'ignore', timeout: 5000 })
  const ok = status === 0
  return {
    what: 'unshare -Urn',
    ok,
    seen: ok ? 'allowed' : 'refused',
    mend: ok ? null : 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    serves: 'live tests without root',
  }
}
