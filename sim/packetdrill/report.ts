import type { Side } from './deviation.ts'
import type { ScriptResult } from './run-script.ts'

// What people read about a script that has not passed.

const timeText = (at: number | null): string => (at === null ? '*' : `${(at / 1e9).toFixed(6)} s`)

/** What was to come and what came, below each other, each with its time. */
export function sideBySide({ reason, expected, actual }: ScriptResult): string[] {
  if (expected === null || actual === null) return []
  const row = (name: string, { at, text }: Side): string =>
    `  ${name.padEnd(9)} ${timeText(at).padStart(12)}  ${text}`
  const rows = [row('expected', expected), row('actual', actual)]
  if (reason !== 'time' || expected.at === null || actual.at === null) return rows
  const late = actual.at - expected.at
  return [...rows, `            ${late > 0 ? 'late' : 'early'} by ${timeText(Math.abs(late))}`]
}

/** Lines of the script around the one where it ended. */
const AROUND = 4
/** The last things that happened. */
const SHOWN = 12

/** The verdict with the line in its place and what happened before. */
export function report(source: string, result: ScriptResult): string {
  const { verdict, line, reason, log } = result
  if (verdict === 'passed') return 'the script passed'
  const lines = source.split('\n')
  const first = Math.max(line - AROUND, 1)
  const near = lines.slice(first - 1, line + 1).map((text, i) => {
    const number = first + i
    const mark = number === line ? '>' : ' '
    return `${mark}${String(number).padStart(4)} | ${text}`.trimEnd()
  })
  const said = log.slice(-SHOWN).map((each) => `  ${each}`)
  const before = said.length === 0 ? [] : ['', 'What happened:', ...said]
  const head = `line ${line}: ${verdict === 'failed' ? '' : 'unsupported: '}${reason}`
  return [head, ...sideBySide(result), '', ...near, ...before].join('\n')
}
