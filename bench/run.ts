import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { median, type Row } from './measure.ts'
import { ns3Missing, runNs3 } from './ns3.ts'
import { type Goal, type Peer, type Plan, plans } from './plan.ts'

/**
 * `npm run bench [-- NAME] [--rounds N] [--no-peer]`: one line of JSON for each benchmark whose name
 * contains NAME, then a table. Each round runs in a process of its own, ours and the peer's in turn.
 */
async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      peer: { type: 'boolean', default: true },
      only: { type: 'string' },
    },
    allowNegative: true,
  })
  if (values.only !== undefined) {
    const plan = plans.find(({ benchmark }) => benchmark.name === values.only)!
    process.stdout.write(JSON.stringify(await plan.benchmark.run()))
    return 0
  }
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1) return refuse('--rounds is a count from 1')
  const wanted = positionals[0] ?? ''
  const chosen = plans.filter(({ benchmark }) => benchmark.name.includes(wanted))
  if (chosen.length === 0) {
    const names = plans.map(({ benchmark }) => benchmark.name).join(', ')
    return refuse(`no benchmark is called '${wanted}': there are ${names}`)
  }
  const missing = values.peer ? ns3Missing() : 'switched off'
  if (missing !== null) process.stderr.write(`bench: no figures of ns-3: ${missing}\n`)
  const rows = chosen.map((plan) => {
    const row = measure(plan, rounds, missing === null)
    process.stdout.write(`${JSON.stringify(row)}\n`)
    return row
  })
  process.stdout.write(`\n${table(chosen, rows)}`)
  return 0
}

function refuse(what: string): number {
  process.stderr.write(`bench: ${what}\n`)
  return 2
}

/** The run with the median figure, and the peer's median. */
function measure(plan: Plan, rounds: number, withPeer: boolean): Row {
  const { benchmark, main, peer } = plan
  const ours: Row[] = []
  const theirs: Row[][] = (peer?.variants ?? []).map(() => [])
  for (let round = 0; round < rounds; round++) {
    ours.push(runOurs(benchmark.name))
    if (peer === undefined || !withPeer || round >= (peer.rounds ?? rounds)) continue
    for (const [i, settings] of peer.variants.entries()) {
      theirs[i]!.push(runNs3(peer.program, settings))
    }
  }
  const middle = median(ours.map((row) => Number(row[main])))
  const row = { name: benchmark.name, ...ours.find((each) => each[main] === middle)!, rounds }
  return peer === undefined || !withPeer ? row : { ...row, ...compared(row, peer, theirs) }
}

function runOurs(name: string): Row {
  const args = ['--expose-gc', import.meta.filename, '--only', name]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`)
  return JSON.parse(stdout) as Row
}

/** Against the best of the peer's variants, each with its median. */
function compared(row: Row, peer: Peer, theirs: readonly (readonly Row[])[]): Row {
  const { figure, better } = peer
  const medians = theirs.map((rows) => median(rows.map((each) => Number(each[figure]))))
  const best = better === 'more' ? Math.max(...medians) : Math.min(...medians)
  const ours = Number(row[peer.ours])
  const ratio = better === 'more' ? ours / best : best / ours
  const variant = theirs[medians.indexOf(best)]![0]!
  const name = `ns3${figure[0]!.toUpperCase()}${figure.slice(1)}`
  const about = ['scheduler', 'goodputMbit', 'jain']
    .filter((each) => each in variant)
    .map((each) => [`ns3${each[0]!.toUpperCase()}${each.slice(1)}`, variant[each]!])
  return { [name]: best, ...Object.fromEntries(about), ratioToNs3: Number(ratio.toPrecision(3)) }
}

/** What each figure that has a target, or decides, came to. */
function table(chosen: readonly Plan[], rows: readonly Row[]): string {
  const lines = [['benchmark', 'figure', 'measured', 'target', 'met', 'ns-3']]
  for (const [i, plan] of chosen.entries()) {
    const row = rows[i]!
    const judged = plan.goals.map(({ figure }) => figure)
    const goals = judged.includes(plan.main) ? plan.goals : [{ figure: plan.main }, ...plan.goals]
    for (const goal of goals) {
      const figure = row[goal.figure]
      const measured = typeof figure === 'number' ? numberText(figure) : '-'
      const first = goal === goals[0] ? plan.benchmark.name : ''
      const verdict = typeof figure === 'number' ? judge(goal, figure) : '-'
      lines.push([first, goal.figure, measured, targetText(goal), verdict, peerText(row, goal)])
    }
  }
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  )
  const text = (line: readonly string[]) =>
    line
      .map((cell, i) => (i === 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
  return lines.map((line) => `${text(line).trimEnd()}\n`).join('')
}

function judge({ atLeast, atMost, floor }: Goal, figure: number): string {
  if (atLeast === undefined && atMost === undefined) return ''
  if (figure >= (atLeast ?? -Infinity) && figure <= (atMost ?? Infinity)) return 'yes'
  return floor !== undefined && figure >= floor ? 'no, above the floor' : 'no'
}

function targetText({ atLeast, atMost, floor }: Goal): string {
  const least = atLeast === undefined ? '' : `>= ${numberText(atLeast)}`
  const most = atMost === undefined ? '' : `<= ${numberText(atMost)}`
  return `${least}${most}${floor === undefined ? '' : ` (floor ${numberText(floor)})`}`
}

function peerText(row: Row, { figure }: Goal): string {
  const peer = row[`ns3${figure[0]!.toUpperCase()}${figure.slice(1)}`]
  if (typeof peer !== 'number') return ''
  const { ns3Scheduler } = row
  return `${numberText(peer)}${ns3Scheduler === undefined ? '' : ` (${ns3Scheduler})`}`
}

function numberText(figure: number): string {
  if (figure >= 1e6) return `${(figure / 1e6).toFixed(2)} M`
  if (figure >= 1e4) return `${(figure / 1e3).toFixed(1)} k`
  return String(figure)
}

process.exitCode = await run()
