/** One line of a plot. `null`: no value there. */
export interface Curve {
  readonly name: string
  readonly colour: string
  /** Lines are drawn through the points, or the points alone. */
  readonly style: 'line' | 'dashed' | 'crosses'
  readonly values: readonly (number | null)[]
}

export interface CurvePlot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xs: readonly number[]
  /** The xs are apart by the same factor, not by the same step. */
  readonly isLogarithmic: boolean
  readonly curves: readonly Curve[]
}

const [WIDTH, HEIGHT] = [720, 440]
const MARGIN = { left: 70, right: 20, top: 50, bottom: 60 }

/** A drawing that needs nothing but itself. */
export function curveSvg(plot: CurvePlot): string {
  const { xs, curves } = plot
  const values = curves.flatMap((curve) => curve.values.filter((value) => value !== null))
  const step = niceStep(Math.max(...values, 1e-9))
  const top = Math.ceil(Math.max(...values, 1e-9) / step) * step
  const place = (i: number): number => {
    const inner = WIDTH - MARGIN.left - MARGIN.right
    if (plot.isLogarithmic || xs.length < 2) return MARGIN.left + (inner * (i + 0.5)) / xs.length
    const [first, last] = [xs[0]!, xs.at(-1)!]
    const share = (xs[i]! - first) / (last - first)
    return MARGIN.left + inner * (0.04 + 0.92 * share)
  }
  const height = (value: number): number =>
    HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * value) / top
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(plot.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(WIDTH / 2, 20, plot.title, 'middle', 15),
    text(WIDTH / 2, HEIGHT - 15, plot.xLabel, 'middle'),
    `<g transform="translate(18 ${HEIGHT / 2}) rotate(-90)">${text(0, 0, plot.yLabel, 'middle')}</g>`,
  ]
  for (let value = 0; value <= top + step / 2; value += step) {
    const y = round(height(value))
    parts.push(
      `<path d="M${MARGIN.left} ${y}H${WIDTH - MARGIN.right}" stroke="#dddddd"/>`,
      text(MARGIN.left - 8, y + 4, String(Number(value.toPrecision(6))), 'end'),
    )
  }
  for (const [i, x] of xs.entries()) {
    parts.push(text(place(i), HEIGHT - MARGIN.bottom + 18, String(x), 'middle'))
  }
  for (const [i, curve] of curves.entries()) {
    parts.push(drawn(curve, place, height), legend(curve, i))
  }
  parts.push('</svg>', '')
  return parts.join('\n')
}

function drawn(
  { values, colour, style }: Curve,
  place: (i: number) => number,
  height: (value: number) => number,
): string {
  const points = values.flatMap((value, i) =>
    value === null ? [] : [[round(place(i)), round(height(value))] as const],
  )
  if (style === 'crosses') {
    const crosses = points.map(([x, y]) => `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`).join('')
    return `<path d="${crosses}" stroke="${colour}" stroke-width="2" fill="none"/>`
  }
  const line = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('')
  const dashes = style === 'dashed' ? ' stroke-dasharray="6 4"' : ''
  const path = `<path d="${line}" stroke="${colour}" stroke-width="2" fill="none"${dashes}/>`
  if (style === 'dashed') return path
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`)
  return [path, ...dots].join('')
}

function legend({ name, colour, style }: Curve, index: number): string {
  const x = MARGIN.left + 10 + index * 200
  const mark = { line: '●', dashed: '╌', crosses: '×' }[style]
  return `<text x="${x}" y="40" fill="${colour}">${mark} ${escape(name)}</text>`
}

const text = (x: number, y: number, words: string, anchor: string, size = 12): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${escape(words)}</text>`

const round = (n: number): number => Math.round(n * 10) / 10

const escape = (words: string): string =>
  words.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)

/** 1, 2 or 5 times a power of ten: about five of them to the top. */
function niceStep(top: number): number {
  let step = 1
  while (step * 8 < top) step *= 10
  while (step > top) step /= 10
  return [step / 2, step, step * 2, step * 5].find((each) => top / each <= 6) ?? step * 10
}
