import type { Bytes } from '../bytes.ts'

/** In-order bytes that the application has not received yet. */
export interface ReceiveQueue {
  chunks: Bytes[]
  bytes: number
}

export const createReceiveQueue = (): ReceiveQueue => ({ chunks: [], bytes: 0 })

/** Removes up to `max` bytes from the front. The result is fresh, never a part of the state. */
export function takeChunks(q: ReceiveQueue, max: number): Bytes[] {
  if (q.bytes <= max) {
    const all = q.chunks.slice()
    q.chunks = []
    q.bytes = 0
    return all
  }
  const taken: Bytes[] = []
  let left = max
  let used = 0
  while (left > 0) {
    const chunk = q.chunks[used]!
    if (chunk.length > left) {
      taken.push(chunk.subarray(0, left))
      q.chunks[used] = chunk.subarray(left)
      left = 0
    } else {
      taken.push(chunk)
      left -= chunk.length
      used += 1
    }
  }
  q.chunks.splice(0, used)
  q.bytes -= max
  return taken
}
