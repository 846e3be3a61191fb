import type { Bytes } from '../bytes.ts'
import { type Seq, seqAdd, seqDiff, seqGeq, seqGt, seqLt } from '../sequence.ts'

/** Segments beyond a gap, sorted, without overlaps: the first copy of a byte is kept. */
export interface Reassembly {
  pieces: Piece[]
  /** Bytes held. */
  bytes: number
  /** A FIN came early: the sequence number it stands at. */
  hasFin: boolean
  finSeq: Seq
}

export interface Piece {
  readonly seq: Seq
  readonly payload: Bytes
}

export const createReassembly = (): Reassembly => ({
  pieces: [],
  bytes: 0,
  hasFin: false,
  finSeq: 0,
})

const endOf = (p: Piece): Seq => seqAdd(p.seq, p.payload.length)

/** Adds what is new of a payload that begins at `seq`. */
export function insertPiece(r: Reassembly, seq: Seq, payload: Bytes): void {
  const pieces = r.pieces
  // Segments beyond a gap mostly follow each other: look from the end.
  let at = pieces.length
  while (at > 0 && seqGt(pieces[at - 1]!.seq, seq)) at -= 1
  let from = seq
  const end = seqAdd(seq, payload.length)
  if (at > 0) {
    const before = endOf(pieces[at - 1]!)
    if (seqGt(before, from)) from = before
  }
  while (seqLt(from, end)) {
    const next = pieces[at]
    const until = next !== undefined && seqLt(next.seq, end) ? next.seq : end
    if (seqLt(from, until)) {
      const start = seqDiff(from, seq)
      const piece = payload.subarray(start, seqDiff(until, seq))
      pieces.splice(at, 0, { seq: from, payload: piece })
      r.bytes += piece.length
      at += 1
    }
    if (next === undefined || until === end) return
    from = endOf(next)
    at += 1
  }
}

/** Moves what now follows on from `nxt` to `take`; returns the new RCV.NXT. */
export function takeInOrder(r: Reassembly, nxt: Seq, take: (payload: Bytes) => void): Seq {
  let used = 0
  let reached = nxt
  while (used < r.pieces.length && !seqGt(r.pieces[used]!.seq, reached)) {
    const piece = r.pieces[used]!
    const skip = seqDiff(reached, piece.seq)
    if (skip < piece.payload.length) {
      take(skip === 0 ? piece.payload : piece.payload.subarray(skip))
      reached = endOf(piece)
    }
    r.bytes -= piece.payload.length
    used += 1
  }
  if (used > 0) r.pieces.splice(0, used)
  return reached
}

/** Whether the early FIN is next. */
export const finReached = (r: Reassembly, nxt: Seq): boolean => r.hasFin && seqGeq(nxt, r.finSeq)
