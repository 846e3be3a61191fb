/** A piece of a filter's text. */
export interface Token {
  readonly kind: 'word' | 'symbol' | 'end'
  readonly text: string
  /** Characters from the start of the filter. */
  readonly at: number
}

/** Why a filter cannot be used: what is wrong with which word, and what might have been meant. */
export class FilterError extends Error {
  override name = 'FilterError'
  readonly word: string
  readonly at: number
  /** Words that could stand here, to find the nearest among. */
  readonly candidates: readonly string[]
  readonly hint: string | undefined

  constructor(message: string, token: Token, candidates: readonly string[] = [], hint?: string) {
    super(message)
    this.word = token.text
    this.at = token.at
    this.candidates = candidates
    this.hint = hint
  }
}

/** Longest first, so that `&&` is not two `&`. */
const SYMBOLS = '&& || != >= <= == << >> ( ) [ ] ! = < > & | + - * / :'.split(' ')

/**
 * Words are names, numbers, addresses, networks with their prefix and ranges of ports: everything
 * of letters, digits, `.`, `_` and, inside a word, `-`, `/` and `:`. A `\` in front, which libpcap
 * wants before some of them, is dropped. Inside brackets only names and numbers are words, for
 * there `-`, `/` and `:` are operators.
 */
export function filterTokens(text: string): Token[] {
  const tokens: Token[] = []
  let brackets = 0
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at)
    const space = /^\s+/.exec(rest)
    if (space !== null) {
      at += space[0].length
      continue
    }
    const word = (brackets > 0 ? /^[\w.]+/ : /^\\?(?:[\w.]|::)(?:[\w.:]|[-/](?=\w))*/).exec(rest)
    const symbol = SYMBOLS.find((each) => rest.startsWith(each))
    const found = word?.[0] ?? symbol
    if (found === undefined) {
      throw new FilterError(`'${rest[0]}' has no meaning in a filter`, {
        kind: 'symbol',
        text: rest[0]!,
        at,
      })
    }
    tokens.push({ kind: word === null ? 'symbol' : 'word', text: found.replace('\\', ''), at })
    if (found === '[') brackets += 1
    if (found === ']') brackets -= 1
    at += found.length
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }]
}

/** Tokens with a place in them. */
export class Cursor {
  readonly #tokens: readonly Token[]
  at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }
  get token(): Token {
    return this.#tokens[this.at]!
  }
  get following(): Token {
    return this.#tokens[Math.min(this.at + 1, this.#tokens.length - 1)]!
  }
  take(): Token {
    const token = this.token
    if (token.kind !== 'end') this.at += 1
    return token
  }
  /** Takes the next token if it is one of these. */
  takes(...texts: readonly string[]): boolean {
    const is = texts.includes(this.token.text) && this.token.kind !== 'end'
    if (is) this.at += 1
    return is
  }
}
