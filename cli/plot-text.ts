import type { Curve, Panel } from './plot-panels.ts'

/** Braille characters have two columns of four dots each (Unicode U+2800 to U+28FF). */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const
const COLUMNS = 86
const ROWS = 8
const LABEL = 9

/** Panels as text, each curve on its own, at most 100 columns wide. */
export function plotText(panels: readonly Panel[]): string {
  const parts = panels.flatMap((panel) => {
    const { title, unit, curves, hidden } = panel
    const more = hidden === 0 ? [] : [`(left out, for they change less: ${hidden} more)`]
    return [
      ...curves.map((curve) => `${curve.name}: ${title}, ${unit}\n${plot(curve, panel)}`),
      ...more,
    ]
  })
  return parts.join('\n\n')
}

function plot(curve: Curve, { from, to }: Panel): string {
  const top = niceAbove(curve.values.reduce((most, value) => Math.max(most, value), 0))
  const dots = Array.from({ length: ROWS }, () => new Uint8Array(COLUMNS))
  const [width, height] = [2 * COLUMNS, 4 * ROWS]
  const yOf = (value: number) => Math.min(height - 1, Math.floor((value / top) * height))
  let last: number | null = null
  const spans = spansOf(curve, from, to, width)
  for (const [x, span] of spans.entries()) {
    if (span === null) continue
    // Connected with the column before, so that a jump is a line.
    const low = yOf(Math.min(span.low, last ?? span.low))
    const high = yOf(Math.max(span.high, last ?? span.high))
    for (let y = low; y <= high; y++) {
      const row = dots[ROWS - 1 - (y >> 2)]!
      row[x >> 1]! |= DOTS[(x & 1) as 0 | 1][(3 - (y & 3)) as 0 | 1 | 2 | 3]
    }
    last = span.last
  }
  const lines = dots.map((row, index) => {
    const value = index === 0 ? top : index === ROWS / 2 ? top / 2 : index === ROWS - 1 ? 0 : null
    const label = value === null ? '' : String(Number(value.toPrecision(4)))
    const text = [...row].map((dot) => String.fromCharCode(0x2800 + dot)).join('')
    return `${label.padStart(LABEL)} ┤${text}`
  })
  return [...lines, axis(from, to)].join('\n')
}

interface Span {
  low: number
  high: number
  last: number
}

/** Of each column the values that hold within it; `null` before the first. */
function spansOf(curve: Curve, from: number, to: number, width: number): (Span | null)[] {
  const spans: (Span | null)[] = []
  let at = 0
  let held: number | null = null
  for (let x = 0; x < width; x++) {
    const end = from + ((to - from) * (x + 1)) / width
    let span: Span | null = held === null ? null : { low: held, high: held, last: held }
    for (; at < curve.times.length && (curve.times[at]! < end || x === width - 1); at++) {
      const value = curve.values[at]!
      span ??= { low: value, high: value, last: value }
      span.low = Math.min(span.low, value)
      span.high = Math.max(span.high, value)
      span.last = value
      held = value
    }
    spans.push(span)
  }
  return spans
}

function axis(from: number, to: number): string {
  const middle = `${Number(((from + to) / 2).toPrecision(4))}`
  const [left, right] = [`${Number(from.toPrecision(4))}`, `${Number(to.toPrecision(4))} s`]
  const gap = COLUMNS - left.length - middle.length - right.length
  const half = Math.floor(gap / 2)
  const line = `${left}${' '.repeat(half)}${middle}${' '.repeat(gap - half)}${right}`
  return `${' '.repeat(LABEL)} └${'─'.repeat(COLUMNS)}\n${' '.repeat(LABEL + 2)}${line}`
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten. */
export function niceAbove(value: number): number {
  if (value <= 0) return 1
  let power = 1
  while (power * 10 <= value) power *= 10
  while (power > value) power /= 10
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value) ?? 10
  return step * power
}
