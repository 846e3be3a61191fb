import type { Bytes } from '../bytes.ts'
import type { Service, ServiceState } from './server.ts'

const FIRST = 0x20
const PRINTABLE = 95
const LINE = 72
const LINE_BYTES = LINE + 2
/** After so many lines the pattern begins anew. */
const PATTERN_BYTES = PRINTABLE * LINE_BYTES
/** RFC 864: a datagram has 0 to 512 characters. */
const DATAGRAM_MAX = 512

/** RFC 864's recommended pattern: lines of 72 printable characters, each one further on. */
const PATTERN: Bytes = Uint8Array.from({ length: PATTERN_BYTES }, (_, at) => {
  const line = Math.floor(at / LINE_BYTES)
  const column = at % LINE_BYTES
  if (column >= LINE) return column === LINE ? 0x0d : 0x0a
  return FIRST + ((line + column) % PRINTABLE)
})

/** RFC 864: characters without end over TCP, a random number of them for each datagram. */
export const chargen: Service = {
  name: 'chargen',
  port: 19,
  answer: (state) => PATTERN.subarray(0, nextLength(state)),
  greeting: () => null,
  endsAfterGreeting: false,
  sendsBack: false,
  more: () => PATTERN,
}

function nextLength(state: ServiceState): number {
  // A full-period generator modulo 2^32; its upper bits are the good ones.
  state.random = (Math.imul(state.random, 1_664_525) + 1_013_904_223) | 0
  return Math.floor(((state.random >>> 8) * (DATAGRAM_MAX + 1)) / 0x1000000)
}
