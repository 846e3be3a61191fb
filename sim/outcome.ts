import type { Nanos } from '../protocols/time.ts'
import type { FlowSummary, HostSummary, LinkSummary } from '../trace/summary.ts'
import type { SampleSummary } from './samples.ts'
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
  /** When a frame last left or arrived; timers may have kept the run going. */
  readonly lastFrameAt: Nanos
  readonly events: number
  readonly flows: readonly FlowSummary[]
  readonly links: readonly LinkSummary[]
  readonly hosts: readonly HostSummary[]
  /** Jain's index over the goodput of the TCP connections; `null` for less than two. */
  readonly fairness: number | null
  /** What programs reported, in their words. */
  readonly notes: { readonly [name: string]: string | number }
  /** When programs said that something had happened, nanoseconds. */
  readonly marks: { readonly [name: string]: number }
  readonly samples: { readonly [name: string]: SampleSummary }
  /** When the last fault was mended or done, nanoseconds; 0 without faults. */
  readonly faultsEnded: Nanos
  readonly expectations: readonly Expectation[]
  /** Why the run broke off; `null` when it came to its end. */
  readonly failure: string | null
  readonly verdict: 'passed' | 'failed'
}
