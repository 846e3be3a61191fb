import { UserError } from '../sim/user-error.ts'
import { didYouMean } from '../sim/suggest.ts'
import { parseSeries, type SeriesFile } from '../trace/series.ts'
import { EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { plotPage } from './plot-html.ts'
import { DEFAULT_PLOTS, panelsOf, PLOTS, type PlotName } from './plot-panels.ts'
import { plotText } from './plot-text.ts'
import { message } from './report.ts'
import { type RegisterVerb } from './verb.ts'

export type PlotCommand = { readonly [name in PlotName]?: boolean } & {
  /** Only subjects whose name contains this. */
  readonly of?: string
  readonly output?: string
}

/** Curves of one page's panel, and of text for one variable. */
const CURVES_OF_PAGE = 24
const CURVES_OF_TEXT = 4

/** Draws series that `run --series` has written: a page with `-o`, else text. */
export function plot(path: string, command: PlotCommand, files: NodeFiles): number {
  const file = seriesOf(path, files)
  const asked = (Object.keys(PLOTS) as PlotName[]).filter((name) => command[name] === true)
  const isWanted = (of: string) => command.of === undefined || of.includes(command.of)
  const curves = command.output === undefined ? CURVES_OF_TEXT : CURVES_OF_PAGE
  const panels = panelsOf(file, asked.length === 0 ? DEFAULT_PLOTS : asked, isWanted, curves)
  if (panels.length === 0) throw nothingToPlot(path, file, command.of)
  if (command.output === undefined) {
    process.stdout.write(`${plotText(panels)}\n`)
    return EXIT_OK
  }
  const page = files.create(command.output)
  page.write(new TextEncoder().encode(plotPage(`${file.scenario}, seed ${file.seed}`, panels)))
  message(`wrote ${page.commit().path}`)
  return EXIT_OK
}

function seriesOf(path: string, files: NodeFiles): SeriesFile {
  const text = new TextDecoder().decode(files.read(path).bytes as Uint8Array)
  const file = parseSeries(text)
  if (!('error' in file)) return file
  throw new UserError(file.error, {
    where: `${path}:${file.line}`,
    hint: "write one with 'twinwire run SCENARIO --series FILE.ndjson'",
  })
}

function nothingToPlot(path: string, { points }: SeriesFile, of: string | undefined): UserError {
  const subjects = [...new Set(points.map((point) => point.of))]
  if (of === undefined || subjects.some((each) => each.includes(of))) {
    return new UserError('it has no values of this kind', { where: path })
  }
  const names = subjects.map((each) => each.slice(each.indexOf(' ') + 1))
  return new UserError(`there is nothing of '${of}'`, {
    where: path,
    hint: didYouMean(of, names.slice(0, 8)),
  })
}

const PLOT_EXAMPLES = `
Examples:
  $ twinwire run dumbbell --series run.ndjson
  $ twinwire plot run.ndjson --queue --of 'r1>r2'
  $ twinwire plot run.ndjson --cwnd --rtt --queue -o plot.html

Without --cwnd and its like: windows, round-trip times and queues.`

export const plotVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('plot')
    .description('draw time series of a run: text, or a page')
    .argument('<file>', "what 'run --series FILE.ndjson' has written")
    .option('--cwnd', 'congestion windows')
    .option('--ssthresh', 'slow-start thresholds')
    .option('--pacing', 'rates at which segments are paced')
    .option('--flight', 'bytes in flight')
    .option('--rtt', 'smoothed round-trip times')
    .option('--rto', 'retransmission timeouts')
    .option('--queue', 'queues in frames')
    .option('--queue-bytes', 'queues in bytes')
    .option('--of <text>', 'only what has this in its name: r1>r2')
    .option('-o, --output <file>', 'a page for the browser, complete in itself')
    .addHelpText('after', PLOT_EXAMPLES)
    .action((file: string, command: PlotCommand) => {
      verb.act = async () => ({ code: plot(file, command, files) })
    })
}
