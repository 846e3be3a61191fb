/** A segment to a connection in TIME-WAIT that expects number 2, and what Linux makes of it. */
export interface TimeWaitCase {
  readonly name: string
  /** As packetdrill writes them. */
  readonly flags: string
  readonly seq: number
  /** 2 is what we have sent. */
  readonly ack: number
  readonly length: number
  /** The flags of the answer; empty: there is none. */
  readonly answer: '' | '.' | 'S.'
  readonly isGone: boolean
  /** The time begins anew, as `ss -o` shows it. */
  readonly restarts: boolean
}

const given =
  (answer: TimeWaitCase['answer'], isGone: boolean, restarts: boolean) =>
  (name: string, flags: string, seq: number, ack = 0, length = 0): TimeWaitCase => ({
    name,
    flags,
    seq,
    ack,
    length,
    answer,
    isGone,
    restarts,
  })
const heard = given('', false, true)
const answered = given('.', false, true)
const shown = given('.', false, false)
const ignored = given('', false, false)
const ended = given('', true, false)
const opened = given('S.', true, false)

/** As Linux 6.18 was seen to do, asked through a TUN. */
export const TIME_WAIT_CASES: readonly TimeWaitCase[] = [
  heard('an empty ACK that is next', '.', 2, 2),
  heard('an ACK of what was never sent', '.', 2, 50),
  answered('an old ACK', '.', 1, 2),
  answered('an ACK from beyond', '.', 10, 2),
  answered('text', 'P.', 2, 2, 10),
  answered('the FIN again', 'F.', 1, 2),
  answered('another FIN', 'F.', 2, 2),
  answered('a SYN,ACK', 'S.', 0, 2),
  shown('text without an ACK', 'P', 2, 0, 5),
  shown('the SYN again', 'S', 0),
  shown('a SYN that is no newer', 'S', 2),
  ignored('a reset in the window', 'R', 10),
  ignored('an old reset', 'R', 1),
  ended('a reset that is next', 'R', 2),
  ended('a newer SYN that is a FIN too', 'SF', 1000),
  opened('a newer SYN', 'S', 1000),
]
