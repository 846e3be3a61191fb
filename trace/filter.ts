import type { Bytes } from '../protocols/bytes.ts'
import { FilterArithmetic } from './filter-arithmetic.ts'
import { type FrameFacts, factsOf } from './filter-facts.ts'
import { Primitives } from './filter-primitives.ts'
import { Cursor, FilterError, filterTokens, type Token } from './filter-tokens.ts'

/*
 * A subset of the filter language of pcap-filter(7). As there, `and` and `or` are equally strong and
 * read from the left, `not` is stronger, and a bare address or port takes the words before the last
 * one: `tcp port 80 or 443`. Unlike there, VLAN tags are looked through, and names of hosts are not
 * asked of anybody.
 */

/** Whether a frame passes. `length`: on the wire. */
export type FrameFilter = (bytes: Bytes, length: number) => boolean

/** @throws FilterError with the word that cannot be used. */
export function parseFilter(text: string): FrameFilter {
  const parser = new Parser(filterTokens(text))
  const test = parser.whole()
  return (bytes, length) => test(factsOf(bytes, length))
}

type Test = (facts: FrameFacts) => boolean

const RELATIONS = ['=', '==', '!=', '<', '>', '<=', '>=']
const OPERATORS = ['&', '|', '<<', '>>', '+', '-', '*', '/']
const JOINTS = ['and', 'or']

class Parser {
  readonly #cursor: Cursor
  readonly #primitives: Primitives
  readonly #arithmetic: FilterArithmetic

  constructor(tokens: readonly Token[]) {
    this.#cursor = new Cursor(tokens)
    this.#primitives = new Primitives(this.#cursor)
    this.#arithmetic = new FilterArithmetic(this.#cursor)
  }

  whole(): Test {
    const cursor = this.#cursor
    if (cursor.token.kind === 'end') return () => true
    const test = this.#expression()
    const { token } = cursor
    if (token.text === '') return test
    if (token.text === ')') throw new FilterError("there is a ')' too many", token)
    throw new FilterError(`'${token.text}' cannot stand here`, token, JOINTS)
  }

  #expression(): Test {
    const cursor = this.#cursor
    let test = this.#unary()
    for (;;) {
      const left = test
      if (cursor.takes('and', '&&')) {
        const right = this.#unary()
        test = (facts) => left(facts) && right(facts)
      } else if (cursor.takes('or', '||')) {
        const right = this.#unary()
        test = (facts) => left(facts) || right(facts)
      } else return test
    }
  }

  #unary(): Test {
    const cursor = this.#cursor
    if (cursor.takes('not', '!')) {
      const test = this.#unary()
      return (facts) => !test(facts)
    }
    if (cursor.token.text === '(') return this.#parenthesised()
    if (this.#beginsComparison()) return this.#comparison()
    return this.#primitives.parse()
  }

  /** A filter in parentheses, or the left side of a comparison. */
  #parenthesised(): Test {
    const cursor = this.#cursor
    const start = cursor.at
    let failure: FilterError
    try {
      const open = cursor.take()
      const test = this.#expression()
      if (!cursor.takes(')')) throw new FilterError("a ')' is missing", open)
      if (!this.#continuesComparison(cursor.token)) return test
      failure = new FilterError('a comparison cannot stand here', cursor.token)
    } catch (e) {
      if (!(e instanceof FilterError)) throw e
      failure = e
    }
    const reached = cursor.at
    cursor.at = start
    try {
      return this.#comparison()
    } catch (e) {
      // What got further knows better.
      throw e instanceof FilterError && cursor.at <= reached ? failure : e
    }
  }

  #beginsComparison(): boolean {
    const { token, following } = this.#cursor
    if (token.text === 'len' || following.text === '[') return true
    return /^\d/.test(token.text) && this.#continuesComparison(following)
  }

  #continuesComparison(token: Token): boolean {
    const { kind, text } = token
    return kind === 'symbol' && (RELATIONS.includes(text) || OPERATORS.includes(text))
  }

  #comparison(): Test {
    const cursor = this.#cursor
    const left = this.#arithmetic.parse()
    const relation = cursor.take()
    if (!RELATIONS.includes(relation.text)) {
      throw new FilterError('a comparison is missing', relation, [], `write ${RELATIONS.join(' ')}`)
    }
    const right = this.#arithmetic.parse()
    return (facts) => {
      const [a, b] = [left(facts), right(facts)]
      return a !== null && b !== null && compare(a, relation.text, b)
    }
  }
}

function compare(a: number, relation: string, b: number): boolean {
  switch (relation) {
    case '=':
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '>':
      return a > b
    case '<=':
      return a <= b
    default:
      return a >= b
  }
}
