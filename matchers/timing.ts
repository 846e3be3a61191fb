import type { Nanos } from '../protocols/time.ts'
import { report } from '../sim/packetdrill/report.ts'
import { type PacketdrillOptions, PacketdrillScript } from '../sim/testing/packetdrill-script.ts'
import { instant, isSegment, type SentLine, sentLines } from '../sim/testing/sent-lines.ts'

// What tests of timing ask, in words: of scripts, and of what `timeline` returns.

/** As test runners want it. */
export interface Judgement {
  readonly pass: boolean
  readonly message: () => string
}

/** Nanoseconds, or text with a unit: `'1.5s'`. */
export type Time = Nanos | string

const seconds = (at: Nanos): string => `${at / 1e9} s`

const shown = (lines: readonly SentLine[]): string =>
  lines
    .map(({ at, text, again }) => {
      return `  ${seconds(at).padStart(12)}  > ${text}${again === null ? '' : `  (${again})`}`
    })
    .join('\n') || '  nothing'

/** A script passes: every packet, call and assertion is as written. */
export function toPass(received: unknown, options: PacketdrillOptions = {}): Judgement {
  const script = received instanceof PacketdrillScript ? received : null
  if (script === null) throw new TypeError('toPass: expects packetdrill`…`')
  const result = script.play(options)
  return { pass: result.verdict === 'passed', message: () => report(script.source, result) }
}

/** Retransmissions happen at these times, and at no other. */
export function toRetransmitAt(
  received: unknown,
  times: readonly Time[],
  { cause }: { readonly cause?: string } = {},
): Judgement {
  const again = linesOf(received).filter(
    (line) => line.again !== null && (cause === undefined || line.again.split(' ')[0] === cause),
  )
  const wanted = times.map((time) => instant(time))
  const actual = again.map(({ at }) => at)
  return {
    pass: wanted.length === actual.length && wanted.every((at, i) => at === actual[i]),
    message: () =>
      `retransmissions were expected at ${wanted.map(seconds).join(', ') || 'no time'}; there were\n` +
      shown(again),
  }
}

/** The segment is sent, at this time where one is given: all of it as written, or its beginning. */
export function toSend(
  received: unknown,
  segment: string,
  { at }: { readonly at?: Time } = {},
): Judgement {
  const lines = linesOf(received)
  const due = at === undefined ? null : instant(at)
  return {
    pass: lines.some((line) => isSegment(line, segment) && (due === null || line.at === due)),
    message: () =>
      `'${segment}' was expected${due === null ? '' : ` at ${seconds(due)}`}; there were\n` +
      shown(lines),
  }
}

/** Nothing is sent before this time, nor after `after` where one is given; both ends are left out. */
export function toBeSilentUntil(
  received: unknown,
  until: Time,
  { after }: { readonly after?: Time } = {},
): Judgement {
  const end = instant(until)
  const start = after === undefined ? -1 : instant(after)
  const spoken = linesOf(received).filter(({ at }) => at > start && at < end)
  const from = after === undefined ? '' : `between ${seconds(start)} and `
  return {
    pass: spoken.length === 0,
    message: () =>
      `nothing was expected ${from || 'before '}${seconds(end)}; there were\n${shown(spoken)}`,
  }
}

function linesOf(received: unknown): SentLine[] {
  if (typeof received !== 'string') throw new TypeError('expects what `timeline` returns')
  return sentLines(received)
}
