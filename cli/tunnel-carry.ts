import { type Command, Option } from 'commander'
import { type Ipv4Address, isIpv4, parseIpv4Text } from '../protocols/address.ts'
import { carryEngine, type PacketCodec } from '../protocols/tunnel/carry.ts'
import {
  CARRY_DEFAULTS,
  type CarryConfig,
  type CarryCounters,
  type CarryReport,
  createCarry,
} from '../protocols/tunnel/carry-state.ts'
import type { CarryOrder } from '../protocols/tunnel/outbound.ts'
import { parseInterfaceAddress } from '../sim/subnet.ts'
import { EnvironmentError, isRefusal, refused, UserError } from '../sim/user-error.ts'
import { KernelHost } from '../wire/kernel-host.ts'
import { kernelRaw } from '../wire/kernel-raw.ts'
import { kernelTun } from '../wire/kernel-tun.ts'
import { Tap, Tun } from '../wire/tap.ts'
import { deflatePacket, inflatePacket } from './compress.ts'
import { EXIT_EXPECTATION, EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { message } from './report.ts'
import { addressOf, duration, freshIdentity, keyOf, wholeNumber } from './transfer-options.ts'
import { collect, type Verb } from './verb.ts'

const EXAMPLES = `
Examples (raw IP sockets and a TUN: as root; here on 10.0.0.1, over there on 10.0.0.2):
  $ sudo twinwire tunnel carry 10.0.0.2 --tun tun0 --address 10.9.0.1/30
  $ sudo twinwire tunnel carry 10.0.0.1 --tun tun0 --address 10.9.0.2/30      # over there
  $ ping 10.9.0.2                              # through the tunnel
  $ sudo ip route add 192.168.7.0/24 dev tun0  # the network behind the other end
  $ sudo twinwire tunnel carry 10.0.0.2 --tun tun0 --address 10.9.0.1/30 --key secret --compress

What is routed into the TUN comes out of the one at the other end, over IP protocol 253: numbered,
acknowledged, and sent again where it was lost. The MTU of the TUN is what the path takes, less what
the tunnel adds. Packets of one connection stay in order, those of others need not wait for them. A
packet that has waited or tried for --persist is given up; the queue holds --queue and no more.
An interface that is there is used as it is; one that is made goes with the command, which Ctrl-C ends.`

interface CarryCommand {
  readonly tun?: string
  readonly tap?: string
  readonly address: readonly string[]
  readonly key?: string
  readonly compress: boolean
  readonly local?: string
  readonly mtu: string
  readonly order: CarryOrder
  readonly window: string
  readonly queue: string
  readonly persist: string
  readonly keepalive: string
  readonly dead: string
  readonly wait?: string
  readonly json: boolean
}

const CODEC: PacketCodec = { deflate: deflatePacket, inflate: inflatePacket }

export function addCarry(group: Command, files: NodeFiles, verb: Verb): void {
  group
    .command('carry')
    .description('packets of ping, TCP and whatever else, from a TUN here to one there')
    .argument('<host>', 'the other end')
    .option(
      '--tun <name>',
      'the interface whose packets are carried; it is made where it is missing',
    )
    .option('--tap <name>', 'the same with Ethernet frames')
    .option(
      '--address <address>',
      'what it gets where it is made: 10.9.0.1/30, fd09::1/64',
      collect,
      [],
    )
    .option('--key <file>', 'a shared secret: packets are authenticated (HMAC-SHA-256)')
    .option('--compress', 'what becomes smaller by it is sent compressed', false)
    .option('--local <address>', 'the address outside of this end')
    .option('--mtu <bytes>', 'the largest IP packet outside', '1500')
    .addOption(
      new Option('--order <which>', 'which packets wait for each other')
        .choices(['flow', 'all', 'none'])
        .default('flow'),
    )
    .option('--window <packets>', 'so many are under way', '256')
    .option('--queue <packets>', 'so many wait; more are lost', '512')
    .option('--persist <duration>', 'so long a packet waits and is tried', '2s')
    .option('--keepalive <duration>', 'after such a silence the other end is asked', '10s')
    .option('--dead <duration>', 'after such a silence it is taken for dead', '30s')
    .option('--wait <duration>', 'exit 1 where nobody is there by then; without it, for ever')
    .option('--json', 'what was carried as one JSON object on stdout, at the end', false)
    .addHelpText('after', EXAMPLES)
    .action((host: string, command: CarryCommand) => {
      verb.act = async () => ({ code: await carry(host, command, files) })
    })
}

async function carry(host: string, command: CarryCommand, files: NodeFiles): Promise<number> {
  const peer = await addressOf(host)
  if (!isIpv4(peer)) throw new UserError('the tunnel goes over IPv4', { where: 'HOST', word: host })
  const config = configOf(peer, command, files)
  const wait = command.wait === undefined ? null : duration(command.wait, '--wait')
  for (const text of command.address) {
    const parsed = parseInterfaceAddress(text)
    if (isRefusal(parsed)) throw refused(parsed, '--address', text)
  }
  const device = deviceOf(command)
  try {
    if (!device.created && command.address.length > 0) {
      message(`${device.name} is there already, and keeps its addresses`)
    }
    if (device.created) {
      for (const address of command.address) {
        if (address.includes(':')) device.ipv6 = address
        else device.ipv4 = address
      }
      device.isUp = true
    }
    // The other end may have measured more.
    device.longest = LONGEST
    return await run(host, { config, wait, json: command.json }, device)
  } finally {
    await device.close()
  }
}

const LONGEST = 65_535

function configOf(peer: Ipv4Address, command: CarryCommand, files: NodeFiles): CarryConfig {
  const { policy } = CARRY_DEFAULTS
  const window = wholeNumber(command.window, '--window', 1, 1024)
  const { random, epoch } = freshIdentity()
  return {
    ...CARRY_DEFAULTS,
    peer,
    local: addressIn(command.local, '--local'),
    layer: command.tap === undefined ? 'ip' : 'ethernet',
    policy: { ...policy, window },
    order: command.order,
    outerMtu: wholeNumber(command.mtu, '--mtu', 576, 65_535),
    queue: wholeNumber(command.queue, '--queue', 1, 65_536),
    persist: duration(command.persist, '--persist'),
    keepalive: duration(command.keepalive, '--keepalive'),
    dead: duration(command.dead, '--dead'),
    key: keyOf(command.key, files),
    random,
    epoch,
    compress: command.compress,
    inside: insideOf(command.address) ?? CARRY_DEFAULTS.inside,
  }
}

function addressIn(text: string | undefined, where: string): Ipv4Address | null {
  if (text === undefined) return null
  const address = parseIpv4Text(text)
  if (address === null) throw new UserError(`'${text}' is no IPv4 address`, { where, word: text })
  return address
}

const insideOf = (addresses: readonly string[]): Ipv4Address | null =>
  addresses.map((text) => parseIpv4Text(text.replace(/\/.*$/, ''))).find((each) => each !== null) ??
  null

function deviceOf({ tun, tap }: CarryCommand): Tap | Tun {
  if (tun !== undefined && tap !== undefined) {
    throw new UserError('a TUN and a TAP', { where: '--tap', hint: 'give one of them' })
  }
  if (tap !== undefined) return new Tap(tap)
  if (tun !== undefined) return new Tun(tun)
  throw new UserError('whose packets are to be carried?', {
    where: '--tun',
    hint: "write '--tun tun0 --address 10.9.0.1/30'",
  })
}

interface Plan {
  readonly config: CarryConfig
  readonly wait: number | null
  readonly json: boolean
}

/** Until Ctrl-C, or until something is missing. */
async function run(peer: string, { config, wait, json }: Plan, device: Tap | Tun): Promise<number> {
  const { name } = device
  const host = new KernelHost({ makers: { raw: kernelRaw, tun: kernelTun(device) } })
  try {
    return await new Promise<number>((resolve, reject) => {
      let [isUp, code] = [false, EXIT_OK]
      const hear = (report: CarryReport): void => {
        switch (report.kind) {
          case 'up':
            isUp = true
            return message(`up: ${peer} answers; ${name} carries packets of ${report.mtu} bytes`)
          case 'mtu':
            return message(`the path takes other sizes: ${name} carries ${report.mtu} bytes now`)
          case 'down':
            return message(`down: ${peer}: ${report.why}; packets wait for it to come back`)
          case 'closed':
            say(report.counters, json)
            process.off('SIGINT', stop)
            process.off('SIGTERM', stop)
            // The last word goes out first.
            return void setTimeout(() => resolve(code), 20)
          case 'refused':
            return reject(refusal(report, name))
        }
      }
      const running = host.run(carryEngine(CODEC), createCarry(config), hear)
      const stop = () => running.command('stop')
      process.on('SIGINT', stop)
      process.on('SIGTERM', stop)
      message(`${name}: MTU ${device.mtu}; looks for ${peer}; Ctrl-C ends it`)
      if (wait === null) return
      host.at(host.now + wait, () => {
        if (isUp) return
        message(`nobody answers at ${peer}`)
        code = EXIT_EXPECTATION
        stop()
      })
    })
  } finally {
    host.close()
  }
}

function refusal(
  { side, error }: CarryReport & { readonly kind: 'refused' },
  name: string,
): EnvironmentError {
  if (side === 'inside') return new EnvironmentError(`${name} is gone (${error})`)
  return error === 'EADDRNOTAVAIL' || error === 'ENETUNREACH'
    ? new EnvironmentError(`no way to the other end (${error})`, 'see: ip route get HOST')
    : new EnvironmentError(`the system does not allow it (${error})`, 'try it with sudo')
}

function say(counters: CarryCounters, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ schema: 1, result: 'closed', ...counters })}\n`)
    return
  }
  const { taken, handedOver, sent, resent, queueDrops, givenUp } = counters
  message(`${taken} packets in, ${handedOver} out; ${sent} sent, ${resent} of them again`)
  const outside = `${counters.refused} refused from outside`
  message(`lost: ${queueDrops} no room, ${givenUp} given up; ${outside}`)
}
