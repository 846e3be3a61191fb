import { tcpInfo } from '../../protocols/tcp/info.ts'
import { DEFAULT_PROFILE, policyOf } from '../../protocols/tcp/profile.ts'
import { createTcp, type TcpState, type TcpStateName } from '../../protocols/tcp/state.ts'
import type { Nanos } from '../../protocols/time.ts'
import { Unsupported } from './script.ts'

// `%{ assert tcpi_x == n }%`: the part of Python that such assertions are written in.

/** Linux's numbers for the states of RFC 9293. */
const STATES: { readonly [name in TcpStateName]: number } = {
  ESTABLISHED: 1,
  'SYN-SENT': 2,
  'SYN-RECEIVED': 3,
  'FIN-WAIT-1': 4,
  'FIN-WAIT-2': 5,
  'TIME-WAIT': 6,
  CLOSED: 7,
  'CLOSE-WAIT': 8,
  'LAST-ACK': 9,
  LISTEN: 10,
  CLOSING: 11,
}

const WORDS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(STATES).map(([n, v]) => [`TCPI_${n.replaceAll('-', '_')}`, v] as const),
  ...Object.entries(STATES).map(([n, v]) => [`TCP_${n.replaceAll('-', '_')}`, v] as const),
  ['TCP_SYN_RECV', 3],
  ['TCP_FIN_WAIT1', 4],
  ['TCP_FIN_WAIT2', 5],
  ['TCP_CLOSE', 7],
  // What recovery is at, and what was agreed on: `include/uapi/linux/tcp.h`.
  ['TCP_CA_Open', 0],
  ['TCP_CA_Disorder', 1],
  ['TCP_CA_CWR', 2],
  ['TCP_CA_Recovery', 3],
  ['TCP_CA_Loss', 4],
  ['TCPI_OPT_TIMESTAMPS', 1],
  ['TCPI_OPT_SACK', 2],
  ['TCPI_OPT_WSCALE', 4],
  ['TCPI_OPT_ECN', 8],
  ['TCPI_OPT_ECN_SEEN', 16],
  ['TCPI_OPT_SYN_DATA', 32],
  ['True', 1],
  ['False', 0],
])

/** What a connection tells: found out once, from one that has done nothing. */
const FIGURES: ReadonlySet<string> = new Set(
  Object.keys(
    tcpInfo(
      createTcp({
        id: 0,
        policy: policyOf(DEFAULT_PROFILE),
        local: { address: 0, port: 0 },
        remote: { address: 0, port: 0 },
        iss: 0,
        pathMss: 536,
        listener: -1,
      }),
      0,
    ),
  ).filter((name) => name !== 'state'),
)

const isKnown = (name: string): boolean =>
  name === 'tcpi_state' || name === CLIENT_FAIL || FIGURES.has(name) || WORDS.has(name)

/** Why what was on a SYN was not taken (RFC 7413): 1 no cookie, 2 not acknowledged, 3 sent again. */
const CLIENT_FAIL = 'tcpi_fastopen_client_fail'

const TOKEN =
  /\s*(0x[0-9a-fA-F]+|\d+(?:\.\d+)?|\w+|==|!=|<=|>=|<<|>>|\/\/|[-+*/%&|^~<>(),;]|"[^"]*"|'[^']*')/y

/**
 * Runs the text of a snippet on the connection that the script is about.
 *
 * @returns what does not hold, or `null`.
 */
export function runCode(
  text: string,
  connection: TcpState | null,
  state: TcpStateName,
  line: number,
  now: Nanos,
): string | null {
  const info = connection === null ? null : tcpInfo(connection, now)
  const lookUp = (name: string): number => {
    if (name === 'tcpi_state') return STATES[state]
    if (name === CLIENT_FAIL) return connection?.fastOpen?.clientFail ?? 0
    const figure: unknown = info === null ? 0 : Reflect.get(info, name)
    return WORDS.get(name) ?? Number(figure)
  }
  for (const statement of statementsOf(text)) {
    const { condition, names } = readAssert(statement, line)
    if (condition === '') continue
    if (new Evaluation(condition, lookUp, line).value() !== 0) continue
    const values = names.map((name) => `${name} is ${name === 'tcpi_state' ? state : lookUp(name)}`)
    return `assert ${condition.trim()}: ${values.join(', ')}`
  }
  return null
}

/** Whether every word of a snippet is known. */
export function checkCode(text: string, line: number): void {
  for (const statement of statementsOf(text)) {
    const { condition } = readAssert(statement, line)
    if (condition !== '') new Evaluation(condition, () => 1, line).value()
  }
}

const statementsOf = (text: string): string[] =>
  text
    .split(/[\n;]/)
    .map((each) => each.replace(/#.*/, '').trim())
    .filter((each) => each !== '')

/** `condition` is empty for what only prints. */
function readAssert(
  statement: string,
  line: number,
): { readonly condition: string; readonly names: readonly string[] } {
  if (/^print\b/.test(statement)) return { condition: '', names: [] }
  const found = /^assert\b(.*)$/.exec(statement)
  if (found === null) throw new Unsupported(`code '${statement.split(/\s/, 1)[0]}'`, line)
  // A message may follow; no condition has a comma of its own.
  const condition = found[1]!.split(',', 1)[0]!
  const names = condition.match(/\btcpi_\w+/g) ?? []
  return { condition, names: [...new Set(names)] }
}

/** Python's precedence, lowest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%'],
]
/** Those of comparisons: `a < b < c` means both. */
const COMPARISONS = 2

class Evaluation {
  readonly #tokens: string[] = []
  readonly #lookUp: (name: string) => number
  readonly #line: number
  #at = 0

  constructor(text: string, lookUp: (name: string) => number, line: number) {
    this.#lookUp = lookUp
    this.#line = line
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const found = TOKEN.exec(text)
      if (found === null) throw new Unsupported(`code '${text.trim()}'`, line)
      this.#tokens.push(found[1]!)
    }
  }

  value(): number {
    const value = this.#level(0)
    const rest = this.#tokens[this.#at]
    if (rest !== undefined) throw new Unsupported(`code '${rest}'`, this.#line)
    return value
  }

  #level(level: number): number {
    const signs = LEVELS[level]
    if (signs === undefined) return this.#primary()
    let value = this.#level(level + 1)
    let left = value
    let chained = 1
    for (let first = true; ; first = false) {
      const sign = this.#tokens[this.#at]
      if (sign === undefined || !signs.includes(sign)) return value
      this.#at += 1
      const right = this.#level(level + 1)
      if (level !== COMPARISONS) value = apply(sign, value, right)
      else {
        if (!first) chained = value
        value = chained === 0 ? 0 : apply(sign, left, right)
        left = right
      }
    }
  }

  #primary(): number {
    const token = this.#tokens[this.#at++]
    if (token === 'not') return this.#level(2) === 0 ? 1 : 0
    if (token === '-') return -this.#primary()
    if (token === '~') return ~this.#primary()
    if (token === '(') {
      const value = this.#level(0)
      if (this.#tokens[this.#at++] !== ')') throw new Unsupported('code without )', this.#line)
      return value
    }
    if (token !== undefined && /^\d/.test(token)) return Number(token)
    if (token === undefined || !isKnown(token)) {
      throw new Unsupported(`code '${token ?? 'nothing'}'`, this.#line)
    }
    return this.#lookUp(token)
  }
}

function apply(sign: string, a: number, b: number): number {
  switch (sign) {
    case 'or':
      return a === 0 ? b : a
    case 'and':
      return a === 0 ? a : b
    case '==':
      return Number(a === b)
    case '!=':
      return Number(a !== b)
    case '<':
      return Number(a < b)
    case '<=':
      return Number(a <= b)
    case '>':
      return Number(a > b)
    case '>=':
      return Number(a >= b)
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<<':
      return a << b
    case '>>':
      return a >> b
    case '//':
      return Math.floor(a / b)
    case '%':
      return a - b * Math.floor(a / b)
    case '&':
      return a & b
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    default:
      return a / b
  }
}
