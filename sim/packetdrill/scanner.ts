import { ScriptSyntaxError, Unsupported } from './script.ts'

/** Reads a text from front to back. White space and comments never matter. */
export class Scanner {
  readonly text: string
  #at = 0
  #end = 0
  /** Where each line begins. */
  readonly #lines: readonly number[]

  constructor(text: string) {
    this.text = text
    const lines = [0]
    for (let i = 0; i < text.length; i++) if (text[i] === '\n') lines.push(i + 1)
    this.#lines = lines
  }

  get at(): number {
    this.skip()
    return this.#at
  }

  /** Where the last thing that was read ends. */
  get end(): number {
    return this.#end
  }

  get line(): number {
    const { at } = this
    let low = 0
    let high = this.#lines.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#lines[middle]! <= at) low = middle
      else high = middle
    }
    return low + 1
  }

  get atEnd(): boolean {
    return this.at === this.text.length
  }

  private skip(): void {
    BLANK.lastIndex = this.#at
    const found = BLANK.exec(this.text)
    if (found !== null) this.#at += found[0].length
  }

  /** What a sticky expression finds here, or `null`; `null` also leaves the place as it was. */
  take(pattern: RegExp): RegExpExecArray | null {
    this.skip()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.text)
    if (found !== null) this.#end = this.#at += found[0].length
    return found
  }

  sees(pattern: RegExp): boolean {
    this.skip()
    pattern.lastIndex = this.#at
    return pattern.test(this.text)
  }

  /** The sign, if it comes next. */
  sign(text: string): boolean {
    this.skip()
    if (!this.text.startsWith(text, this.#at)) return false
    this.#end = this.#at += text.length
    return true
  }

  /** The sign, or an error. */
  expect(text: string): void {
    if (!this.sign(text)) this.fail(`'${text}' expected`)
  }

  word(): string | null {
    return this.take(WORD)?.[0] ?? null
  }

  /** The keyword, if it comes next. */
  keyword(name: string): boolean {
    this.skip()
    const [from, end] = [this.#at, this.#end]
    if (this.word() === name) return true
    this.#at = from
    this.#end = end
    return false
  }

  integer(): number {
    const found = this.take(INTEGER)
    return found === null ? this.fail('a number expected') : Number(found[0])
  }

  /** Everything up to a mark, which is taken too. */
  until(mark: string): string {
    const end = this.text.indexOf(mark, this.#at)
    if (end < 0) return this.fail(`'${mark}' is missing`)
    const text = this.text.slice(this.#at, end)
    this.#end = this.#at = end + mark.length
    return text
  }

  fail(message: string): never {
    const rest = this.text.slice(this.at).split('\n', 1)[0]!.slice(0, 24).trim()
    throw new ScriptSyntaxError(
      `${message}, there is ${rest === '' ? 'nothing' : `'${rest}'`}`,
      this.line,
    )
  }

  unsupported(word: string): never {
    throw new Unsupported(word, this.line)
  }
}

const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y
const WORD = /[A-Za-z_]\w*/y
const INTEGER = /0x[0-9a-fA-F]+|\d+/y
