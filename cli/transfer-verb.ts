import type { Command } from 'commander'
import { sendAs, type TransferProfile, receiveAs } from '../protocols/arq/profile.ts'
import { UserError } from '../sim/user-error.ts'
import { deflate, inflate } from './compress.ts'
import type { NodeFiles } from './files.ts'
import { receiveFile, sendFile } from './transfer-run.ts'
import {
  addressOf,
  chosenProfile,
  type DialectOptions,
  duration,
  familyOf,
  freshIdentity,
  groupOf,
  keyOf,
  lossOf,
  port,
  wholeNumber,
  withTimeout,
} from './transfer-options.ts'

/* `server` and `client` of the course projects: P2MP-FTP and Simple-FTP differ in their arguments. */

interface ServerOptions extends DialectOptions {
  readonly seed?: string
  readonly lose?: string
  readonly idle?: string
  readonly group?: string
  readonly json: boolean
}

interface ClientOptions extends DialectOptions {
  readonly group?: string
  readonly timeout?: string
  readonly retries?: string
  readonly compress: boolean
  readonly json: boolean
}

/** What both ends have. */
export const dialectOptions = (command: Command): Command =>
  command
    .option('--profile <name>', 'sound, canonical or seed: see below', 'sound')
    .option('--end <marker>', 'without a session: none, short, fin, 5557, 55ff, cccc or ffff')
    .option('--encoding <name>', 'without a session: binary, ascii-bits or ascii-header')
    .option('--key <file>', 'a shared secret: packets are authenticated (HMAC-SHA-256)')
    .option('--json', 'the result as one JSON object on stdout', false)

export const serverOptions = (command: Command): Command =>
  dialectOptions(command)
    .option('--seed <number>', 'of the losses; otherwise they are different each time')
    .option('--lose <numbers>', 'sequence numbers that are lost: 1,5,5,5')
    .option('--idle <duration>', 'so long without a packet is the end, or a failure (30s)')

export const clientOptions = (command: Command): Command =>
  dialectOptions(command)
    .option('--timeout <duration>', 'a fixed timeout in the place of the profile’s')
    .option('--retries <number>', 'timeouts in a row that a receiver is forgiven')
    .option('--compress', 'send it compressed (a session’s only)', false)

/** `PORT FILE P`: receives one file. */
export function serve(
  profiles: readonly TransferProfile[],
  [portText, target, p]: readonly [string, string, string],
  options: ServerOptions,
  files: NodeFiles,
): Promise<number> {
  const profile = chosenProfile(profiles, options)
  const state = receiveAs(profile, {
    port: port(portText),
    loss: lossOf(p, options.seed, options.lose),
    key: keyOf(options.key, files),
    ...freshIdentity(),
    group: groupOf(options.group),
    asks: true,
    ...(options.idle === undefined ? {} : { idle: duration(options.idle, '--idle') }),
  })
  const family = familyOf(state.config.group)
  return receiveFile(state, target, { json: options.json, inflate }, { family })
}

/** The largest payload of a datagram, less the header of a session and a seal. */
const MSS_MAX = 65_507 - 64

/** Sends a file to servers that listen on one port. */
export async function send(
  profile: TransferProfile,
  servers: readonly string[],
  [portText, path, mss]: readonly [string, string, string],
  options: ClientOptions,
  files: NodeFiles,
): Promise<number> {
  const to = port(portText)
  const unitBytes = wholeNumber(mss, 'MSS', 1, MSS_MAX)
  const key = keyOf(options.key, files)
  if (!profile.sessions && (options.compress || key !== null)) {
    throw new UserError('only a session can be compressed or authenticated', {
      where: options.compress ? '--compress' : '--key',
      hint: 'leave --profile out',
    })
  }
  const group = groupOf(options.group)
  if (group !== null && key !== null) {
    throw new UserError('each receiver has a key of its own: sealed packets go to no group', {
      where: '--group',
      hint: 'leave --group or --key out',
    })
  }
  const file = files.read(path)
  const content = options.compress ? deflate(file.bytes as Uint8Array) : file.bytes
  const peers = []
  for (const server of servers) peers.push({ address: await addressOf(server), port: to })
  const { retries } = options
  const timed = withTimeout(profile, options.timeout)
  const policy =
    retries === undefined
      ? timed.policy
      : { ...timed.policy, retries: wholeNumber(retries, '--retries', 0, 1e6) }
  const state = sendAs(
    { ...timed, policy },
    {
      peers,
      unitBytes,
      group: group === null ? null : { address: group, port: to },
      content,
      ...(options.compress ? { compressedFrom: file.bytes.length } : {}),
      name: file.name,
      key,
      ...freshIdentity(),
    },
  )
  return sendFile(state, servers, { json: options.json }, { family: familyOf(group) })
}

export type { ClientOptions, ServerOptions }
