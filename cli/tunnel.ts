import type { Command } from 'commander'
import { type Ipv4Address, parseIpv4Text } from '../protocols/address.ts'
import { receiveAs, sendAs } from '../protocols/arq/profile.ts'
import { NO_LOSS } from '../protocols/arq/loss.ts'
import { P2MP_SOUND } from '../protocols/p2mp-ftp/profiles.ts'
import type { RpVersion } from '../protocols/tunnel/rp.ts'
import { PROTOCOL_RELIABLE } from '../protocols/tunnel/rp.ts'
import { UserError } from '../sim/user-error.ts'
import { kernelRaw } from '../wire/kernel-raw.ts'
import { deflate, inflate } from './compress.ts'
import type { NodeFiles } from './files.ts'
import { receiveFile, sendFile } from './transfer-run.ts'
import { addressOf, duration, freshIdentity, keyOf, wholeNumber } from './transfer-options.ts'
import { runFarEnd, runNearEnd } from './tunnel-seed.ts'
import { addCarry } from './tunnel-carry.ts'
import type { RegisterVerb } from './verb.ts'

const EXAMPLES = `
Examples (raw IP sockets: as root):
  $ sudo twinwire tunnel receive out.bin
  $ sudo twinwire tunnel send 10.0.0.2 in.bin
  $ sudo twinwire tunnel send 10.0.0.2 in.bin --key secret --compress
  $ sudo twinwire tunnel carry 10.0.0.2 --tun tun0 --address 10.9.0.1/30
  $ sudo twinwire tunnel relay --profile seed --local 10.0.0.2 --from 10.0.0.1
  $ sudo twinwire tunnel send 10.0.0.2 in.txt --profile seed --local 10.0.0.1 --out back.txt

Profiles: sound is a session over IP protocol 253, with timeouts from round trips, selective
acknowledgement and units that fit the path. seed sends packets as the original did: loop-back, B
sends the inner packet back to A, which writes the file; one-way, B writes it.`

interface CommonOptions {
  readonly profile: string
  readonly key?: string
  readonly local?: string
  readonly shape: string
  readonly header: string
  readonly json: boolean
}
interface SendOptions extends CommonOptions {
  readonly unit: string
  readonly compress: boolean
  readonly retries: string
  readonly out?: string
  readonly inner: string
}
interface ReceiveOptions extends CommonOptions {
  readonly from?: string | undefined
  readonly idle?: string
}

const CARRIER = { protocol: 'raw', number: PROTOCOL_RELIABLE } as const
const MAKERS = { makers: { raw: kernelRaw } }

const common = (command: Command): Command =>
  command
    .option('--profile <name>', 'sound or seed', 'sound')
    .option('--key <file>', 'a shared secret: packets are authenticated (HMAC-SHA-256)')
    .option('--local <address>', 'seed: the address of this end')
    .option('--shape <name>', 'seed: loop-back or one-way', 'loop-back')
    .option('--header <version>', 'seed: 12, 8 or id-only', '12')
    .option('--json', 'the result as one JSON object on stdout', false)

export const tunnelVerb: RegisterVerb = (program, files, verb) => {
  const group = program
    .command('tunnel')
    .description('a file, or packets of others, through a reliable tunnel over IP protocol 253')
    .addHelpText('after', EXAMPLES)
  common(group.command('send').description('send a file').argument('<host>').argument('<file>'))
    .option('--unit <bytes>', 'of the file in each packet, less where the path takes less', '1400')
    .option('--compress', 'send it compressed', false)
    .option('--retries <number>', 'timeouts in a row that the other end is forgiven', '7')
    .option('--out <file>', 'seed, loop-back: where what comes back goes')
    .option('--inner <address>', 'seed: the source of the inner packets', '20.20.20.20')
    .addHelpText('after', EXAMPLES)
    .action((host: string, file: string, options: SendOptions) => {
      verb.act = async () => ({ code: await send(host, file, options, files) })
    })
  common(group.command('receive').description('receive a file').argument('<file>'))
    .option('--from <address>', 'seed: the other end')
    .option('--idle <duration>', 'so long without a packet is a failure (30s)')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: ReceiveOptions) => {
      verb.act = async () => ({ code: await receive(file, options, files) })
    })
  addCarry(group, files, verb)
  common(group.command('relay').description('seed, loop-back: the far end, which keeps nothing'))
    .requiredOption('--from <address>', 'the other end')
    .action((options: ReceiveOptions) => {
      verb.act = async () => ({ code: await runFarEnd(seedEnds(options), null) })
    })
}

async function send(
  host: string,
  path: string,
  options: SendOptions,
  files: NodeFiles,
): Promise<number> {
  const file = files.read(path)
  const address = await addressOf(host)
  if (isSeed(options)) {
    const { shape, version, near, inner } = seedEnds({ ...options, from: options.local })
    const ends = { near, far: ipv4(host, 'HOST'), inner }
    return runNearEnd({ shape, version, ends }, file.bytes, options.out ?? null)
  }
  const content = options.compress ? deflate(file.bytes as Uint8Array) : file.bytes
  const retries = wholeNumber(options.retries, '--retries', 0, 1e6)
  const profile = { ...P2MP_SOUND, policy: { ...P2MP_SOUND.policy, retries } }
  const state = sendAs(profile, {
    carrier: CARRIER,
    peers: [{ address, port: 0 }],
    unitBytes: wholeNumber(options.unit, '--unit', 1, 65_000),
    content,
    ...(options.compress ? { compressedFrom: file.bytes.length } : {}),
    name: file.name,
    key: keyOf(options.key, files),
    ...freshIdentity(),
  })
  return sendFile(state, [host], { json: options.json }, MAKERS)
}

async function receive(path: string, options: ReceiveOptions, files: NodeFiles): Promise<number> {
  if (isSeed(options)) return runFarEnd(seedEnds({ ...options, shape: 'one-way' }), path)
  const state = receiveAs(P2MP_SOUND, {
    carrier: CARRIER,
    port: 0,
    loss: NO_LOSS,
    key: keyOf(options.key, files),
    ...freshIdentity(),
    asks: true,
    ...(options.idle === undefined ? {} : { idle: duration(options.idle, '--idle') }),
  })
  return receiveFile(state, path, { json: options.json, inflate }, MAKERS)
}

function isSeed({ profile }: CommonOptions): boolean {
  if (profile === 'sound' || profile === 'seed') return profile === 'seed'
  throw new UserError(`there is no '${profile}'`, {
    where: '--profile',
    word: profile,
    hint: 'sound or seed',
  })
}

function ipv4(text: string | undefined, where: string): Ipv4Address {
  const address = text === undefined ? null : parseIpv4Text(text)
  if (address !== null) return address
  const problem = text === undefined ? 'is missing' : `'${text}' is no IPv4 address`
  throw new UserError(problem, { where, hint: 'the packets of the original carry both ends' })
}

/** Both ends of the original's packets: it asks nobody who they are. */
function seedEnds(options: ReceiveOptions & { readonly inner?: string }) {
  const { shape, header } = options
  if (shape !== 'loop-back' && shape !== 'one-way') {
    throw new UserError(`there is no '${shape}'`, {
      where: '--shape',
      hint: 'loop-back or one-way',
    })
  }
  if (header !== '12' && header !== '8' && header !== 'id-only') {
    throw new UserError(`there is no '${header}'`, { where: '--header', hint: '12, 8 or id-only' })
  }
  const version: RpVersion = header
  const near = ipv4(options.from, '--from')
  const far = ipv4(options.local, '--local')
  const inner = ipv4(options.inner ?? '20.20.20.20', '--inner')
  return { shape, version, near, far, inner } as const
}
