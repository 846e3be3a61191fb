/** How the page of `encapsulate --explain` looks. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #66708a; --paper: #fff; --line: #e3e7ef;
  --c0: #cfe1ff; --c1: #d3f0dc; --c2: #ffe3cc; --c3: #efe1fb; --mark: #ffd84d; --on: #1c2330 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9f0; --soft: #98a2b8; --paper: #14171e; --line: #2a303c;
    --c0: #22406f; --c1: #1f4d33; --c2: #5c3a1c; --c3: #432a5c; --mark: #b58900; --on: #fff }
}
body { margin: 0 auto; max-width: 1500px; padding: 20px; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif }
h1 { font-size: 20px; font-weight: 600; margin: 0 0 2px }
h2 { font-size: 14px; font-weight: 600; margin: 0; padding: 4px 8px; border-radius: 5px 5px 0 0 }
.how, .about { color: var(--soft); font-size: 13px; margin: 0 0 12px }
main { display: grid; grid-template-columns: minmax(260px, 1fr) minmax(380px, 1.4fr) minmax(420px, 1.3fr);
  gap: 16px; align-items: start }
@media (max-width: 1100px) { main { grid-template-columns: 1fr } nav { max-height: 30vh } }
nav, #layers, #bytes { max-height: calc(100vh - 120px); overflow: auto }
nav button { display: block; width: 100%; text-align: left; border: 0; padding: 6px 8px; margin: 0 0 2px;
  border-radius: 5px; background: none; color: inherit; font: 12.5px/1.35 ui-monospace, monospace;
  cursor: pointer; overflow-wrap: anywhere }
nav button:hover { background: var(--line) }
nav button[aria-current] { background: var(--c0); color: var(--on) }
.layer { border: 1px solid var(--line); border-radius: 6px; margin: 0 0 12px }
table { border-collapse: collapse; width: 100%; font-size: 13px }
td { padding: 2px 8px; vertical-align: top; overflow-wrap: anywhere }
td:first-child { white-space: nowrap; color: var(--soft) }
tr { cursor: pointer }
tr:hover { background: var(--line) }
.on { background: var(--mark) !important; color: var(--on) }
.on td { color: var(--on) !important }
.dump { font: 12px/1.7 ui-monospace, monospace; white-space: pre }
.dump span { cursor: pointer; padding: 1px 1.5px; border-radius: 3px }
.offset { color: var(--soft); cursor: default !important }
.k0 { background: var(--c0) } .k1 { background: var(--c1) } .k2 { background: var(--c2) } .k3 { background: var(--c3) }
details { padding: 4px 8px } summary { cursor: pointer }
.sum { font: 12.5px/1.6 ui-monospace, monospace; margin: 4px 0 }
.sum .word { cursor: pointer; padding: 0 2px; border-radius: 3px }
.good { color: #2a9d5c } .bad { color: #d23f4b; font-weight: 600 }
.note { min-height: 2.9em }
`

/** What runs in it. `frames` is there already. */
export const PAGE_SCRIPT = `
const $ = (id) => document.getElementById(id)
const make = (tag, text, name) => {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (name) element.className = name
  return element
}
const word = (n) => n.toString(16).padStart(4, '0')
const byteOf = (frame, i) => frame.hex.slice(2 * i, 2 * i + 2)
let current = 0
for (const [i, frame] of frames.entries()) {
  const button = make('button', frame.at.toFixed(6) + '  ' + frame.line)
  button.onclick = () => show(i)
  $('frames').append(button)
}
function mark(from, length) {
  for (const each of document.querySelectorAll('.on')) each.classList.remove('on')
  for (const each of document.querySelectorAll('[data-at]')) {
    const at = Number(each.dataset.at), size = Number(each.dataset.length)
    if (at < from + length && from < at + size) each.classList.add('on')
  }
}
function place(element, at, length) {
  element.dataset.at = at
  element.dataset.length = length
}
function pick(field) {
  mark(field.at, field.length)
  const bits = field.length <= 2
    ? ' Bits: ' + [...Array(field.length).keys()]
      .map((i) => parseInt(byteOf(frames[current], field.at + i), 16).toString(2).padStart(8, '0')).join(' ')
    : ''
  $('note').textContent = field.name + ': ' + field.about + bits
}
function fieldRow(frame, field) {
  const row = make('tr')
  place(row, field.at, field.length)
  const shown = [...Array(Math.min(field.length, 8)).keys()].map((i) => byteOf(frame, field.at + i)).join(' ')
  row.append(make('td', field.name), make('td', shown + (field.length > 8 ? ' …' : '')), make('td', field.value))
  row.onclick = () => pick(field)
  return row
}
function wordElement({ value, at, of }) {
  const element = make('span', word(value) + ' ', 'word')
  if (of) element.title = of
  if (at >= 0) {
    place(element, at, 2)
    element.onclick = () => mark(at, 2)
  }
  return element
}
function checksumDetails(story) {
  const details = make('details')
  details.open = true
  const summary = make('summary', 'checksum ' + word(story.stored) + ' ')
  summary.append(make('span', story.good ? 'is right' : 'is wrong: ' + word(story.result), story.good ? 'good' : 'bad'))
  details.append(summary)
  if (story.pseudo.length > 0) {
    const pseudo = make('div', 'pseudo-header', 'sum')
    for (const each of story.pseudo) pseudo.append(make('div', word(each.value) + '  ' + each.of))
    details.append(pseudo)
  }
  const words = make('div', 'words, the checksum itself left out: ', 'sum')
  for (const each of story.words) words.append(wordElement(each))
  if (story.rest > 0) words.append('and ' + story.rest + ' more, together ' + story.restSum.toString(16))
  details.append(words)
  const steps = make('div', undefined, 'sum')
  steps.append(make('div', 'sum ' + story.sum.toString(16)))
  let before = story.sum
  for (const fold of story.folds) {
    steps.append(make('div', 'carry ' + Math.floor(before / 65536).toString(16) + ' + ' + word(before % 65536) + ' = ' + fold.toString(16)))
    before = fold
  }
  steps.append(make('div', 'all bits turned over: ' + word(story.result)))
  details.append(steps)
  return details
}
function show(index) {
  current = index
  const frame = frames[index]
  for (const [i, button] of [...$('frames').children].entries()) {
    if (i === index) {
      button.setAttribute('aria-current', 'true')
      button.scrollIntoView({ block: 'nearest' })
    } else button.removeAttribute('aria-current')
  }
  $('layers').replaceChildren(...frame.layers.map((layer, depth) => {
    const box = make('div', undefined, 'layer')
    box.append(make('h2', layer.name + ', ' + layer.length + ' bytes', 'k' + (depth % 4)))
    const table = make('table')
    for (const field of layer.fields) table.append(fieldRow(frame, field))
    box.append(table)
    if (layer.checksum) box.append(checksumDetails(layer.checksum))
    return box
  }))
  $('bytes').replaceChildren(dump(frame), noteElement())
}
function noteElement() {
  const note = make('p', 'Nothing chosen yet.', 'about note')
  note.id = 'note'
  return note
}
function dump(frame) {
  const box = make('div', undefined, 'dump')
  const shown = frame.hex.length / 2
  const depthOf = (i) => frame.layers.findIndex((l) => i >= l.at && i < l.at + l.length)
  for (let from = 0; from < shown; from += 16) {
    box.append(make('span', from.toString(16).padStart(4, '0') + '  ', 'offset'))
    let text = ''
    for (let i = from; i < Math.min(from + 16, shown); i++) {
      const depth = depthOf(i)
      const value = byteOf(frame, i)
      const span = make('span', value, depth < 0 ? '' : 'k' + (depth % 4))
      place(span, i, 1)
      const field = depth < 0 ? undefined : frame.layers[depth].fields.find((f) => i >= f.at && i < f.at + f.length)
      if (field) {
        span.title = field.name
        span.onclick = () => pick(field)
      }
      box.append(span)
      const code = parseInt(value, 16)
      text += code >= 32 && code < 127 ? String.fromCharCode(code) : '.'
    }
    const missing = from + 16 - Math.min(from + 16, shown)
    box.append(make('span', '   '.repeat(missing) + ' ' + text + '\\n', 'offset'))
  }
  if (shown < frame.size) box.append('… ' + (frame.size - shown) + ' more bytes\\n')
  return box
}
addEventListener('keydown', (event) => {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (step === 0 || !frames[current + step]) return
  event.preventDefault()
  show(current + step)
})
// The first message is what one came for.
if (frames.length > 0) show(Math.max(0, frames.findIndex((f) => f.layers.length > 3)))
`
