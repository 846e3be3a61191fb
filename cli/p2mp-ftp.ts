import { P2MP_PROFILES } from '../protocols/p2mp-ftp/profiles.ts'
import { didYouMean } from '../sim/suggest.ts'
import { UserError } from '../sim/user-error.ts'
import { chosenProfile, wholeNumber } from './transfer-options.ts'
import {
  type ClientOptions,
  clientOptions,
  send,
  serve,
  type ServerOptions,
  serverOptions,
} from './transfer-verb.ts'
import type { RegisterVerb } from './verb.ts'

const SERVER_EXAMPLES = `
Examples:
  $ twinwire p2mp-ftp server 7735 out.bin 0.05
  $ twinwire p2mp-ftp server 7735 out.bin 0 --lose 1,5,5,5
  $ twinwire p2mp-ftp server 7735 out.bin 0 --group 239.1.2.3
  $ twinwire p2mp-ftp server 7735 out.bin 0.05 --profile canonical --end 5557

Profiles: sound takes sessions (hello with name, size and hash; fin; resume), and the assignment's
packets from whoever begins with them; canonical takes these alone; seed has numbers from 1, a
checksum over everything and bits as characters.`

const CLIENT_EXAMPLES = `
Examples:
  $ twinwire p2mp-ftp client 127.0.0.1 7735 in.bin 500
  $ twinwire p2mp-ftp client 10.0.0.2 10.0.0.3 10.0.0.4 7735 in.bin 1000 --policy drop
  $ twinwire p2mp-ftp client 10.0.0.2 10.0.0.3 7735 in.bin 1000 --group 239.1.2.3
  $ twinwire p2mp-ftp client 127.0.0.1 7735 in.bin 500 --profile canonical --end 5557`

interface P2mpClientOptions extends ClientOptions {
  readonly window?: string
  readonly policy: string
}

export const p2mpFtpVerb: RegisterVerb = (program, files, verb) => {
  const group = program
    .command('p2mp-ftp')
    .description('one file to many receivers, over UDP')
    .addHelpText('after', `${SERVER_EXAMPLES.split('\n\n')[0]}${CLIENT_EXAMPLES.slice(10)}`)
  serverOptions(
    group
      .command('server')
      .description('receive one file')
      .argument('<port>', 'of UDP; 7735 is the course’s')
      .argument('<file>', 'where it goes, when it is whole')
      .argument('<p>', 'the probability that a data packet is lost on arrival: 0.05')
      .option('--group <address>', 'listen to a multicast group as well: 239.1.2.3'),
  )
    .addHelpText('after', SERVER_EXAMPLES)
    .action((portText: string, file: string, p: string, options: ServerOptions) => {
      verb.act = async () => ({
        code: await serve(P2MP_PROFILES, [portText, file, p], options, files),
      })
    })
  clientOptions(
    group
      .command('client')
      .description('send a file to servers')
      .argument('<arguments...>', 'SERVER… PORT FILE MSS'),
  )
    .option('--group <address>', 'a packet’s first time is to this multicast group: 239.1.2.3')
    .option('--window <n>', 'packets under way (64; without a session 1)')
    .option('--policy <what>', 'of a receiver that is lost: fail, or drop and go on', 'fail')
    .addHelpText('after', CLIENT_EXAMPLES)
    .action((args: readonly string[], options: P2mpClientOptions) => {
      verb.act = async () => ({ code: await client(args, options, files) })
    })
}

function client(
  args: readonly string[],
  options: P2mpClientOptions,
  files: Parameters<RegisterVerb>[1],
): Promise<number> {
  if (args.length < 4) {
    throw new UserError('too few arguments', {
      where: 'p2mp-ftp client',
      hint: 'SERVER… PORT FILE MSS, for example: 127.0.0.1 7735 in.bin 500',
    })
  }
  const servers = args.slice(0, -3)
  const [portText, file, mss] = args.slice(-3) as [string, string, string]
  const profile = chosenProfile(P2MP_PROFILES, options)
  const window =
    options.window === undefined
      ? profile.policy.window
      : wholeNumber(options.window, '--window', 1, 1024)
  const exhausted = exhaustedOf(options.policy)
  const policy = { ...profile.policy, window, exhausted }
  return send({ ...profile, policy }, servers, [portText, file, mss], options, files)
}

function exhaustedOf(policy: string): 'fail' | 'drop-peer' {
  if (policy === 'fail') return 'fail'
  if (policy === 'drop') return 'drop-peer'
  const hint = didYouMean(policy, ['fail', 'drop']) ?? 'fail or drop'
  throw new UserError(`there is no policy '${policy}'`, { where: '--policy', word: policy, hint })
}
