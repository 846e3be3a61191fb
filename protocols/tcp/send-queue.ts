import { type Bytes, newBytes, putBytes } from '../bytes.ts'
import { type Seq, seqDiff } from '../sequence.ts'
import { NO_OPTIONS, type TcpOptions } from './options.ts'

/**
 * What the application sent and the peer has not acknowledged: views of the application's own
 * bytes, none copied unless a segment spans two of them. `head` advances instead of a shift.
 */
export interface SendQueue {
  chunks: Bytes[]
  head: number
  /** Sequence number of the first byte of `chunks[head]`. */
  start: Seq
  /** Where the last read began: `chunks[cursor]` starts at `cursorSeq`. */
  cursor: number
  cursorSeq: Seq
  /** The timestamps last sent: the segments of a burst share the record. */
  options: TcpOptions
  /** Behind the last bytes of records: no segment goes beyond; `null`: there are none. */
  records: Seq[] | null
  /** Where segments are pushed: behind what was queued in one call and left before the next; `null`: only
   * behind the last byte. */
  pushes: Seq[] | null
}

export const createSendQueue = (start: Seq): SendQueue => ({
  chunks: [],
  head: 0,
  start,
  cursor: 0,
  cursorSeq: start,
  options: NO_OPTIONS,
  records: null,
  pushes: null,
})

/** A view of `length` bytes from `seq` on; all of them are in the queue. */
export function sliceAt(q: SendQueue, seq: Seq, length: number): Bytes {
  if (seqDiff(seq, q.cursorSeq) < 0) {
    q.cursor = q.head
    q.cursorSeq = q.start
  }
  let chunk = q.chunks[q.cursor]!
  let offset = seqDiff(seq, q.cursorSeq)
  while (offset >= chunk.length) {
    offset -= chunk.length
    q.cursorSeq = (q.cursorSeq + chunk.length) | 0
    q.cursor += 1
    chunk = q.chunks[q.cursor]!
  }
  if (offset + length <= chunk.length) return chunk.subarray(offset, offset + length)
  return gather(q, offset, length)
}

function gather(q: SendQueue, offset: number, length: number): Bytes {
  const whole = newBytes(length)
  let at = 0
  let from = offset
  for (let i = q.cursor; at < length; i++) {
    const chunk = q.chunks[i]!
    const piece = chunk.subarray(from, Math.min(chunk.length, from + length - at))
    putBytes(whole, at, piece)
    at += piece.length
    from = 0
  }
  return whole
}

/** Lets go of the chunks that lie wholly before `una`. */
export function dropBefore(q: SendQueue, una: Seq): void {
  let head = q.head
  let start = q.start
  const end = q.chunks.length
  while (head < end && seqDiff(una, start) >= q.chunks[head]!.length) {
    start = (start + q.chunks[head]!.length) | 0
    head += 1
  }
  if (head === q.head) return
  q.start = start
  if (head === end || head >= COMPACT) {
    q.chunks.splice(0, head)
    q.cursor -= head
    head = 0
  }
  q.head = head
  if (q.cursor < head) {
    q.cursor = head
    q.cursorSeq = start
  }
}

/** Bytes from `seq` to the end of its record. */
export function leftOfRecord(q: SendQueue | null, seq: Seq): number {
  if (q === null || q.records === null) return Infinity
  for (const end of q.records) if (seqDiff(end, seq) > 0) return seqDiff(end, seq)
  return Infinity
}

/** A record ends at `end`, those below `una` are forgotten. */
export function endRecord(q: SendQueue, una: Seq, end: Seq): void {
  const records = (q.records ?? []).filter((each) => seqDiff(each, una) > 0)
  if (records.at(-1) !== end) records.push(end)
  q.records = records
}

/** A call's bytes end at `end`. Those that had not left when it came share its segments. */
export function pushAt(q: SendQueue, una: Seq, nxt: Seq, end: Seq, pushes: boolean): void {
  const kept = (q.pushes ?? []).filter(
    (each) => seqDiff(each, una) > 0 && (seqDiff(each, nxt) <= 0 || isRecordEnd(q, each)),
  )
  if (pushes) kept.push(end)
  q.pushes = kept
}

const isRecordEnd = ({ records }: SendQueue, at: Seq): boolean =>
  records !== null && records.includes(at)

/** So many chunks may be dead before the array is cut. */
const COMPACT = 64
