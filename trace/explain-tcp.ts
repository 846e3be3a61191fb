import { type Bytes, i32, toHex, u16 } from '../protocols/bytes.ts'
import {
  OPTION_END,
  OPTION_MD5,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
} from '../protocols/tcp/options.ts'

interface FieldSink {
  add(name: string, at: number, length: number, value: string, about: string): void
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE']

export const flagsText = (flags: number): string =>
  FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0).join(', ') || 'no flags'

/** One field for each option; bytes that are none end the list. */
export function explainTcpOptions(b: Bytes, from: number, to: number, fields: FieldSink): void {
  for (let at = from; at < to;) {
    const kind = b[at]!
    if (kind === OPTION_END) {
      return fields.add('option: end', at, to - at, '', 'Nothing follows; zeros fill the word.')
    }
    if (kind === OPTION_NOP) {
      fields.add('option: NOP', at, 1, '', 'Fills up, so that what follows is aligned.')
      at += 1
      continue
    }
    const length = at + 1 < to ? b[at + 1]! : 0
    if (length < 2 || at + length > to) {
      return fields.add('option: broken', at, to - at, '', 'Its length is impossible.')
    }
    const [name, value, about] = option(b, kind, at, length)
    fields.add(`option: ${name}`, at, length, value, about)
    at += length
  }
}

function option(b: Bytes, kind: number, at: number, length: number): [string, string, string] {
  switch (kind) {
    case OPTION_MSS:
      return ['MSS', `${u16(b, at + 2)} bytes`, 'The largest payload that it wants to receive.']
    case OPTION_WINDOW_SCALE:
      return ['window scale', `× ${2 ** b[at + 2]!}`, 'What its later windows count in.']
    case OPTION_SACK_PERMITTED:
      return ['SACK permitted', '', 'It understands selective acknowledgments.']
    case OPTION_SACK: {
      const edges: string[] = []
      for (let i = at + 2; i + 8 <= at + length; i += 8) {
        edges.push(`${i32(b, i) >>> 0}–${i32(b, i + 4) >>> 0}`)
      }
      return ['SACK', edges.join(', '), 'What has arrived behind a hole.']
    }
    case OPTION_TIMESTAMPS: {
      if (length < 10) break
      const value = `${i32(b, at + 2) >>> 0}, echo ${i32(b, at + 6) >>> 0}`
      return ['timestamps', value, 'A clock of the sender, and the last one it saw of the peer.']
    }
    case OPTION_MD5: {
      const digest = toHex(b.subarray(at + 2, at + length))
      return ['MD5 signature', digest, 'That of addresses, header, text and a key (RFC 2385).']
    }
    default:
  }
  return [`kind ${kind}`, `${length} bytes`, 'Not one that is read here.']
}
