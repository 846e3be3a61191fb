import type { FileWriter } from '../sim/files.ts'
import type { Outcome } from '../sim/outcome.ts'
import { formatDuration } from '../sim/units.ts'
import { UserError } from '../sim/user-error.ts'
import { PcapngWriter, type PcapngOptions } from '../trace/pcapng.ts'
import type { TraceObserver } from '../trace/record.ts'
import { formatSummary } from '../trace/summary.ts'
import { TraceText } from '../trace/text.ts'
import type { LineOut } from './data-out.ts'
import type { NodeFiles } from './files.ts'

export interface Capture {
  readonly pcapng: PcapngWriter
  /** `null` for stdout. */
  readonly file: FileWriter | null
}

export function openCapture(
  write: string | undefined,
  files: NodeFiles,
  options: PcapngOptions = {},
): Capture | null {
  if (write === undefined) return null
  if (write !== '-') {
    const file = files.create(write)
    return { pcapng: new PcapngWriter((bytes) => file.write(bytes), options), file }
  }
  if (process.stdout.isTTY) {
    throw new UserError('a capture is not for a terminal', {
      where: '-w -',
      hint: 'pipe it: twinwire run … -w - | tcpdump -n -r -',
    })
  }
  return { pcapng: new PcapngWriter((bytes) => process.stdout.write(bytes), options), file: null }
}

/*
 * Stdout carries one thing: the capture with `-w -`, else the object with `--json`, else the lines
 * with `--trace`, else the summary. Everything else goes to stderr.
 */
interface OutputChoice {
  readonly json: boolean
  /** The capture's path; `-` is stdout. */
  readonly write?: string
}

export const stdoutIsTaken = (command: OutputChoice): boolean =>
  command.json || command.write === '-'

export const traceStream = (command: OutputChoice): NodeJS.WritableStream =>
  stdoutIsTaken(command) ? process.stderr : process.stdout

export function textObserver(out: LineOut): TraceObserver {
  const text = new TraceText()
  return (record) => {
    const line = text.line(record)
    if (line !== null) out.line(line)
  }
}

/** Three digits behind the point say enough to a person; the JSON has them all. */
export function spanText(span: number): string {
  if (span < 1e3) return `${span}ns`
  if (span < 1e6) return `${shortened(span / 1e3)}us`
  return span < 1e9 ? `${shortened(span / 1e6)}ms` : `${shortened(span / 1e9)}s`
}

const shortened = (n: number): string => String(Math.round(n * 1000) / 1000)

/** `facts` stand before the end; a run that nobody judges has no verdict. */
export function summaryText(
  outcome: Outcome,
  capture: string | null,
  facts: [string, string][] = [],
  judged = true,
): string {
  const tables = formatSummary(outcome.flows, outcome.links).trim()
  const lines = [`${outcome.scenario}, seed ${outcome.seed}`, '']
  if (tables !== '') lines.push(tables, '')
  const noted = Object.entries(outcome.notes)
  facts.unshift(...noted.map(([k, v]): [string, string] => [k, String(v)]))
  for (const [name, s] of Object.entries(outcome.samples)) {
    const shown = [s.min, s.p50, s.p90, s.p99, s.max].map(spanText).join('/')
    facts.push([name, `min/p50/p90/p99/max ${shown} of ${s.count}`])
  }
  for (const [name, at] of Object.entries(outcome.marks)) facts.push([name, `at ${spanText(at)}`])
  if (outcome.fairness !== null) {
    facts.push(['fairness', `${outcome.fairness.toFixed(4)} (Jain's index over TCP goodput)`])
  }
  const { ended, lastFrameAt } = outcome
  const quiet = lastFrameAt === ended ? '' : `; last frame at ${spanText(lastFrameAt)}`
  facts.push(['ended', `${formatDuration(ended)} simulated, ${outcome.events} events${quiet}`])
  if (capture !== null) facts.push(['capture', capture])
  if (outcome.digest !== '') facts.push(['digest', outcome.digest])
  if (judged) facts.push(['verdict', outcome.verdict])
  const width = Math.max(...facts.map(([name]) => name.length))
  for (const [name, fact] of facts) lines.push(`${name.padEnd(width)}  ${fact}`)
  return lines.join('\n')
}
