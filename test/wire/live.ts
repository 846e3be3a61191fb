import { join } from 'node:path'
import type { Outcome } from '../../sim/outcome.ts'
import type { BoundDevice } from '../../wire/live.ts'
import type { Lateness } from '../../wire/real-time.ts'
import type { Child, Namespace } from './namespace.ts'

export const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'twinwire')

export interface LiveReport extends Omit<Outcome, 'expectations' | 'verdict'> {
  readonly devices: readonly BoundDevice[]
  readonly lateness: Lateness
  readonly recording: string | null
}

/** `twinwire live` in a namespace, from the time at which it is ready to the time it is told to end. */
export class Live {
  readonly child: Child

  constructor(child: Child) {
    this.child = child
  }

  static async start(namespace: Namespace, ...args: string[]): Promise<Live> {
    const live = new Live(namespace.start(PROGRAM, 'live', ...args, '--json'))
    await live.child.says(/^live: /m)
    return live
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<LiveReport> {
    this.child.signal('SIGINT')
    return await this.ended()
  }

  async ended(): Promise<LiveReport> {
    const code = await this.child.ended
    if (code !== 0) throw new Error(`exit code ${code}: ${this.child.err}`)
    return JSON.parse(this.child.out) as LiveReport
  }
}
