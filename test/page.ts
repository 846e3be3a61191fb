import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

// Pages of documentation that are run: their files are written, their commands are typed, their
// transcripts are compared with what the commands print.

export interface Block {
  readonly language: string
  readonly text: string
}

/** A fenced block: its language, its text. */
const BLOCK = /^```(\w*)\n(.*?)^```$/gms

interface Typed {
  readonly command: string
  /** Lines; `…` stands for any number of them. */
  readonly output: readonly string[]
}

export interface Ran {
  readonly status: number | null
  /** Stdout, or stderr where there is none. */
  readonly shown: string
}

/** Not run: they install, or run the very test that asks, or take minutes. */
const NOT_RUN =
  /^(git clone \S+|cd \S+|npm (ci|test|install \S+)|npm run (check|bench|docs)( -- \S+)?|\.ci\/run)$/

export const isRun = (step: string): boolean => !NOT_RUN.test(step)

export class Page {
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** Every command once, and the parts of those joined by `&&`. */
  readonly commands: readonly string[]
  readonly steps: readonly string[]

  constructor(path: string) {
    this.path = path
    this.text = readFileSync(path, 'utf8')
    this.blocks = [...this.text.matchAll(BLOCK)].map(([, language, text]) => {
      return { language: language!, text: text! }
    })
    this.commands = [...new Set(this.blocks.flatMap(commandsOf))]
    this.steps = [...new Set(this.commands.flatMap(stepsOf))]
  }

  /** Blocks that begin with a file's name. */
  get files(): readonly { readonly name: string; readonly text: string }[] {
    return this.blocks.flatMap(({ text }) => {
      const name = /^\/\/ (\S+\.m?[jt]s)\n/.exec(text)?.[1]
      return name === undefined ? [] : [{ name, text }]
    })
  }

  writeFiles(directory: string): void {
    for (const { name, text } of this.files) writeFileSync(join(directory, name), text)
  }

  /** Without its blocks. */
  get prose(): string {
    return this.text.replaceAll(BLOCK, '')
  }

  /** The page with what commands really print in its transcripts. */
  rewritten(run: (step: string) => Ran, chosen: (step: string) => boolean = isRun): string {
    return this.text.replaceAll(BLOCK, (block, language: string, text: string) => {
      if (language !== 'console') return block
      const parts = transcriptOf(text).map(({ command, output }) => {
        const steps = stepsOf(command).filter(chosen)
        if (steps.length === 0) return ['$ ' + command, ...output].join('\n')
        const shown = steps.map((step) => run(step).shown).join('')
        const lines = shown.trimEnd().split('\n')
        return ['$ ' + command, ...elided(lines, output)].join('\n')
      })
      return `\`\`\`console\n${parts.join('\n')}\n\`\`\``
    })
  }
}

/** Lines of a shell block; in a transcript only what follows the prompt. */
function commandsOf({ language, text }: Block): string[] {
  if (language === 'console') return transcriptOf(text).map(({ command }) => command)
  if (!['sh', 'bash', 'shell'].includes(language)) return []
  const lines = text.replaceAll('\\\n', ' ').split('\n')
  return lines.map(withoutComment).filter((line) => line !== '')
}

const withoutComment = (line: string) => line.replace(/(^|\s+)#\s.*$/, '').trim()
const stepsOf = (command: string): string[] => command.split(/\s*&&\s*/)

function transcriptOf(text: string): Typed[] {
  const parts = text.split(/^\$ /m).slice(1)
  return parts.map((part) => {
    const [command = '', ...output] = part.trimEnd().split('\n')
    return { command: withoutComment(command), output }
  })
}

/** Leaves out as much as `like` does; what comes before the command's own words is not ours. */
function elided(lines: readonly string[], like: readonly string[]): readonly string[] {
  const gap = like.indexOf('…')
  if (gap < 0) return lines
  if (gap === 0) return ['…', ...lines]
  const after = like.length - gap - 1
  return [...lines.slice(0, gap), '…', ...lines.slice(lines.length - after)]
}

/** A directory in which commands are typed, each once: the second time it has done the same. */
export class Shell {
  readonly directory: string
  readonly #path: readonly string[]
  readonly #done = new Map<string, Ran>()

  /** @param path where commands are looked for first */
  constructor(directory: string, path: readonly string[]) {
    this.directory = directory
    this.#path = path
  }

  readonly run = (step: string): Ran => {
    const before = this.#done.get(step)
    if (before !== undefined) return before
    const env = {
      ...process.env,
      PATH: [...this.#path, process.env['PATH']].join(delimiter),
      XDG_CACHE_HOME: join(this.directory, 'cache'),
      NO_COLOR: '1',
    }
    const options = { cwd: this.directory, env, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', step], options)
    const ran = { status, shown: stdout === '' || status !== 0 ? stdout + stderr : stdout }
    this.#done.set(step, ran)
    return ran
  }

  /** As if it had been installed here. */
  link(name: string, target: string): void {
    const path = join(this.directory, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(target, path)
  }
}
