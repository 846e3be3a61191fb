import type { Bytes } from '../bytes.ts'
import { type Seq, seqAdd, seqDiff, seqGeq, seqGt, seqLeq, seqLt, seqMax } from '../sequence.ts'

/** What came beyond a gap, as blocks with gaps between them: the first copy of a byte is kept. */
export interface Reassembly {
  blocks: Block[]
  /** Bytes held, and the pieces they are in. */
  bytes: number
  pieces: number
  /** Counts what came: the block that changed last has the highest `stamp`. */
  stamp: number
  /** A FIN came early: the sequence number it stands at. */
  hasFin: boolean
  finSeq: Seq
}

/** Bytes without a gap, `start` to `end`, in the pieces in which they came. */
export interface Block {
  start: Seq
  end: Seq
  chunks: Bytes[]
  stamp: number
}

export const createReassembly = (): Reassembly => ({
  blocks: [],
  bytes: 0,
  pieces: 0,
  stamp: 0,
  hasFin: false,
  finSeq: 0,
})

/** What a piece costs beside its bytes: a peer that sends single bytes fills the buffer sooner. */
const PIECE = 256

/**
 * Whether a piece of `length` bytes still fits. The window lets no more bytes in than the buffer has;
 * with the pieces' own cost it is held to twice as much.
 */
export const fits = (r: Reassembly, length: number, buffer: number): boolean =>
  r.bytes + length + (r.pieces + 1) * PIECE <= 2 * buffer

/** Adds what is new of a payload that begins at `seq`, and stamps its block. */
export function insertPiece(r: Reassembly, seq: Seq, payload: Bytes): void {
  const { blocks } = r
  const end = seqAdd(seq, payload.length)
  r.stamp += 1
  // Segments beyond a gap mostly follow each other: look from the end.
  let after = blocks.length
  while (after > 0 && seqGt(blocks[after - 1]!.start, end)) after -= 1
  let first = after
  while (first > 0 && seqGeq(blocks[first - 1]!.end, seq)) first -= 1
  if (first === after) {
    blocks.splice(first, 0, { start: seq, end, chunks: [payload], stamp: r.stamp })
    r.bytes += payload.length
    r.pieces += 1
    return
  }
  const block = blocks[first]!
  block.stamp = r.stamp
  if (first + 1 === after && seqGeq(seq, block.start)) return extend(r, block, seq, end, payload)
  merge(r, first, after, seq, end, payload)
}

/** The common case: the piece goes on where the block ends. */
function extend(r: Reassembly, block: Block, seq: Seq, end: Seq, payload: Bytes): void {
  if (seqLeq(end, block.end)) return
  const piece = payload.subarray(seqDiff(block.end, seq))
  block.chunks.push(piece)
  block.end = end
  r.bytes += piece.length
  r.pieces += 1
}

/** The piece fills gaps: blocks `first` to `after` become one. */
function merge(
  r: Reassembly,
  first: number,
  after: number,
  seq: Seq,
  end: Seq,
  payload: Bytes,
): void {
  const { blocks } = r
  const chunks: Bytes[] = []
  const start = seqLt(seq, blocks[first]!.start) ? seq : blocks[first]!.start
  let reached = start
  const fill = (until: Seq): void => {
    const piece = payload.subarray(seqDiff(reached, seq), seqDiff(until, seq))
    chunks.push(piece)
    r.bytes += piece.length
    r.pieces += 1
  }
  for (let i = first; i < after; i++) {
    const block = blocks[i]!
    if (seqLt(reached, block.start)) fill(block.start)
    for (const chunk of block.chunks) chunks.push(chunk)
    reached = block.end
  }
  if (seqLt(reached, end)) fill(end)
  blocks.splice(first, after - first, { start, end: seqMax(reached, end), chunks, stamp: r.stamp })
}

/** Moves what now follows on from `nxt` to `take`; returns the new RCV.NXT. */
export function takeInOrder(r: Reassembly, nxt: Seq, take: (payload: Bytes) => void): Seq {
  let reached = nxt
  let used = 0
  for (; used < r.blocks.length && seqLeq(r.blocks[used]!.start, reached); used++) {
    const block = r.blocks[used]!
    let at = block.start
    for (const chunk of block.chunks) {
      const skip = seqDiff(reached, at)
      at = seqAdd(at, chunk.length)
      r.bytes -= chunk.length
      r.pieces -= 1
      if (skip >= chunk.length) continue
      take(skip === 0 ? chunk : chunk.subarray(skip))
      reached = at
    }
  }
  if (used > 0) r.blocks.splice(0, used)
  return reached
}

/** Whether the early FIN is next. */
export const finReached = (r: Reassembly, nxt: Seq): boolean => r.hasFin && seqGeq(nxt, r.finSeq)

/** The block that holds `seq`, or ends there; `null`: none. */
export function blockWith(r: Reassembly, seq: Seq): Block | null {
  for (const block of r.blocks) {
    if (seqLeq(block.start, seq) && seqLt(seq, block.end)) return block
  }
  return null
}
