import type { Nanos } from '../protocols/time.ts'
import { ETHERNET_HEADER } from '../protocols/ethernet/frame.ts'
import { type Distribution, formatDistribution } from './distribution.ts'
import { DISTRIBUTION_NAMES } from './distribution-tables.ts'
import type { LinkOptions, Slot } from './link-options.ts'
import type { LossModel } from './loss-model.ts'
import { meanRate } from './mahimahi.ts'
import { tcDiscipline } from './tc-discipline.ts'
import { formatDuration, formatRate, formatRatio } from './units.ts'

/** Where a link direction would be made: the device that sends, and its network namespace. */
export interface TcPlace {
  readonly device: string
  /** For `tc -n`; left out: the one that the shell is in. */
  readonly namespace?: string
}

/**
 * A shell script that makes one direction of a link with tc(8): netem for what happens on the way,
 * tbf with a queue for a rate that something may wait for. What tc has no word for stands in a
 * comment. `docs/links.md` says where Linux differs.
 */
export function tcLines(options: LinkOptions, place: TcPlace): string[] {
  const tables = [options, ...options.schedule.map(({ set }) => set)].map((o) => o.distribution)
  const lines = [...new Set(tables)].flatMap((table) => tableFile(table))
  if (options.mtu !== 1500) {
    const namespace = place.namespace === undefined ? '' : `-n ${place.namespace} `
    lines.push(`ip ${namespace}link set dev ${place.device} mtu ${options.mtu}`)
  }
  lines.push(...qdiscLines(options, place, 'add'))
  if (options.schedule.length > 0) lines.push(...scheduleLines(options, place))
  return lines
}

/** In the background, so that the script goes on. */
function scheduleLines(options: LinkOptions, place: TcPlace): string[] {
  const lines = ['(']
  let now: Nanos = 0
  let current = options
  for (const { at, set } of options.schedule) {
    if (at > now) lines.push(`  sleep ${seconds(at - now)}`)
    now = at
    current = { ...current, ...set }
    for (const line of qdiscLines(current, place, 'replace')) lines.push(`  ${line}`)
  }
  return [...lines, ') &']
}

/** As sleep(1) takes them: every digit, and no exponent. */
function seconds(t: Nanos): string {
  const fraction = String(t % 1e9)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const whole = Math.floor(t / 1e9)
  return fraction === '' ? String(whole) : `${whole}.${fraction}`
}

function qdiscLines(options: LinkOptions, place: TcPlace, verb: 'add' | 'replace'): string[] {
  const command = place.namespace === undefined ? 'tc' : `tc -n ${place.namespace}`
  const lines: string[] = []
  let parent = 'root'
  let major = 1
  const add = (kind: string, words: string) => {
    const where = `${command} qdisc ${verb} dev ${place.device} ${parent} handle ${major}:`
    lines.push(`${prefix(kind, options)}${where} ${kind} ${words}`.trim())
    parent = `parent ${major}:1`
    major += 1
  }
  for (const remark of remarks(options)) lines.push(`# ${remark}`)
  const shaped = isShaped(options)
  const netem = netemWords(options, shaped)
  // Without a word it would only add a queue.
  if (netem.length > 0 || !shaped) {
    add('netem', [`limit ${UNLIMITED_FRAMES}`, ...netem].join(' '))
  }
  if (!shaped) return lines
  const { rate, mtu, queueFrames, queueBytes } = options
  const longest = mtu + ETHERNET_HEADER
  const bytes = Math.min(queueBytes, queueFrames * longest, UNLIMITED_BYTES)
  add('tbf', `rate ${tcRate(rate)} burst ${longest}b limit ${Math.max(bytes, longest)}b`)
  const discipline = tcDiscipline(options)
  if (discipline !== null) add(discipline.kind, discipline.words)
  else if (queueFrames < Infinity) add('pfifo', `limit ${Math.max(queueFrames, 1)}`)
  return lines
}

/** netem holds what is under way as well, so its own limit is no queue. */
const UNLIMITED_FRAMES = 2_147_483_647
const UNLIMITED_BYTES = 4_294_967_295

/**
 * netem's own rate has no queue with a limit, and it keeps the order; so another qdisc has to shape
 * where there is a limit, or where frames may overtake each other behind the rate.
 */
function isShaped(options: LinkOptions): boolean {
  if (options.rate === 0 || options.trace !== null) return false
  const limited = options.queueFrames < Infinity || options.queueBytes < Infinity
  const disorder = !options.keepOrder && options.jitter > 0
  return limited || disorder || options.discipline !== null
}

function netemWords(o: LinkOptions, shaped: boolean): string[] {
  const words: string[] = []
  const { delay, jitter, distribution } = o
  if (jitter > 0) {
    words.push(`delay ${tcTime(delay)} ${tcTime(jitter)}${correlation(o.jitterCorrelation)}`)
    if (distribution !== null) words.push(`distribution ${tableName(distribution)}`)
  } else if (delay > 0) words.push(`delay ${tcTime(delay)}`)
  if (o.lossModel !== null) words.push(lossWords(o.lossModel))
  else if (o.loss > 0) words.push(share('loss random', o.loss, o.lossCorrelation))
  if (o.corrupt > 0) words.push(share('corrupt', o.corrupt, o.corruptCorrelation))
  if (o.duplicate > 0) words.push(share('duplicate', o.duplicate, o.duplicateCorrelation))
  if (o.reorder > 0 && delay > 0) {
    words.push(share('reorder', o.reorder, o.reorderCorrelation))
    if (o.reorderGap > 1) words.push(`gap ${o.reorderGap}`)
  }
  if (o.rate > 0 && o.trace === null && !shaped) words.push(`rate ${tcRate(o.rate)}`)
  // netem reorders by jitter unless it has a rate; this one takes next to no time.
  else if (jitter > 0 && o.keepOrder) words.push('rate 1tbit')
  if (o.slot !== null) words.push(slotWords(o.slot))
  return words
}

function lossWords(model: LossModel): string {
  const { kind } = model
  const shares =
    kind === 'gemodel'
      ? [model.p, model.r, model.lostInBad, model.lostInGood]
      : [model.p13, model.p31, model.p32, model.p23, model.p14]
  return `loss ${kind} ${shares.map(tcShare).join(' ')}`
}

function slotWords({ span, frames, bytes }: Slot): string {
  const words = ['slot']
  if ('min' in span) words.push(tcTime(span.min), tcTime(span.max))
  else if (span.distribution === null) {
    words.push(tcTime(Math.max(span.delay - span.jitter, 0)), tcTime(span.delay + span.jitter))
  } else {
    words.push(`distribution ${tableName(span.distribution)}`)
    words.push(tcTime(span.delay), tcTime(span.jitter))
  }
  if (frames < Infinity) words.push(`packets ${frames}`)
  if (bytes < Infinity) words.push(`bytes ${bytes}`)
  return words.join(' ')
}

const share = (word: string, of: number, rho: number): string =>
  `${word} ${tcShare(of)}${correlation(rho)}`
const correlation = (rho: number): string => (rho > 0 ? ` ${tcShare(rho)}` : '')

/** tc counts in 2^-32: digits beyond the twelfth are lost on it. */
const tcShare = (ratio: number): string => formatRatio(Number(ratio.toFixed(12)))
const tcTime = (t: Nanos): string => formatDuration(t)
const tcRate = (rate: number): string => formatRate(rate).toLowerCase()

/** What a link does that no qdisc does. */
function remarks(o: LinkOptions): string[] {
  const found: string[] = []
  if (o.trace !== null) {
    const mean = formatRate(Math.round(meanRate(o.trace)))
    found.push(`its rate follows a delivery trace, ${mean} on average: see mm-link(1)`)
  }
  if (o.drops.length > 0) found.push('forced drops: tc has no word for them')
  if (o.reorder > 0 && o.delay === 0) found.push('reordering without a delay has no effect')
  return [...found, ...(isShaped(o) ? (tcDiscipline(o)?.remarks ?? []) : [])]
}

const isNamed = ({ name }: Distribution): boolean =>
  (DISTRIBUTION_NAMES as readonly string[]).includes(name)
/** tc looks for NAME.dist. */
const tableName = (distribution: Distribution): string =>
  isNamed(distribution) ? distribution.name : 'twinwire'

function tableFile(distribution: Distribution | null | undefined): string[] {
  if (distribution === null || distribution === undefined || isNamed(distribution)) return []
  const text = formatDistribution(distribution).trimEnd().split('\n')
  return [`cat > ${tableName(distribution)}.dist <<'END'`, ...text, 'END']
}

/** So that tc finds a table of the user's own. */
function prefix(kind: string, { distribution, jitter }: LinkOptions): string {
  const own = distribution !== null && jitter > 0 && !isNamed(distribution)
  return kind === 'netem' && own ? 'TC_LIB_DIR=. ' : ''
}
