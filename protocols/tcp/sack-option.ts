import { type Seq, seqAdd, seqGt, seqLeq, seqLt } from '../sequence.ts'
import {
  LAYOUT_SACK,
  LAYOUT_TIMESTAMPS_SACK,
  NO_OPTIONS,
  TcpOptions,
  timestampOptions,
} from './options.ts'
import { type Block, blockWith, type Reassembly } from './reassembly.ts'
import type { TcpState } from './state.ts'

// What an ACK tells of bytes beyond a gap: RFC 2018 §4, with the duplicates of RFC 2883.

const NONE: readonly never[] = []

/** Blocks that fit into 40 bytes of options (RFC 2018 §3), beside timestamps, beside a signature. */
function mostBlocks({ timestamps, policy }: TcpState): number {
  if (policy.signs === 'nobody') return timestamps ? 3 : 4
  return timestamps ? 0 : 2
}

/** The options of an ACK without text. */
export function ackOptions(s: TcpState, value: number): TcpOptions {
  const edges = s.sackPermitted ? sackEdges(s) : NONE
  if (edges.length === 0) return s.timestamps ? timestampOptions(value, s.tsRecent) : NO_OPTIONS
  const layout = s.timestamps ? LAYOUT_TIMESTAMPS_SACK : LAYOUT_SACK
  const echo = s.timestamps ? s.tsRecent : 0
  return new TcpOptions(layout, -1, -1, s.timestamps ? value : 0, echo, edges, NONE)
}

/** Left and right edges in turn. A duplicate is told of once (RFC 2883 §4). */
function sackEdges(s: TcpState): readonly Seq[] {
  const { rcv, reassembly } = s
  const duplicate = rcv.dupStart !== rcv.dupEnd
  if (!duplicate && (reassembly === null || reassembly.blocks.length === 0)) return NONE
  const most = mostBlocks(s)
  if (most === 0) {
    rcv.dupStart = rcv.dupEnd = 0
    return NONE
  }
  const edges: Seq[] = []
  let around: Block | null = null
  if (duplicate) {
    edges.push(rcv.dupStart, rcv.dupEnd)
    // A duplicate beyond the gap: then the block it lies in (RFC 2883 §4, 3).
    if (reassembly !== null) around = blockWith(reassembly, rcv.dupStart)
    if (around !== null) edges.push(around.start, edgeOf(s, reassembly!, around))
    rcv.dupStart = rcv.dupEnd = 0
  }
  if (reassembly === null) return edges
  // The block that changed last comes first, the others follow as they were first before (§4).
  let below = Infinity
  while (edges.length < 2 * most) {
    let latest: Block | null = null
    for (const block of reassembly.blocks) {
      if (block === around || block.stamp >= below) continue
      if (latest === null || block.stamp > latest.stamp) latest = block
    }
    if (latest === null) break
    edges.push(latest.start, edgeOf(s, reassembly, latest))
    below = latest.stamp
  }
  return edges
}

/** A FIN that came early takes the number behind its text, and is held as that is. */
const edgeOf = ({ policy }: TcpState, r: Reassembly, { end }: Block): Seq =>
  r.hasFin && r.finSeq === end && policy.sackCountsFin ? seqAdd(end, 1) : end

/** RFC 2883 §4: bytes `start` to `end` have come before. The next ACK says so. */
export function noteDuplicate(s: TcpState, start: Seq, end: Seq): void {
  if (!s.policy.dsack || !s.sackPermitted || !seqLt(start, end)) return
  s.rcv.dupStart = start
  s.rcv.dupEnd = end
}

/** Looks for what of `start` to `end` has come before: below RCV.NXT or in a block beyond a gap. */
export function findDuplicate(s: TcpState, start: Seq, end: Seq): void {
  if (!s.policy.dsack || !s.sackPermitted) return
  const { nxt } = s.rcv
  if (seqLt(start, nxt)) return noteDuplicate(s, start, seqGt(end, nxt) ? nxt : end)
  if (s.reassembly === null) return
  for (const block of s.reassembly.blocks) {
    if (seqLeq(end, block.start)) return
    if (seqLeq(block.end, start)) continue
    const from = seqLt(start, block.start) ? block.start : start
    return noteDuplicate(s, from, seqGt(end, block.end) ? block.end : end)
  }
}
