import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Panel, reduced } from './plot-panels.ts'

/** More points than pixels cannot be seen; zooming in shows this many still. */
const COLUMNS = 3000

/** One page with everything in it: no network, no other file. */
export function plotPage(title: string, panels: readonly Panel[]): string {
  const data = panels.map((panel) => ({
    ...panel,
    curves: panel.curves.map((curve) => reduced(curve, panel.from, panel.to, COLUMNS)),
  }))
  const { script, style } = uPlotFiles()
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${style}
${STYLE}</style>
<h1>${escaped(title)}</h1>
<p class="how">Drag to zoom into a span of time, double-click to see all of it, click a name to hide its curve.</p>
<main></main>
<script>${script}</script>
<script>
const panels = ${scriptSafe(JSON.stringify(data))}
${PAGE}
</script>
</html>
`
}

function uPlotFiles(): { readonly script: string; readonly style: string } {
  const folder = dirname(createRequire(import.meta.url).resolve('uplot'))
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return { script: read('uPlot.iife.min.js'), style: read('uPlot.min.css') }
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => ENTITIES[each]!)

/** No text of the data can end the script. */
const scriptSafe = (json: string): string => json.replaceAll('<', String.raw`\u003c`)

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #66708a; --paper: #fff; --line: #e3e7ef }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9f0; --soft: #98a2b8; --paper: #14171e; --line: #2a303c }
}
body { margin: 0 auto; max-width: 1240px; padding: 24px; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif }
h1 { font-size: 20px; font-weight: 600; margin: 0 0 2px }
h2 { font-size: 15px; font-weight: 600; margin: 26px 0 6px }
h2 small, .how { color: var(--soft); font-weight: 400; font-size: 13px; margin: 0 }
.uplot, .uplot *, .u-legend { font-family: inherit }
.u-legend { text-align: left; font-size: 12.5px }
.u-legend .u-series > * { padding: 2px 6px 2px 0 }
.u-legend .u-value { min-width: 6.5em; display: inline-block; font-variant-numeric: tabular-nums }
`

/** What runs in the page. Steps: a value holds until the next one. */
const PAGE = `
const colours = ['#2f6fde', '#e0662b', '#2a9d5c', '#b0408f', '#8a6d1d', '#1b9aaa', '#d23f4b',
  '#6a55c9', '#5d7a2c', '#a85a32', '#3d8fd1', '#7d7f87']
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const plots = []
const widthOf = () => document.querySelector('main').clientWidth
const short = (v) => v == null ? '–' : String(Number(v.toPrecision(5)))
function table({ curves, from, to }) {
  // The first table holds nothing but the ends: all panels then show the same span.
  const joined = uPlot.join([[[from, to], [0, 0]], ...curves.map((c) => [c.times, c.values])])
  joined.splice(1, 1)
  for (const column of joined.slice(1)) {
    let held = null
    for (let i = 0; i < column.length; i++) column[i] == null ? column[i] = held : held = column[i]
  }
  return joined
}
for (const panel of panels) {
  const head = document.createElement('h2')
  head.textContent = panel.title + ' '
  const unit = document.createElement('small')
  unit.textContent = panel.unit + (panel.hidden ? ', ' + panel.hidden + ' curves that change less are left out' : '')
  head.append(unit)
  const place = document.createElement('div')
  document.querySelector('main').append(head, place)
  const axis = { stroke: css('--soft'), grid: { stroke: css('--line'), width: 1 },
    ticks: { stroke: css('--line'), width: 1 }, font: '12px system-ui, sans-serif' }
  plots.push(new uPlot({
    width: widthOf(), height: 260,
    scales: { x: { time: false }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.06 : 1] } },
    axes: [
      { ...axis, values: (u, ticks) => ticks.map((t) => short(t) + ' s') },
      { ...axis, size: 62, values: (u, ticks) => ticks.map(short) },
    ],
    cursor: { sync: { key: 'run', scales: ['x', null] }, points: { size: 6 }, drag: { x: true, y: false } },
    focus: { alpha: 0.25 },
    series: [
      { label: 'time', value: (u, v) => v == null ? '–' : v.toFixed(6) + ' s' },
      ...panel.curves.map(({ name }, i) => ({
        label: name, stroke: colours[i % colours.length], width: 1.5, points: { show: false },
        paths: uPlot.paths.stepped({ align: 1 }),
        value: (u, v) => short(v),
      })),
    ],
  }, table(panel), place))
}
addEventListener('resize', () => {
  for (const plot of plots) plot.setSize({ width: widthOf(), height: 260 })
})
`
