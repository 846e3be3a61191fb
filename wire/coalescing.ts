import { i32, u16 } from '../protocols/bytes.ts'
import type { LargeFrames } from './device.ts'
import { COMPLETE, OFFLOAD_HEADER, orderCutting } from './offload.ts'

/*
 * TCP segments that follow each other leave as one large one, which the kernel takes in one piece:
 * the card's offload, the other way round. What is put together here could be cut into the very
 * same frames again.
 */
const ETHERNET = 14
const [ETHERTYPE, IPV4_AND_TCP] = [0x0800, 0x4506]
const [IP_FRAGMENT, IP_PROTOCOL] = [ETHERNET + 6, ETHERNET + 9]
const TCP = ETHERNET + 20
const [SEQ, OFFSET, FLAGS] = [TCP + 4, TCP + 12, TCP + 13]
const [ACK, PSH] = [0x10, 0x08]
/** The longest IPv4 packet, with its Ethernet header. */
const LONGEST = ETHERNET + 65_535

/** Collects the frames of one device until `flush`. */
export class Coalescing {
  readonly #large: LargeFrames
  /** An offload header, and the frame so far. */
  readonly #out = new Uint8Array(OFFLOAD_HEADER + LONGEST + 1)
  #length = 0
  #header = 0
  /** Payload of each segment but the last. */
  #piece = 0
  #pieces = 0
  #last = 0

  constructor(large: LargeFrames) {
    this.#large = large
  }

  /** Takes a frame, or refuses one that is not of a kind that can be joined. */
  add(frame: Uint8Array, length: number): boolean {
    const payload = payloadOf(frame, length)
    if (payload === 0) return false
    if (this.#continues(frame, length, payload)) {
      const from = length - payload
      this.#out.set(frame.subarray(from, length), OFFLOAD_HEADER + this.#length)
      this.#out[OFFLOAD_HEADER + FLAGS]! |= frame[FLAGS]!
      this.#length += payload
      this.#pieces += 1
      this.#last = payload
      return true
    }
    this.flush()
    this.#out.set(frame.subarray(0, length), OFFLOAD_HEADER)
    this.#length = length
    this.#header = length - payload
    this.#piece = payload
    this.#last = payload
    this.#pieces = 1
    return true
  }

  flush(): void {
    if (this.#pieces === 0) return
    const length = OFFLOAD_HEADER + this.#length
    if (this.#pieces === 1) this.#out.set(COMPLETE)
    else orderCutting(this.#out, length, this.#piece)
    this.#pieces = 0
    this.#large.send(this.#out, length)
  }

  /** The same connection, the next byte, and nothing else that differs. */
  #continues(frame: Uint8Array, length: number, payload: number): boolean {
    if (this.#pieces === 0 || this.#last !== this.#piece || payload > this.#piece) return false
    if (length - payload !== this.#header || this.#length + payload > LONGEST) return false
    const out = this.#out
    const at = OFFLOAD_HEADER
    const sent = this.#length - this.#header
    if (i32(frame, SEQ) !== ((i32(out, at + SEQ) + sent) | 0)) return false
    if ((out[at + FLAGS]! & PSH) !== 0) return false
    for (let i = 0; i < this.#header; i++) {
      if (frame[i] !== out[at + i] && !MAY_DIFFER.has(i)) return false
    }
    return true
  }
}

/** IP's length, identification and checksum; TCP's sequence number, flags and checksum. */
const MAY_DIFFER: ReadonlySet<number> = new Set([
  ...[2, 3, 4, 5, 10, 11].map((i) => ETHERNET + i),
  ...[4, 5, 6, 7, 13, 16, 17].map((i) => TCP + i),
])

/** Of a whole TCP segment over IPv4 without options that only carries data; else 0. */
export function payloadOf(frame: Uint8Array, length: number): number {
  if (length < TCP + 20 || u16(frame, 12) !== ETHERTYPE) return 0
  if (((frame[ETHERNET]! << 8) | frame[IP_PROTOCOL]!) !== IPV4_AND_TCP) return 0
  if ((u16(frame, IP_FRAGMENT) & 0x3fff) !== 0) return 0
  if ((frame[FLAGS]! & ~PSH) !== ACK) return 0
  return Math.max(length - TCP - (frame[OFFSET]! >>> 4) * 4, 0)
}
