import type { Host } from '../../sim/programs.ts'
import type { HostSpec, LinkBetween, NodeSpec, Program } from '../../sim/scenario.ts'

/** One thing that a stack has to do, shown by two hosts on a cable of their own. */
export interface Claim {
  readonly name: string
  /** The sentence that the scenario's outcome is held against. */
  readonly that: string
  readonly link?: Omit<LinkBetween, 'ends'>
  /** Beside `{ kind: 'host' }`. */
  readonly a?: Partial<HostSpec>
  readonly b?: Partial<HostSpec> & { readonly kind?: HostSpec['kind'] }
  /** The addresses of a and b, where they are not 10.N.0.1/24 and 10.N.0.2/24. */
  readonly ends?: readonly [string | readonly string[] | null, string | readonly string[] | null]
  readonly programs: (place: Place) => { readonly a?: Program; readonly b?: Program }
}

/** Where a claim's hosts are, and where it says how it went. */
export interface Place {
  readonly a: string
  readonly b: string
  readonly nodeA: string
  readonly nodeB: string
  /** `true`: as claimed; a text: what happened instead. */
  readonly tell: (host: Host, outcome: boolean | string) => void
}

export const specOf = (part: Claim['b'] = {}): NodeSpec => ({ kind: 'host', ...part })

/** Compares what was seen, and shows it where it is something else. */
export const same = (seen: readonly unknown[], wanted: readonly unknown[]): true | string => {
  const text = seen.join(' ')
  return text === wanted.join(' ') ? true : text === '' ? 'nothing' : text
}

export const PORT = 5000
export const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error)

/** Reads a connection to its end; what it said in all. */
export async function drain(host: Host, port = PORT): Promise<number> {
  const socket = await host.listen(port).accept()
  let bytes = 0
  for await (const piece of socket) bytes += piece.length
  socket.close()
  return bytes
}
