import { EthernetFrame, NO_TAG } from './frame.ts'

/*
 * Virtual LANs, IEEE 802.1Q-2018: which VLAN a frame belongs to when it comes in at a port, and
 * with which tag it leaves by another.
 */

/** Of the 12 bits of a VLAN identifier two values are taken (IEEE 802.1Q-2018 table 9-2). */
export const VLAN_MIN = 1
export const VLAN_MAX = 4094

/** What a port of a switch carries. */
export interface VlanPort {
  /** The PVID: the VLAN of frames without a tag, both ways; 0: there are none. */
  readonly untagged: number
  /** VLANs that pass with their tags; `null`: all. */
  readonly tagged: readonly number[] | null
}

/** The VLAN identifier on the wire; 0: none, which a tag for the priority alone says too (§6.9). */
export const vlanOf = ({ tag }: EthernetFrame): number => (tag === NO_TAG ? 0 : tag & 0xfff)

/** IEEE 802.1Q-2018 §6.9.1 and §8.6.2: the frame's VLAN at this port, 0 where it may not come in. */
export function vlanIn({ untagged, tagged }: VlanPort, frame: EthernetFrame): number {
  const id = vlanOf(frame)
  if (id === 0) return untagged
  if (id > VLAN_MAX) return 0
  return tagged === null || tagged.includes(id) ? id : 0
}

/** §8.6.4: the frame as it leaves by a port, `null` where its VLAN does not pass there. */
export function vlanOut(
  { untagged, tagged }: VlanPort,
  vlan: number,
  frame: EthernetFrame,
): EthernetFrame | null {
  if (vlan === untagged) return withTag(frame, NO_TAG)
  if (tagged !== null && !tagged.includes(vlan)) return null
  // The priority of a tag that it came with stays.
  const priority = frame.tag === NO_TAG ? 0 : frame.tag & 0xf000
  return withTag(frame, priority | vlan)
}

/** The frame with another tag, or without (`NO_TAG`); itself where that is so already. */
export const withTag = (frame: EthernetFrame, tag: number): EthernetFrame =>
  frame.tag === tag
    ? frame
    : new EthernetFrame(frame.destination, frame.source, frame.etherType, frame.payload, tag)
