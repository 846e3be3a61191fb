import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import {
  type Document,
  LineCounter,
  type Node,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml'
import { UserError } from '../sim/user-error.ts'

export type Path = readonly (string | number)[]

/** A YAML or JSON file: its data, and where each piece of it is written. */
export class YamlSource {
  readonly data: unknown
  readonly #shown: string
  readonly #document: Document
  readonly #lines = new LineCounter()
  readonly #text: string

  /** @throws UserError with file and line where the text cannot be read as YAML. */
  constructor(path: string) {
    const short = relative(process.cwd(), path)
    this.#shown = short.startsWith('..') ? path : short
    this.#text = readText(path, this.#shown)
    this.#document = parseDocument(this.#text, {
      lineCounter: this.#lines,
      merge: true,
      prettyErrors: false,
    })
    const [error] = [...this.#document.errors, ...this.#document.warnings]
    if (error !== undefined) {
      const { line, col } = this.#lines.linePos(error.pos[0])
      const [sentence] = error.message.split('\n')
      const several = error.code === 'MULTIPLE_DOCS'
      throw new UserError(several ? 'a second document begins' : sentence!, {
        where: `${this.#shown}:${line}:${col}`,
      })
    }
    try {
      this.data = this.#document.toJS()
    } catch (e) {
      // An alias without its anchor, or aliases that multiply without end.
      throw new UserError(e instanceof Error ? e.message : String(e), { where: this.#shown })
    }
  }

  /** `my.yaml:12`: the line of the innermost part of the path that is written down. */
  placeOf(path: Path): string {
    return `${this.#shown}:${this.#lineOf(path)}`
  }

  /** The line within a part on which a word is written; that of the part where there is none. */
  placeWithin(path: Path, words: readonly string[]): string {
    const node = this.#nodeAt(path)?.node
    const [from, , to] = node?.range ?? [0, 0, 0]
    for (const word of words) {
      const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
      const found = new RegExp(String.raw`(?<![\w.])${escaped}(?![\w.])`).exec(
        this.#text.slice(from, to),
      )
      if (found !== null) {
        return `${this.#shown}:${this.#lines.linePos(from + found.index).line}`
      }
    }
    return this.placeOf(path)
  }

  /** Every text in the file that is a value, with its place. */
  *texts(): Generator<{ readonly text: string; readonly place: string }> {
    const found: { text: string; place: string }[] = []
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key === 'key' || typeof node.value !== 'string') return
        const { line } = this.#lines.linePos(node.range?.[0] ?? 0)
        found.push({ text: node.value, place: `${this.#shown}:${line}` })
      },
    })
    yield* found
  }

  #lineOf(path: Path): number {
    return this.#lines.linePos(this.#nodeAt(path)?.start ?? 0).line
  }

  /** The node at a path, or the last one on the way to it; `start` is where its key stands. */
  #nodeAt(path: Path): { readonly node: Node; readonly start: number } | null {
    const { contents } = this.#document
    if (contents === null) return null
    let at: { node: Node; start: number } = { node: contents, start: contents.range?.[0] ?? 0 }
    for (const step of path) {
      const parent = isAlias(at.node) ? at.node.resolve(this.#document) : at.node
      if (isMap(parent)) {
        const pair = parent.items.find(
          ({ key }) => isScalar(key) && String(key.value) === String(step),
        )
        if (pair === undefined) return at
        const key = pair.key as Node
        const node = (pair.value as Node | null) ?? key
        at = { node, start: key.range?.[0] ?? at.start }
      } else if (isSeq(parent)) {
        const node = parent.items[Number(step)] as Node | undefined
        if (node === undefined) return at
        at = { node, start: node.range?.[0] ?? at.start }
      } else return at
    }
    return at
  }
}

function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (e) {
    const { code } = e as { code?: string }
    if (code === 'ENOENT') throw new UserError(`there is no file '${shown}'`)
    const why =
      code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'access is denied' : null
    throw why === null ? e : new UserError(`cannot read '${shown}': ${why}`)
  }
}
