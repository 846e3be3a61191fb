import { scenarios } from '../scenarios/index.ts'
import { type Param, defaultText } from '../sim/params.ts'
import type { Scenario } from '../sim/scenario.ts'
import { EXIT_OK } from './exit-codes.ts'
import { findScenario } from './find-scenario.ts'
import { type RegisterVerb } from './verb.ts'

/** Lists the scenarios that come with the package, or shows one with its parameters. */
export async function list(name: string | undefined, json: boolean): Promise<number> {
  const shown = name === undefined ? scenarios : [(await findScenario(name)).scenario]
  const text = json
    ? JSON.stringify({ schema: 1, scenarios: shown.map(asJson) })
    : name === undefined
      ? table(shown.map(({ spec }) => [spec.name, firstSentence(spec.about ?? '')]))
      : details(shown[0]!)
  if (text !== '') process.stdout.write(`${text}\n`)
  return EXIT_OK
}

function asJson({ spec }: Scenario) {
  const params = Object.entries(spec.params ?? {}).map(([name, param]) => ({
    name,
    kind: param.kind,
    default: defaultText(param),
    about: param.about,
    ...(param.kind === 'choice' ? { choices: param.choices } : {}),
  }))
  return { name: spec.name, about: spec.about ?? '', params }
}

function details({ spec }: Scenario): string {
  const params = Object.entries(spec.params ?? {})
  const rows = params.map(([name, param]) => [`--set ${name}=${example(param)}`, param.about])
  const about = spec.about === undefined ? [] : ['', wrapped(spec.about)]
  return [spec.name, ...about, ...(rows.length === 0 ? [] : ['', table(rows)])].join('\n')
}

function example(param: Param): string {
  const text = defaultText(param)
  if (text === null) return 'PATH'
  return param.kind === 'choice' ? param.choices.join('|') : text
}

function table(rows: readonly (readonly string[])[]): string {
  const width = Math.max(0, ...rows.map(([first]) => first!.length))
  const indent = ' '.repeat(width + 2)
  return rows
    .map(([first, second]) => {
      const text = wrapped(second!, COLUMNS - indent.length).replaceAll('\n', `\n${indent}`)
      return `${first!.padEnd(width)}  ${text}`.trimEnd()
    })
    .join('\n')
}

const firstSentence = (about: string): string =>
  /^.*?[.!?](?=\s|$)/.exec(about.trim().replace(/\s+/g, ' '))?.[0] ?? about.trim()

const COLUMNS = 100

function wrapped(text: string, columns = COLUMNS): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.trim().split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}

export const listVerb: RegisterVerb = (program, _files, verb) => {
  program
    .command('list')
    .description('list the scenarios, or show one with its parameters')
    .argument('[scenario]', 'a name, or the path of a scenario file')
    .option('--json', 'as one JSON object', false)
    .action((name: string | undefined, { json }: { json: boolean }) => {
      verb.act = async () => ({ code: await list(name, json) })
    })
}
