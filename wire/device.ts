import { getSystemErrorName } from 'node:util'

/**
 * Something outside that frames come from and go to: a TAP, a network card, a raw socket. One file a
 * device; `test/wire/device.test.ts` holds every one to the same behaviour.
 */
export interface FrameDevice {
  readonly name: string
  /** What a frame is: with its Ethernet header, or an IP packet. */
  readonly layer: 'ethernet' | 'ip'
  /** The largest IP packet, bytes. */
  readonly mtu: number
  /** Starts reading. `ready` is called when frames wait, after `receive` had found none. */
  listen(ready: () => void): void
  /**
   * Hands over at most `max` frames, in order. The bytes are valid during the call only.
   * @returns how many.
   */
  receive(take: TakeFrame, max: number): number
  /** The first `length` bytes. @returns `length`, or a negative errno. Never waits. */
  send(frame: Uint8Array, length: number): number
  stats(): DeviceStats
  /** Where the kernel leaves cutting to the card, in both directions. */
  readonly large?: LargeFrames
  /** Where frames are read from a descriptor; `null` before `listen`. */
  readonly reader?: FrameReader | null
  /** What put an end to it, an errno; 0 while it works. */
  readonly failure: number
  /** Leaves nothing behind that was not there before. May be called again. */
  close(): Promise<void>
}

/** A descriptor, and who waits for it: by itself a thread of its own, which then calls `ready`. */
export interface FrameReader {
  readonly fd: number
  /** From now on the caller waits for it, and `receive` reads it. @returns whether that can be now. */
  claim(): boolean
  release(): void
}

/** Segments larger than a frame, which a card would cut; see `offload.ts`. */
export interface LargeFrames {
  /** Frames of up to so many bytes are handed over whole; those of the MTU always are. */
  largest: number
  /** As `send`, with an offload header before the frame; `length` counts it. */
  send(bytes: Uint8Array, length: number): number
}

/** One frame: `length` bytes of `slab` from `offset`. */
export type TakeFrame = (slab: Uint8Array, offset: number, length: number) => void

export interface DeviceStats {
  readonly received: number
  readonly sent: number
  /** Frames that the kernel dropped, because nobody read them in time. */
  readonly kernelDrops: number
  /** How often reading had to wait for us. */
  readonly ringFull: number
  readonly sendErrors: number
}

/** EMSGSIZE. */
export const TOO_LONG = -90

/** EBADFD, which Node has no name for: the device was taken away. */
const BAD_DESCRIPTOR = 77

export const errorName = (errno: number): string =>
  Math.abs(errno) === BAD_DESCRIPTOR ? 'EBADFD' : getSystemErrorName(-Math.abs(errno))
