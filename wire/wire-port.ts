import { parseEthernet, writeEthernetFrame } from '../protocols/ethernet/codec.ts'
import { readMac } from '../protocols/address.ts'
import { u16 } from '../protocols/bytes.ts'
import { ETHERNET_HEADER, EthernetFrame } from '../protocols/ethernet/frame.ts'
import { Opaque } from '../protocols/payload.ts'
import type { Node } from '../sim/node.ts'
import { LINK_PORT } from '../sim/binding.ts'
import { Coalescing, payloadOf } from './coalescing.ts'
import type { FrameDevice, TakeFrame } from './device.ts'
import type { Dressing } from './dressing.ts'
import { libc } from './native.ts'
import { OFFLOAD_HEADER, orderCutting } from './offload.ts'

const LONGEST = 65_600

/** Joins a device with the node of a world that leads to it. */
export class WirePort {
  readonly device: FrameDevice
  readonly node: Node
  /** Ethernet frames that have come in and were not handed on yet, from `next` on. */
  readonly inbox: Uint8Array[] = []
  next = 0
  /** Frames that nothing could be done with: no Ethernet header, nobody to get them. */
  unusable = 0
  readonly #dressing: Dressing | null
  readonly #coalescing: Coalescing | null
  /** An offload header, for devices that have one, and the frame. */
  readonly #whole = new Uint8Array(OFFLOAD_HEADER + LONGEST)
  readonly #out = this.#whole.subarray(OFFLOAD_HEADER)

  /** `dressing`: for a device without Ethernet. */
  constructor(device: FrameDevice, node: Node, dressing: Dressing | null) {
    this.device = device
    this.node = node
    this.#dressing = dressing
    this.#coalescing = device.large === undefined ? null : new Coalescing(device.large)
    // What the link behind carries need not be cut before it.
    if (device.large !== undefined) {
      device.large.largest = node.ports[LINK_PORT]!.options.mtu + ETHERNET_HEADER
    }
    node.outside = (frame) => this.#send(frame)
  }

  /** Sends what is collected. */
  flush(): void {
    this.#coalescing?.flush()
  }

  /** Takes at most `max` frames from the device into the inbox. @returns whether any came. */
  fetch(max: number): boolean {
    return this.device.receive(this.#take, max) > 0
  }

  readonly #take: TakeFrame = (slab, offset, length) => {
    if (this.#dressing !== null) {
      const frame = this.#dressing.dressed(slab, offset, length)
      if (frame === null) this.unusable += 1
      else this.inbox.push(frame)
    } else if (length < ETHERNET_HEADER) this.unusable += 1
    else this.inbox.push(copyOf(slab, offset, length))
  }

  #send(frame: EthernetFrame): void {
    const { size } = frame
    writeEthernetFrame(this.#out, 0, frame)
    if (this.#dressing === null) return this.#sendFrame(size)
    const answer = this.#dressing.answer(frame)
    // It is heard behind the step that asked.
    if (answer !== null) this.inbox.push(answer)
    else if (frame.payload.kind === 'ipv4') {
      const packet = this.#out.subarray(ETHERNET_HEADER, size)
      this.device.send(packet, packet.length)
    }
  }

  #sendFrame(size: number): void {
    const coalescing = this.#coalescing
    const tooLong = size > this.device.mtu + ETHERNET_HEADER
    if (coalescing !== null && !tooLong && coalescing.add(this.#out, size)) return
    coalescing?.flush()
    const payload = tooLong && coalescing !== null ? payloadOf(this.#out, size) : 0
    if (payload === 0) {
      this.device.send(this.#out, size)
      return
    }
    // It came whole from a kernel, and another one cuts it.
    const piece = this.device.mtu - (size - payload - ETHERNET_HEADER)
    orderCutting(this.#whole, OFFLOAD_HEADER + size, piece)
    this.device.large!.send(this.#whole, OFFLOAD_HEADER + size)
  }
}

/** V8 copies out of shared memory word by word; for large frames a call of C is worth its price. */
const WORTH_A_CALL = 4096

function copyOf(slab: Uint8Array, offset: number, length: number): Uint8Array {
  if (length < WORTH_A_CALL) return slab.slice(offset, offset + length)
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  libc().memcpy(copy, slab.subarray(offset, offset + length), length)
  return copy
}

/** Reads a frame with all that is in it. */
export function readWhole(bytes: Uint8Array): EthernetFrame {
  const read = parseEthernet(bytes)
  if (!read.ok) throw new RangeError('a frame has an Ethernet header')
  return read.value
}

/** Reads the Ethernet header only: for worlds in which nobody looks further. */
export const readHeader = (bytes: Uint8Array): EthernetFrame =>
  new EthernetFrame(
    readMac(bytes, 0),
    readMac(bytes, 6),
    u16(bytes, 12),
    new Opaque(bytes.subarray(ETHERNET_HEADER)),
  )
