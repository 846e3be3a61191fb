/**
 * The figures of a run as plain values, ready for JSON. Times are nanoseconds in names that end in
 * `Nanos`, rates bits per second, everything else counts or bytes.
 */
export interface FlowSummary {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** The end that was heard first. */
  readonly from: EndSummary
  readonly to: EndSummary
  /** When its first packet left, and the last one. */
  readonly firstNanos: number
  readonly lastNanos: number
  readonly forward: DirectionSummary
  readonly backward: DirectionSummary
}

export interface EndSummary {
  /** `null` for an end that was never heard. */
  readonly node: string | null
  readonly address: string
  /** ICMP: the echo identifier. */
  readonly port: number
}

export interface DirectionSummary {
  /** What the receiving application got, each byte once. */
  readonly deliveredBytes: number
  /** Delivered bits per second, from the flow's first packet to the last delivery. */
  readonly goodput: number
  /** Packets that left their origin, and those among them that carried data. */
  readonly segments: number
  readonly dataSegments: number
  /** The data in them; what was sent again counts again. */
  readonly payloadBytes: number
  /** By cause; `spurious` are those among them that turned out to be needless. */
  readonly retransmissions: {
    readonly rto: number
    readonly fast: number
    readonly rack: number
    readonly tlp: number
    readonly probe: number
    readonly mtu: number
    readonly spurious: number
  }
  /** As the sender measured it; `null` where it never did. */
  readonly rtt: RttSummary | null
  /** By reason and place: `loss on a>b`, `tcp bad-checksum at b`. */
  readonly drops: { readonly [what: string]: number }
}

export interface RttSummary {
  readonly samples: number
  readonly minNanos: number
  readonly avgNanos: number
  readonly maxNanos: number
}

/** The percentiles are too large by less than 0.4 %, everything else is exact. */
export interface DelaySummary {
  readonly samples: number
  readonly minNanos: number
  readonly avgNanos: number
  readonly p50Nanos: number
  readonly p90Nanos: number
  readonly p99Nanos: number
  readonly maxNanos: number
}

/** One direction of a link. */
export interface LinkSummary {
  readonly name: string
  readonly offeredFrames: number
  readonly offeredBytes: number
  /** With duplicates. */
  readonly deliveredFrames: number
  readonly deliveredBytes: number
  readonly dropped: { readonly [reason: string]: number }
  readonly duplicates: number
  readonly corrupted: number
  readonly reordered: number
  /** Frames into which a queue wrote "congestion experienced". */
  readonly marked: number
  /** The most that ever waited for transmission. */
  readonly queueFramesMax: number
  readonly queueBytesMax: number
  /** How long the frames waited that were transmitted; `null` where none had to. */
  readonly queueing: DelaySummary | null
  /** Bits per second; `null` where serialisation takes no time. */
  readonly rate: number | null
  /** The share of the time up to the run's last frame in which it transmitted, 0 to 1. */
  readonly utilisation: number | null
}

/** A node: host, router or switch. Each frame counts at every node that it passes. */
export interface HostSummary {
  readonly name: string
  readonly sentFrames: number
  readonly sentBytes: number
  readonly receivedFrames: number
  readonly receivedBytes: number
  /** What it let go, by reason. */
  readonly drops: { readonly [why: string]: number }
}

/** Rows of each table before it is cut. */
const ROWS_MAX = 20
const INDENT = '    '

/** Both tables, for people: at most 100 columns unless names are very long. */
export function formatSummary(
  flows: readonly FlowSummary[],
  links: readonly LinkSummary[],
): string {
  return [...flowLines(flows), ...linkLines(links)].join('\n')
}

function flowLines(flows: readonly FlowSummary[]): string[] {
  if (flows.length === 0) return []
  const rows: Row[] = [['flow', 'bytes', 'goodput', 'segments', 'resent', 'rtt min/avg/max']]
  for (const flow of flows.slice(0, ROWS_MAX)) {
    rows.push(directionRow(flow, flow.from, flow.to, flow.forward))
    rows.push(...directionNotes(flow.forward))
    // Acknowledgements alone are not worth a line.
    if (flow.backward.dataSegments > 0) {
      rows.push(directionRow(flow, flow.to, flow.from, flow.backward))
      rows.push(...directionNotes(flow.backward))
    }
  }
  const hidden = flows.slice(ROWS_MAX)
  if (hidden.length > 0) {
    const bytes = hidden.reduce(
      (sum, f) => sum + f.forward.deliveredBytes + f.backward.deliveredBytes,
      0,
    )
    rows.push(`… and ${hidden.length} more flows with ${grouped(bytes)} bytes`)
  }
  return table(rows)
}

function directionRow(
  flow: FlowSummary,
  from: EndSummary,
  to: EndSummary,
  direction: DirectionSummary,
): Row {
  return [
    `${flow.protocol} ${endText(from)} > ${endText(to)}`,
    grouped(direction.deliveredBytes),
    direction.goodput === 0 ? '-' : rateText(direction.goodput),
    grouped(direction.segments),
    grouped(resent(direction)),
    direction.rtt === null ? '-' : rttText(direction.rtt),
  ]
}

function directionNotes(direction: DirectionSummary): string[] {
  const { rto, fast, rack, tlp, probe, mtu, spurious } = direction.retransmissions
  const notes: string[] = []
  if (resent(direction) > 0) {
    const causes = list({ rto, fast, rack, tlp, probe, mtu })
    notes.push(...wrapped(spurious === 0 ? 'resent:' : `resent, ${spurious} needlessly:`, causes))
  }
  notes.push(...wrapped('dropped:', list(direction.drops)))
  return notes
}

function linkLines(links: readonly LinkSummary[]): string[] {
  if (links.length === 0) return []
  const rows: Row[] = [
    ['link', 'offered', 'delivered', 'dropped', 'bytes', 'used', 'queue max: frames', 'bytes'],
  ]
  for (const link of mostTroubled(links)) {
    const dropped = droppedFrames(link)
    rows.push([
      link.name,
      grouped(link.offeredFrames),
      grouped(link.deliveredFrames),
      grouped(dropped),
      grouped(link.deliveredBytes),
      link.utilisation === null ? '-' : `${(100 * link.utilisation).toFixed(1)}%`,
      grouped(link.queueFramesMax),
      grouped(link.queueBytesMax),
    ])
    const { duplicates, corrupted, reordered, marked } = link
    rows.push(
      ...queueingLines(link),
      ...wrapped('dropped:', list(link.dropped)),
      ...wrapped('also:', list({ duplicated: duplicates, corrupted, reordered, marked })),
    )
  }
  const hidden = links.length - ROWS_MAX
  if (hidden > 0) rows.push(`… and ${hidden} more link directions`)
  return ['', ...table(rows)]
}

/** Only where somebody notices: a tenth of a millisecond for one frame in a hundred. */
function queueingLines({ queueing }: LinkSummary): string[] {
  if (queueing === null || queueing.p99Nanos < 1e5) return []
  const { p50Nanos, p90Nanos, p99Nanos, maxNanos } = queueing
  const times = [p50Nanos, p90Nanos, p99Nanos, maxNanos].map((t) => (t / 1e6).toFixed(1))
  return [`${INDENT}queueing: p50/p90/p99/max ${times.join('/')} ms`]
}

/** Where not all fit: those that dropped most, then the busiest, in their own order. */
function mostTroubled(links: readonly LinkSummary[]): readonly LinkSummary[] {
  if (links.length <= ROWS_MAX) return links
  const ranked = links.toSorted(
    (a, b) => droppedFrames(b) - droppedFrames(a) || b.deliveredBytes - a.deliveredBytes,
  )
  const shown = new Set(ranked.slice(0, ROWS_MAX))
  return links.filter((link) => shown.has(link))
}

const droppedFrames = (link: LinkSummary): number =>
  Object.values(link.dropped).reduce((sum, n) => sum + n, 0)

/** Cells, or a line of its own that the columns do not follow. */
type Row = readonly string[] | string

/** The first column to the left, numbers to the right, two spaces between. */
function table(rows: readonly Row[]): string[] {
  const cells = rows.filter((row): row is readonly string[] => typeof row !== 'string')
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  return rows.map((row) =>
    typeof row === 'string'
      ? row
      : row
          .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
          .join('  '),
  )
}

/** Segments that were sent again, for whatever cause. */
export const resent = ({ retransmissions: r }: DirectionSummary): number =>
  r.rto + r.fast + r.rack + r.tlp + r.probe + r.mtu

const list = (counts: { readonly [name: string]: number }): string[] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${grouped(count)} ${name}`)

/** An indented line, or several: none is longer than 100 columns if its words allow. */
function wrapped(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return []
  const lines: string[] = []
  let line = `${INDENT}${title} `
  for (const [i, item] of items.entries()) {
    const text = i === items.length - 1 ? item : `${item}, `
    if (line.length + text.trimEnd().length > 100) {
      lines.push(line.trimEnd())
      line = INDENT + INDENT
    }
    line += text
  }
  return [...lines, line]
}

/** The node's name says more than its address, where it is known. */
function endText(end: EndSummary): string {
  const address = end.address.includes(':') ? `[${end.address}]` : end.address
  return `${end.node ?? address}:${end.port}`
}

const RATE_UNITS: readonly (readonly [number, string])[] = [
  [1e9, 'Gbit/s'],
  [1e6, 'Mbit/s'],
  [1e3, 'kbit/s'],
]

function rateText(rate: number): string {
  for (const [size, unit] of RATE_UNITS)
    if (rate >= size) return `${(rate / size).toFixed(2)} ${unit}`
  return `${rate} bit/s`
}

function rttText(rtt: RttSummary): string {
  const [size, unit] = rtt.maxNanos >= 1e6 ? [1e6, 'ms'] : [1e3, 'us']
  const [min, avg, max] = [rtt.minNanos, rtt.avgNanos, rtt.maxNanos].map((t) =>
    (t / size).toFixed(1),
  )
  return `${min}/${avg}/${max} ${unit}`
}

/** 1,234,567, in every locale. */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')
