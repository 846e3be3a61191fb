/**
 * What `import … from 'twinwire/vitest'` gives: scripts and timelines as matchers of Vitest. Importing
 * it makes them known to `expect`.
 *
 * @module twinwire/vitest
 */
import { expect } from 'vitest'
import type { PacketdrillOptions } from '../sim/testing/packetdrill-script.ts'
import { type Time, toBeSilentUntil, toPass, toRetransmitAt, toSend } from './timing.ts'

export { packetdrill, PacketdrillScript } from '../sim/testing/packetdrill-script.ts'
export type { PacketdrillOptions } from '../sim/testing/packetdrill-script.ts'
export { timeline } from '../sim/testing/timeline.ts'
export type { TimelineOptions } from '../sim/testing/timeline.ts'
export type { Time } from './timing.ts'

/** What `expect` can ask of scripts and timelines. */
export interface TwinwireMatchers<R = unknown> {
  /** Of packetdrill`…`: every packet, call and assertion is as written. */
  toPass(options?: PacketdrillOptions): R
  /** Of a timeline: retransmissions happen at these times and at no other. */
  toRetransmitAt(times: readonly Time[], options?: { readonly cause?: string }): R
  /** Of a timeline: the segment is sent, at this time where one is given. */
  toSend(segment: string, options?: { readonly at?: Time }): R
  /** Of a timeline: nothing is sent before this time, or between `after` and it. */
  toBeSilentUntil(time: Time, options?: { readonly after?: Time }): R
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/no-explicit-any -- as Vitest declares it
  interface Matchers<T = any> extends TwinwireMatchers<T> {}
}

expect.extend({ toPass, toRetransmitAt, toSend, toBeSilentUntil })
