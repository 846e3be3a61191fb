import { emitEthernet } from '../protocols/ethernet/codec.ts'
import { toHex } from '../protocols/bytes.ts'
import { explainFrame } from '../trace/explain.ts'
import { PacketText } from '../trace/packet-text.ts'
import type { FrameSent } from '../trace/record.ts'
import { PAGE_SCRIPT, PAGE_STYLE } from './explain-page.ts'

/** A payload beyond this is shown in part: a page has to stay light. */
const BYTES_SHOWN = 2048
const WORDS_SHOWN = 256

/** One page with everything in it, to click through: frames, layers, fields, bytes, checksums. */
export function explainPage(title: string, sent: readonly FrameSent[]): string {
  const text = new PacketText({ absolute: true })
  const frames = sent.map(({ at, node, frame }) => {
    const bytes = emitEthernet(frame)
    const layers = explainFrame(bytes).map((layer) => ({
      ...layer,
      // The bytes stand once in the page, in the dump.
      fields: layer.fields.map(({ name, at: from, length, value, about }) => ({
        name,
        at: from,
        length,
        value: value.slice(0, BYTES_SHOWN),
        about,
      })),
      checksum: layer.checksum === null ? null : cut(layer.checksum),
    }))
    return {
      at: at / 1e9,
      node,
      line: text.frame(bytes),
      size: bytes.length,
      hex: toHex(bytes.subarray(0, BYTES_SHOWN)),
      layers,
    }
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${PAGE_STYLE}</style>
<h1>${escaped(title)}</h1>
<p class="how">Choose a frame (or ↑ ↓), then a field or a byte: each shows where the other is.</p>
<main><nav id="frames"></nav><section id="layers"></section><section id="bytes"></section></main>
<script>
const frames = ${JSON.stringify(frames).replaceAll('<', String.raw`\u003c`)}
${PAGE_SCRIPT}
</script>
</html>
`
}

type Story = NonNullable<ReturnType<typeof explainFrame>[number]['checksum']>

/** Long payloads are summed up behind the first words. */
function cut(story: Story): object {
  const rest = story.words.slice(WORDS_SHOWN)
  const restSum = rest.reduce((total, { value }) => total + value, 0)
  return { ...story, words: story.words.slice(0, WORDS_SHOWN), rest: rest.length, restSum }
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => ENTITIES[each]!)
