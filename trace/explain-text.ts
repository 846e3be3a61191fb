import type { ChecksumStory, ChecksumWord } from './explain-checksum.ts'
import type { ExplainedField, ExplainedLayer } from './explain.ts'

/** Words that are written down one by one; a longer payload is summed up. */
const WORDS_SHOWN = 64
const PER_LINE = 12
const VALUE_WIDTH = 44

/** The explanation as text, at most 100 columns wide. */
export function explainText(layers: readonly ExplainedLayer[]): readonly string[] {
  return layers.flatMap((layer) => [
    `  ${layer.name}, bytes ${layer.at} to ${layer.at + layer.length - 1}`,
    ...layer.fields.map(fieldLine),
    ...(layer.checksum === null ? [] : checksumLines(layer.checksum)),
  ])
}

function fieldLine({ at, name, hex, value }: ExplainedField): string {
  const bytes = shortened(hex.replace(/(..)(?=.)/g, '$1 '), 23)
  return `    ${String(at).padStart(5)}  ${name.padEnd(22)} ${bytes.padEnd(23)}  ${shortened(value, 40)}`.trimEnd()
}

const shortened = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`

function checksumLines(story: ChecksumStory): readonly string[] {
  const { pseudo, words, sum, folds, result, stored, good } = story
  const lines: string[] = ['    checksum: the 16-bit words, with 0 in the place of the checksum']
  for (const { value, of } of pseudo) lines.push(`      ${word(value)}  pseudo-header: ${of}`)
  const shown = words.slice(0, WORDS_SHOWN)
  for (let i = 0; i < shown.length; i += PER_LINE) {
    lines.push(
      `      ${shown
        .slice(i, i + PER_LINE)
        .map(valueOf)
        .join(' ')}`,
    )
  }
  if (words.length > shown.length) {
    const rest = words.slice(WORDS_SHOWN)
    const partial = rest.reduce((total, { value }) => total + value, 0)
    lines.push(`      and ${rest.length} more words, together 0x${partial.toString(16)}`)
  }
  let before = sum
  lines.push(`      sum 0x${sum.toString(16)}`)
  for (const folded of folds) {
    const [high, low] = [Math.floor(before / 0x10000), before & 0xffff]
    lines.push(`      carry 0x${high.toString(16)} + 0x${word(low)} = 0x${folded.toString(16)}`)
    before = folded
  }
  const verdict = good ? 'as in the packet' : `but the packet says 0x${word(stored)}: BAD`
  lines.push(`      complement 0x${word(result)}, ${verdict}`)
  return lines.map((line) => shortened(line, VALUE_WIDTH + 56))
}

const word = (value: number): string => value.toString(16).padStart(4, '0')
const valueOf = ({ value }: ChecksumWord): string => word(value)
