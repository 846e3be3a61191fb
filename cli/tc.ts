import type { Files } from '../sim/files.ts'
import type { LinkOptions } from '../sim/link.ts'
import { formatDeliveryTrace, traceOfRate } from '../sim/mahimahi.ts'
import { resolveParams } from '../sim/params.ts'
import type { Given, Scenario } from '../sim/scenario.ts'
import { didYouMean } from '../sim/suggest.ts'
import { type TcPlace, tcLines } from '../sim/tc-lines.ts'
import { planNetwork } from '../sim/topology.ts'
import { parseDuration } from '../sim/units.ts'
import { UserError, isRefusal, refused } from '../sim/user-error.ts'
import { EXIT_OK } from './exit-codes.ts'
import { type NodeFiles, withoutWriting } from './files.ts'
import { blaming, findScenario } from './find-scenario.ts'
import { readSettings } from './settings.ts'
import { collect, type RegisterVerb } from './verb.ts'

export interface TcCommand {
  readonly set: readonly string[]
  /** Only this direction, `a>b`. */
  readonly link?: string
  /** The device, in the place of `eth0` and so on in a namespace with the node's name. */
  readonly dev?: string
  /** How long a delivery trace to write instead. */
  readonly mahimahi?: string
}

interface Direction {
  readonly name: string
  readonly options: LinkOptions
  readonly place: TcPlace
}

/** Prints a scenario's links as the commands that would make them. */
export async function tc(name: string, command: TcCommand, files: NodeFiles): Promise<number> {
  const settings = readSettings(command.set)
  const loaded = await findScenario(name)
  const text = await blaming(loaded, async () => {
    const all = directionsOf(loaded.scenario, settings, withoutWriting(files))
    const chosen = choose(all, command)
    if (command.mahimahi !== undefined) return mahimahi(chosen, command.mahimahi)
    const parts = chosen.map(({ name: direction, options, place }) => {
      const written = command.dev === undefined ? place : { device: command.dev }
      return [`# ${direction}`, ...tcLines(options, written), ''].join('\n')
    })
    return parts.join('\n')
  })
  process.stdout.write(text)
  return EXIT_OK
}

function directionsOf(
  { spec }: Scenario,
  settings: { readonly [name: string]: string },
  files: Files,
): Direction[] {
  const { values } = resolveParams(spec.params ?? {}, settings, files)
  const given = <T>(part: Given<typeof values, T>): T =>
    typeof part === 'function' ? (part as (p: typeof values) => T)(values) : part
  const { nodes, links } = planNetwork(given(spec.topology), given(spec.links))
  const place = ({ node, port }: { node: number; port: number }): TcPlace => ({
    device: `eth${port}`,
    namespace: nodes[node]!.name,
  })
  return links.flatMap(({ a, b, nameAB, nameBA, optionsAB, optionsBA }) => [
    { name: nameAB, options: optionsAB, place: place(a) },
    { name: nameBA, options: optionsBA, place: place(b) },
  ])
}

function choose(all: readonly Direction[], { link, dev, mahimahi: trace }: TcCommand): Direction[] {
  if (link === undefined) {
    if (dev === undefined && trace === undefined) return [...all]
    throw new UserError('it takes one direction', {
      where: dev === undefined ? '--mahimahi' : '--dev',
      hint: `name it: --link '${all[0]?.name ?? 'a>b'}'`,
    })
  }
  const chosen = all.filter((direction) => direction.name === link)
  if (chosen.length > 0) return chosen
  const names = all.map((direction) => direction.name)
  const hint = didYouMean(link, names)
  throw new UserError(`there is no link '${link}'`, { where: '--link', hint })
}

function mahimahi(chosen: readonly Direction[], span: string): string {
  const nanos = parseDuration(span)
  if (isRefusal(nanos)) throw refused(nanos, '--mahimahi')
  const trace = chosen[0]!.options.trace ?? traceOfRate(chosen[0]!.options, nanos)
  if (isRefusal(trace)) throw refused(trace, `link ${chosen[0]!.name}`)
  return formatDeliveryTrace(trace)
}

const TC_EXAMPLES = `
Examples:
  $ twinwire tc dumbbell
  $ twinwire tc file-transfer --link 'a>b' --dev eth0 | sudo sh -x
  $ twinwire tc file-transfer --link 'a>b' --mahimahi 60s > link.trace`

export const tcVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('tc')
    .description('print the links of a scenario as tc(8) commands')
    .argument('<scenario>', 'a name, or the path of a scenario file')
    .option('--set <name=value>', 'a parameter; may be repeated', collect, [])
    .option('--link <direction>', 'only this one: a>b')
    .option('--dev <device>', 'for this device, not for namespaces named after the nodes')
    .option('--mahimahi <duration>', "a delivery trace of the link's rate instead")
    .addHelpText('after', TC_EXAMPLES)
    .action((name: string, command: TcCommand) => {
      verb.act = async () => ({ code: await tc(name, command, files) })
    })
}
