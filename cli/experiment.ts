import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  AXES,
  measure,
  type Measured,
  pointsOf,
  type Project,
  type Setting,
  SETTINGS,
} from '../sim/experiments/tasks.ts'
import { didYouMean } from '../sim/suggest.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { type Curve, curveSvg } from './curve-svg.ts'
import { LineOut } from './data-out.ts'
import { EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { message } from './report.ts'
import { wholeNumber } from './transfer-options.ts'
import type { RegisterVerb } from './verb.ts'

interface ExperimentOptions {
  readonly task: string
  readonly set?: string
  readonly runs: string
  readonly seed: string
  readonly out?: string
  readonly markdown: boolean
  readonly json: boolean
}

type Task = 1 | 2 | 3

/** One curve, measured. */
interface Series {
  readonly project: Project
  readonly setting: Setting
  readonly task: Task
  readonly points: readonly Measured[]
}

const EXAMPLES = `
Examples:
  $ twinwire experiment p2mp-ftp --task 1
  $ twinwire experiment p2mp-ftp --task all --set cvellai --out plots
  $ twinwire experiment simple-ftp --task 1 --set sweekar52 --markdown

Tasks: 1 the number of receivers, or N; 2 the MSS; 3 the loss. Every run goes through UDP, IPv4 and
Ethernet of simulated hosts in virtual time. Sets: course (10 MB or 1 MB, 0.1 s, 20 ms), and the size
and timeout of those who have published theirs. "of it": how far the mean is from it.`

export const experimentVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('experiment')
    .description('the course’s measurements, beside the closed form and what others have measured')
    .argument('<project>', 'p2mp-ftp or simple-ftp')
    .option('--task <number>', '1, 2, 3 or all', 'all')
    .option('--set <name>', 'course, or whose values to stand beside; all where left out')
    .option('--runs <number>', 'of each point', '5')
    .option('--seed <text>', 'the seed of all losses', '1')
    .option('--out <directory>', 'a CSV table and an SVG plot of each task there')
    .option('--markdown', 'tables as Markdown', false)
    .option('--json', 'one JSON object a point', false)
    .addHelpText('after', EXAMPLES)
    .action((project: string, options: ExperimentOptions) => {
      verb.act = async () => ({ code: await experiment(project, options, files) })
    })
}

async function experiment(
  name: string,
  options: ExperimentOptions,
  files: NodeFiles,
): Promise<number> {
  const project = oneOf(name, Object.keys(SETTINGS) as Project[], 'experiment')
  const tasks = options.task === 'all' ? [1, 2, 3] : [wholeNumber(options.task, '--task', 1, 3)]
  const runs = wholeNumber(options.runs, '--runs', 1, 1000)
  const all = SETTINGS[project]
  const names = all.map((setting) => setting.name)
  const chosen = options.set === undefined ? names : [oneOf(options.set, names, '--set')]
  const out = new LineOut(process.stdout)
  for (const setting of all.filter((each) => chosen.includes(each.name))) {
    for (const task of tasks as Task[]) {
      const series = await measured(project, setting, task, runs, options.seed)
      if (options.json) for (const point of series.points) out.line(asJson(series, point))
      else for (const row of tableOf(series, options.markdown)) out.line(row)
      if (options.markdown && options.out !== undefined) {
        out.line(`![The same as a plot](${basename(options.out)}/${baseOf(series)}.svg)\n`)
      }
      out.flush()
      if (options.out !== undefined) write(series, options.out, files)
    }
  }
  return EXIT_OK
}

function oneOf<Name extends string>(name: string, names: readonly Name[], where: string): Name {
  const found = names.find((each) => each === name)
  if (found !== undefined) return found
  const hint = didYouMean(name, [...names]) ?? `there are ${names.join(', ')}`
  throw new UserError(`there is no '${name}'`, { where, word: name, hint })
}

const PATIENCE_MS = 2000

async function measured(
  project: Project,
  setting: Setting,
  task: Task,
  runs: number,
  seed: string,
): Promise<Series> {
  const points: Measured[] = []
  let said = Date.now()
  for (const index of pointsOf(project, task).keys()) {
    points.push(measure(project, setting, task, index, runs, seed))
    if (process.stderr.isTTY && Date.now() - said > PATIENCE_MS) {
      said = Date.now()
      message(`${setting.name}, task ${task}: ${index + 1} of ${pointsOf(project, task).length}`)
    }
    // Ctrl-C is heard between two points.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { project, setting, task, points }
}

const titleOf = ({ project, setting, task }: Series): string => {
  const { name, bytes, timeoutMs, roundTripMs } = setting
  return `${project}, task ${task} (${name}: ${bytes} bytes, timeout ${timeoutMs} ms, RTT ${roundTripMs} ms)`
}

const baseOf = ({ project, setting, task }: Series): string => `${project}-${task}-${setting.name}`

const seconds = (value: number): string => value.toFixed(2)
const percent = (value: number, of: number): string => {
  const difference = 100 * (value / of - 1)
  return `${difference < 0 ? '' : '+'}${difference.toFixed(1)} %`
}

function rowsOf({ project, task, points }: Series): { head: string[]; rows: string[][] } {
  const hasClosed = points.some(({ expected }) => expected !== null)
  const hasPublished = points.some(({ published }) => published !== null)
  const head = [
    AXES[project][task - 1]!,
    'mean s',
    'sd s',
    ...(hasClosed ? ['closed form s', 'of it'] : []),
    ...(hasPublished ? ['published s', 'of it'] : []),
  ]
  const rows = points.map(({ point, mean, deviation, expected, published }) => [
    String(point.x),
    seconds(mean),
    seconds(deviation),
    ...(hasClosed
      ? expected === null
        ? ['', '']
        : [seconds(expected.mean), percent(mean, expected.mean)]
      : []),
    ...(hasPublished
      ? published === null
        ? ['', '']
        : [seconds(published), percent(mean, published)]
      : []),
  ])
  return { head, rows }
}

function tableOf(series: Series, isMarkdown: boolean): string[] {
  const { head, rows } = rowsOf(series)
  const average = averageOf(series)
  const foot =
    average === null ? [] : [`Mean distance from the published values: ${average.toFixed(1)} %.`]
  if (isMarkdown) {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
    const rule = line(head.map(() => '---:'))
    const title = `### ${titleOf(series)}`
    const body = [line(head), rule, ...rows.map(line)]
    return [title, '', ...body, '', ...foot.flatMap((text) => [text, ''])]
  }
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => cell.padStart(widths[i]!)).join('  ')
  return [titleOf(series), line(head), ...rows.map(line), ...foot, '']
}

function averageOf({ points }: Series): number | null {
  const distances = points.flatMap(({ mean, published }) =>
    published === null ? [] : [100 * Math.abs(mean / published - 1)],
  )
  if (distances.length === 0) return null
  return distances.reduce((sum, each) => sum + each, 0) / distances.length
}

const asJson = ({ project, setting, task }: Series, { point, ...rest }: Measured): string =>
  JSON.stringify({ schema: 1, project, set: setting.name, task, ...point, ...rest })

/** A table and a plot, each under its final name when it is whole. */
function write(series: Series, directory: string, files: NodeFiles): void {
  const { project, setting, task, points } = series
  const base = baseOf(series)
  const { head, rows } = rowsOf(series)
  // Each column has a name of its own, for those who read it by name.
  const names = head.map((name, i) => (name === 'of it' ? `of ${head[i - 1]!}` : name))
  const csv = [names, ...rows].map((cells) => cells.join(',')).join('\n')
  const curves: Curve[] = [
    { name: 'simulated', colour: '#1f5fa8', style: 'line', values: points.map(({ mean }) => mean) },
    {
      name: 'closed form',
      colour: '#6b6b6b',
      style: 'dashed',
      values: points.map(({ expected }) => expected?.mean ?? null),
    },
    {
      name: setting.published?.source ?? '',
      colour: '#b3401f',
      style: 'crosses',
      values: points.map(({ published }) => published),
    },
  ]
  const svg = curveSvg({
    title: titleOf(series),
    xLabel: AXES[project][task - 1]!,
    yLabel: 'delay, s',
    xs: points.map(({ point }) => point.x),
    isLogarithmic: project === 'simple-ftp' && task === 1,
    curves: curves.filter(({ values }) => values.filter((value) => value !== null).length > 1),
  })
  try {
    mkdirSync(directory, { recursive: true })
  } catch (e) {
    throw new EnvironmentError(`cannot make '${directory}': ${(e as Error).message}`)
  }
  for (const [kind, text] of [
    ['csv', `${csv}\n`],
    ['svg', svg],
  ] as const) {
    const file = files.create(join(directory, `${base}.${kind}`))
    file.write(new TextEncoder().encode(text))
    file.commit()
  }
  message(`wrote ${join(directory, base)}.csv and .svg`)
}
