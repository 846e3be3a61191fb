import { parseEthernet, writeEthernetFrame } from '../protocols/ethernet/codec.ts'
import { readMac } from '../protocols/address.ts'
import { u16 } from '../protocols/bytes.ts'
import { ETHERNET_HEADER, EthernetFrame } from '../protocols/ethernet/frame.ts'
import { Opaque } from '../protocols/payload.ts'
import type { Node } from '../sim/node.ts'
import type { FrameDevice, TakeFrame } from './device.ts'
import type { Dressing } from './dressing.ts'

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
  readonly #out = new Uint8Array(LONGEST)

  /** `dressing`: for a device without Ethernet. */
  constructor(device: FrameDevice, node: Node, dressing: Dressing | null) {
    this.device = device
    this.node = node
    this.#dressing = dressing
    node.outside = (frame) => this.#send(frame)
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
    else this.inbox.push(slab.slice(offset, offset + length))
  }

  #send(frame: EthernetFrame): void {
    const { size } = frame
    writeEthernetFrame(this.#out, 0, frame)
    if (this.#dressing === null) {
      this.device.send(this.#out, size)
      return
    }
    const answer = this.#dressing.answer(frame)
    // It is heard behind the step that asked.
    if (answer !== null) this.inbox.push(answer)
    else if (frame.payload.kind === 'ipv4') {
      const packet = this.#out.subarray(ETHERNET_HEADER, size)
      this.device.send(packet, packet.length)
    }
  }
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
