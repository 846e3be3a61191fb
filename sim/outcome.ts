import type { Nanos } from '../protocols/time.ts'
import type { FlowSummary, LinkSummary } from '../trace/summary.ts'
import type { Expectation } from './scenario.ts'

/** How a run ended. */
export interface Outcome {
  readonly scenario: string
  readonly seed: string
  /** Every parameter as text, ready to be set again. */
  readonly params: { readonly [name: string]: string }
  /** SHA-256 of the trace, hexadecimal. */
  readonly digest: string
  readonly ended: Nanos
  readonly events: number
  readonly flows: readonly FlowSummary[]
  readonly links: readonly LinkSummary[]
  /** What programs reported, in their words. */
  readonly notes: { readonly [name: string]: string | number }
  readonly expectations: readonly Expectation[]
  /** Why the run broke off; `null` when it came to its end. */
  readonly failure: string | null
  readonly verdict: 'passed' | 'failed'
}
