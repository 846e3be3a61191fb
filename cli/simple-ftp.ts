import type { TransferProfile } from '../protocols/arq/profile.ts'
import { goBackN, selectiveRepeat, soundSimple } from '../protocols/simple-ftp/profiles.ts'
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

const EXAMPLES = `
Examples:
  $ twinwire simple-ftp server 7735 out.bin 0.05
  $ twinwire simple-ftp client 127.0.0.1 7735 in.bin 64 500
  $ twinwire simple-ftp client 127.0.0.1 7735 in.bin 64 500 SR --profile canonical --end fin

Profiles: sound is a session with N packets under way; canonical is the assignment: Go-back-N, or
Selective Repeat where SR stands at the end (the server then needs --sr).`

/** So many packets out of order a server keeps that knows no N. */
const SERVER_WINDOW = 1024

const profiles = (window: number, isSelective: boolean): readonly TransferProfile[] => [
  soundSimple(window),
  isSelective ? selectiveRepeat(window) : goBackN(window),
]

export const simpleFtpVerb: RegisterVerb = (program, files, verb) => {
  const group = program
    .command('simple-ftp')
    .description('a file to one receiver, by Go-back-N or Selective Repeat')
    .addHelpText('after', EXAMPLES)
  serverOptions(
    group
      .command('server')
      .description('receive one file')
      .argument('<port>', 'of UDP; 7735 is the course’s')
      .argument('<file>', 'where it goes, when it is whole')
      .argument('<p>', 'the probability that a data packet is lost on arrival: 0.05'),
  )
    .option('--sr', 'Selective Repeat, without a session', false)
    .addHelpText('after', EXAMPLES)
    .action(
      (portText: string, file: string, p: string, options: ServerOptions & { sr: boolean }) => {
        const choice = profiles(SERVER_WINDOW, options.sr)
        verb.act = async () => ({ code: await serve(choice, [portText, file, p], options, files) })
      },
    )
  clientOptions(
    group
      .command('client')
      .description('send a file')
      .argument('<host>', 'the server')
      .argument('<port>', 'of UDP')
      .argument('<file>', 'what to send')
      .argument('<n>', 'packets under way, 1 to 1024')
      .argument('<mss>', 'bytes of the file in each packet')
      .argument('[sr]', 'SR for Selective Repeat'),
  )
    .addHelpText('after', EXAMPLES)
    .action(
      (...args: [string, string, string, string, string, string | undefined, ClientOptions]) => {
        const [host, portText, file, n, mss, sr, options] = args
        verb.act = async () => {
          const window = wholeNumber(n, 'N', 1, 1024)
          if (sr !== undefined && sr.toUpperCase() !== 'SR') {
            throw new UserError(`'${sr}' is not SR`, { where: 'simple-ftp client', word: sr })
          }
          const profile = chosenProfile(profiles(window, sr !== undefined), options)
          return { code: await send(profile, [host], [portText, file, mss], options, files) }
        }
      },
    )
}
