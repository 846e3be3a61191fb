import { type Seq, seqDiff, seqGeq, seqLeq } from '../../protocols/sequence.ts'
import type { TcpState } from '../../protocols/tcp/state.ts'
import type { Nanos } from '../../protocols/time.ts'
import { type Carry, onSocket } from './attempt.ts'
import { MSG_ERRQUEUE, MSG_TRUNC } from './constants.ts'
import { type Outcome, returned } from './errno-result.ts'
import type { ErrorFields, MessageHeader } from './message-header.ts'

// The error queue of a socket: when what was sent left and arrived (SO_TIMESTAMPING), and which buffers
// are the program's own again (MSG_ZEROCOPY). recvmsg with MSG_ERRQUEUE takes from it.

export const STAMP_SENT = 0x2
export const STAMP_SOFTWARE = 0x10
export const STAMP_NUMBERED = 0x80
export const STAMP_SCHEDULED = 0x100
export const STAMP_ACKNOWLEDGED = 0x200
export const STAMP_ALONE = 0x800
export const STAMP_NUMBERED_FROM_END = 0x1_0000

const ANY_STAMP = STAMP_SENT | STAMP_SCHEDULED | STAMP_ACKNOWLEDGED

/** Linux's numbers: `linux/errqueue.h`. */
const ORIGIN_STAMPS = 4
const ORIGIN_ZERO_COPY = 5
const CODE_COPIED = 1
const NO_MESSAGE = 42
const TYPE_SENT = 0
const TYPE_SCHEDULED = 1
const TYPE_ACKNOWLEDGED = 2

export interface ErrorQueue {
  records: ErrorRecord[]
  /** Calls whose bytes are on their way. */
  readonly calls: AwaitedCall[]
  /** SO_TIMESTAMPING, and the byte from which calls are numbered. */
  stamps: number
  base: Seq
  /** SO_ZEROCOPY, and the number of the next call. */
  zeroCopy: boolean
  nextCall: number
}

interface ErrorRecord {
  readonly fields: ErrorFields
  /** `null`: it tells of no time. */
  readonly at: Nanos | null
  /** Bytes of the packet that come with it. */
  readonly length: number
}

interface AwaitedCall {
  readonly end: Seq
  readonly length: number
  readonly stamps: number
  readonly key: number
  /** Of a call with MSG_ZEROCOPY; -1: it had not. */
  readonly number: number
  sent: boolean
}

export const createErrorQueue = (): ErrorQueue => ({
  records: [],
  calls: [],
  stamps: 0,
  base: 0,
  zeroCopy: false,
  nextCall: 0,
})

/** A call has queued its bytes, which end at SND.END. */
export function noteCall(q: ErrorQueue, s: TcpState, length: number, zeroCopy: boolean): void {
  const owns = zeroCopy && q.zeroCopy && length > 0
  if (length === 0 || (!owns && (q.stamps & ANY_STAMP) === 0)) return
  const { end } = s.snd
  const key = q.stamps & STAMP_NUMBERED ? seqDiff(end, q.base) - 1 : 0
  const number = owns ? q.nextCall++ : -1
  q.calls.push({ end, length, stamps: q.stamps, key, number, sent: false })
}

/** Something has happened: perhaps bytes have left, or have arrived. `null`: the connection is no more. */
export function look(q: ErrorQueue, s: TcpState | null, now: Nanos): void {
  if (q.calls.length === 0) return
  for (const call of q.calls) {
    if (call.sent || s === null || !seqGeq(s.snd.max, call.end)) continue
    call.sent = true
    const overhead = s.timestamps ? 52 : 40
    if (call.stamps & STAMP_SCHEDULED) stamp(q, call, TYPE_SCHEDULED, now, call.length + overhead)
    const last = call.length % s.mss || Math.min(s.mss, call.length)
    if (call.stamps & STAMP_SENT) stamp(q, call, TYPE_SENT, now, last + overhead)
  }
  while (q.calls.length > 0 && (s === null || seqLeq(q.calls[0]!.end, s.snd.una))) {
    const call = q.calls.shift()!
    if (s !== null && call.stamps & STAMP_ACKNOWLEDGED) {
      stamp(q, call, TYPE_ACKNOWLEDGED, now, call.length)
    }
    if (call.number >= 0) released(q, call.number)
  }
}

function stamp(q: ErrorQueue, call: AwaitedCall, info: number, at: Nanos, length: number): void {
  const fields = {
    errno: NO_MESSAGE,
    origin: ORIGIN_STAMPS,
    type: 0,
    code: 0,
    info,
    data: call.key,
  }
  const stamped = call.stamps & STAMP_SOFTWARE ? at : null
  q.records.push({ fields, at: stamped, length: call.stamps & STAMP_ALONE ? 0 : length })
}

/** The buffer of a call is free; a network device without scatter and gather has had a copy. */
function released(q: ErrorQueue, number: number): void {
  const last = q.records.at(-1)
  const fields = { errno: 0, origin: ORIGIN_ZERO_COPY, type: 0, code: CODE_COPIED }
  const joins = last?.fields.origin === ORIGIN_ZERO_COPY && last.fields.data === number - 1
  const info = joins ? last.fields.info : number
  if (joins) q.records.pop()
  q.records.push({ fields: { ...fields, info, data: number }, at: null, length: 0 })
}

/** `recvmsg(4, {…, msg_control=[…]}, MSG_ERRQUEUE)`: it never waits. */
export const receiveError = (wanted: MessageHeader): Carry =>
  onSocket((d, _call, _line, _files, { toleranceFixed }) => ({
    otherwise: 'EAGAIN',
    try: () => {
      const record = d.errors.records.shift()
      return record === undefined ? null : told(record, wanted, toleranceFixed)
    },
  }))

function told(record: ErrorRecord, wanted: MessageHeader, tolerance: Nanos): Outcome {
  const cut = record.length > wanted.length ? MSG_TRUNC : 0
  const flags = MSG_ERRQUEUE | cut
  const outcome = returned(Math.min(record.length, wanted.length))
  const { error, stamp: at } = wanted
  const differs = (expected: string, actual: string): Outcome => ({
    ...outcome,
    differs: { expected, actual },
  })
  if (error !== null && !sameFields(error, record.fields)) {
    return differs(fieldsText(error), fieldsText(record.fields))
  }
  const isOff = at !== null && (record.at === null || Math.abs(record.at - at) > tolerance)
  if (isOff) return differs(stampText(at), stampText(record.at))
  if (wanted.flags === null || wanted.flags === flags) return outcome
  return differs(`msg_flags 0x${wanted.flags.toString(16)}`, `msg_flags 0x${flags.toString(16)}`)
}

const sameFields = (a: ErrorFields, b: ErrorFields): boolean => fieldsText(a) === fieldsText(b)

const fieldsText = ({ errno, origin, type, code, info, data }: ErrorFields): string =>
  `ee_errno ${errno} origin ${origin} type ${type} code ${code} info ${info} data ${data}`

const stampText = (at: Nanos | null): string => (at === null ? 'no timestamp' : `${at / 1e9} s`)
