import type { FrameFacts } from './filter-facts.ts'
import { type Cursor, FilterError } from './filter-tokens.ts'

/** Unsigned 32 bits; `null` where the frame has no such bytes. */
type Value = (facts: FrameFacts) => number | null

/** Names that stand for numbers, as in pcap-filter(7). */
const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ...(['fin', 'syn', 'rst', 'push', 'ack', 'urg', 'ece', 'cwr'] as const).map(
    (flag, bit) => [`tcp-${flag}`, 1 << bit] as const,
  ),
  ['tcpflags', 13],
  ['icmptype', 0],
  ['icmpcode', 1],
  ['icmp6type', 0],
  ['icmp6code', 1],
  ['icmp-echoreply', 0],
  ['icmp-unreach', 3],
  ['icmp-redirect', 5],
  ['icmp-echo', 8],
  ['icmp-timxceed', 11],
  ['icmp-paramprob', 12],
])

/** Where each header begins; -1 for a frame that has none. */
const HEADERS: ReadonlyMap<string, (facts: FrameFacts) => number> = new Map([
  ['ether', () => 0],
  ['ip', (facts: FrameFacts) => (facts.family === 'ip' ? facts.network : -1)],
  ['ip6', (facts: FrameFacts) => (facts.family === 'ip6' ? facts.network : -1)],
  ['arp', (facts: FrameFacts) => (facts.family === 'arp' ? facts.network : -1)],
  ['icmp', (facts: FrameFacts) => transport(facts, 1)],
  ['tcp', (facts: FrameFacts) => transport(facts, 6)],
  ['udp', (facts: FrameFacts) => transport(facts, 17)],
  ['icmp6', (facts: FrameFacts) => transport(facts, 58)],
])

const transport = (facts: FrameFacts, protocol: number): number =>
  facts.protocol === protocol ? facts.transport : -1

/** From the weakest to the strongest. */
const LEVELS = [['|'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/']]

/** Numbers, `len`, bytes of headers (`tcp[13]`, `ip[2:2]`) and what can be computed from them. */
export class FilterArithmetic {
  readonly #cursor: Cursor

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  parse(level = 0): Value {
    const operators = LEVELS[level]
    if (operators === undefined) return this.#operand()
    let value = this.parse(level + 1)
    while (operators.includes(this.#cursor.token.text)) {
      const operator = this.#cursor.take().text
      const [left, right] = [value, this.parse(level + 1)]
      value = (facts) => {
        const [a, b] = [left(facts), right(facts)]
        return a === null || b === null ? null : apply(a, operator, b)
      }
    }
    return value
  }

  #operand(): Value {
    const cursor = this.#cursor
    const token = cursor.take()
    const { text } = token
    if (text === '(') {
      const value = this.parse()
      if (!cursor.takes(')')) throw new FilterError("a ')' is missing", token)
      return value
    }
    if (text === 'len') return (facts) => facts.length
    const header = HEADERS.get(text)
    if (header !== undefined && cursor.token.text === '[') return this.#bytesOf(header)
    const number = CONSTANTS.get(text) ?? numberOf(text)
    if (number !== null) return () => number
    throw new FilterError(
      token.kind === 'end' ? 'a number is missing at the end' : `'${text}' is not a number`,
      token,
      [...CONSTANTS.keys(), 'len', ...HEADERS.keys()],
    )
  }

  /** `[at]` or `[at:size]`, where the size is 1, 2 or 4. */
  #bytesOf(header: (facts: FrameFacts) => number): Value {
    const cursor = this.#cursor
    const open = cursor.take()
    const offset = this.parse()
    let size = 1
    if (cursor.takes(':')) {
      const token = cursor.take()
      size = Number(token.text)
      if (size !== 1 && size !== 2 && size !== 4) {
        throw new FilterError(`'${token.text}' is no size`, token, [], 'write 1, 2 or 4')
      }
    }
    if (!cursor.takes(']')) throw new FilterError("a ']' is missing", open)
    return ({ bytes, ...rest }) => {
      const facts = { bytes, ...rest }
      const from = header(facts)
      const at = offset(facts)
      if (from < 0 || at === null || from + at + size > bytes.length) return null
      let value = 0
      for (let i = 0; i < size; i++) value = value * 256 + bytes[from + at + i]!
      return value
    }
  }
}

/** Decimal, or hexadecimal behind `0x`; `null` for anything else, and beyond 32 bits. */
export function numberOf(text: string): number | null {
  if (!/^(\d+|0x[0-9a-f]+)$/i.test(text)) return null
  const value = Number(text)
  return value <= 0xffffffff ? value : null
}

function apply(a: number, operator: string, b: number): number | null {
  switch (operator) {
    case '|':
      return (a | b) >>> 0
    case '&':
      return (a & b) >>> 0
    case '<<':
      return b > 31 ? 0 : (a << b) >>> 0
    case '>>':
      return b > 31 ? 0 : a >>> b
    case '+':
      return (a + b) >>> 0
    case '-':
      return (a - b) >>> 0
    case '*':
      return Math.imul(a, b) >>> 0
    default:
      return b === 0 ? null : Math.floor(a / b)
  }
}
