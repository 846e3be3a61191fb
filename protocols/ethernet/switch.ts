import { BROADCAST_MAC, isMulticastMac, type Mac } from '../address.ts'
import type { Engine, Out } from '../engine.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import type { EthernetFrame, EthernetPayload } from './frame.ts'
import { type VlanPort, vlanIn, vlanOut } from './vlan.ts'

/**
 * A transparent learning bridge, IEEE 802.1D-2004 clause 7: it learns behind which port an address
 * is from the frames that come in, sends a frame there and nowhere else, and everywhere else what
 * it knows no port for. It has no address, changes no frame and takes no time of its own; links
 * have the rates and the delays.
 *
 * With VLANs (IEEE 802.1Q-2018) it is several bridges in one: each VLAN has a table of its own, and a
 * frame leaves by those ports alone that carry its VLAN.
 *
 * Left out: the spanning tree (clause 17), so its links must not form a loop.
 */

/** IEEE 802.1D-2004 table 7-5: how long an address counts that is not heard of again. */
export const SWITCH_AGEING: Nanos = s(300)
/** Addresses. What a small switch has room for. */
export const SWITCH_TABLE_SIZE = 1024

export interface SwitchState {
  /** How many. */
  readonly ports: number
  readonly ageing: Nanos
  readonly tableSize: number
  /** What each port carries; `null`: it knows no VLANs, and tags pass as they are. */
  readonly vlans: readonly VlanPort[] | null
  /** By address; with VLANs by both, see `placeOf`. */
  table: Map<string, SwitchEntry>
}

/**
 * Where an address is. Entries age without a timer, so that a quiet switch has nothing to do: one
 * whose time is over counts for nothing and goes when it is next looked at.
 */
export interface SwitchEntry {
  port: number
  usableUntil: Nanos
}

export type SwitchEvent =
  /** The address was not known, or was behind another port. */
  | { readonly kind: 'learned'; readonly mac: Mac; readonly port: number }
  /** Its time was over, or the table was full and nobody had been silent for longer. */
  | { readonly kind: 'forgotten'; readonly mac: Mac; readonly why: 'aged' | 'full' }
  | { readonly kind: 'dropped'; readonly why: string; readonly packet: EthernetPayload }

export type SwitchOut = Out<EthernetFrame, SwitchEvent>

export const createSwitch = (
  ports: number,
  ageing: Nanos = SWITCH_AGEING,
  tableSize: number = SWITCH_TABLE_SIZE,
  vlans: readonly VlanPort[] | null = null,
): SwitchState => ({ ports, ageing, tableSize, vlans, table: new Map() })

export const switchEngine: Engine<SwitchState, never, EthernetFrame, SwitchEvent> = {
  name: 'switch',

  step(state, now, input, out) {
    // Nobody calls a switch, and it sets no timer.
    if (input.kind !== 'packet') return
    const { packet: frame, port } = input
    const { vlans } = state
    const vlan = vlans === null ? 0 : vlanIn(vlans[port]!, frame)
    if (vlans !== null && vlan === 0) return drop(frame, 'switch vlan not carried', out)
    learn(state, now, frame.source, vlan, port, out)
    forward(state, now, frame, vlan, port, out)
  },
}

/** `02:00:00:00:00:01` */
const MAC_TEXT = 17

/** IEEE 802.1D-2004 §7.8. */
function learn(
  state: SwitchState,
  now: Nanos,
  mac: Mac,
  vlan: number,
  port: number,
  out: SwitchOut,
): void {
  const place = placeOf(mac, vlan)
  const entry = state.table.get(place)
  if (entry !== undefined) {
    const moved = entry.port !== port || now >= entry.usableUntil
    entry.port = port
    entry.usableUntil = now + state.ageing
    if (moved) out.event({ kind: 'learned', mac, port })
    return
  }
  // A group is nowhere: nothing can have been sent by it.
  if (isMulticastMac(mac)) return
  if (state.table.size >= state.tableSize) makeRoom(state, now, out)
  state.table.set(place, { port, usableUntil: now + state.ageing })
  out.event({ kind: 'learned', mac, port })
}

/** IEEE 802.1D-2004 §7.8: an entry may go to make room. The one that was silent for the longest. */
function makeRoom(state: SwitchState, now: Nanos, out: SwitchOut): void {
  let oldest: string | null = null
  let oldestUntil = NEVER
  // A Map iterates in insertion order, so a tie has one answer.
  for (const [place, { usableUntil }] of state.table) {
    if (usableUntil >= oldestUntil) continue
    oldest = place
    oldestUntil = usableUntil
  }
  if (oldest !== null) forget(state, oldest, now >= oldestUntil ? 'aged' : 'full', out)
}

/** Without VLANs the address alone. */
const placeOf = (mac: Mac, vlan: number): string => (vlan === 0 ? mac : `${mac} ${vlan}`)

function forget(state: SwitchState, place: string, why: 'aged' | 'full', out: SwitchOut): void {
  state.table.delete(place)
  out.event({ kind: 'forgotten', mac: place.slice(0, MAC_TEXT), why })
}

/** IEEE 802.1D-2004 §7.7. */
function forward(
  state: SwitchState,
  now: Nanos,
  frame: EthernetFrame,
  vlan: number,
  from: number,
  out: SwitchOut,
): void {
  const { destination } = frame
  if (destination === BROADCAST_MAC) return flood(state, frame, vlan, from, out)
  const place = placeOf(destination, vlan)
  const entry = state.table.get(place)
  if (entry === undefined) {
    if (isReserved(destination)) return drop(frame, 'switch reserved address', out)
    return flood(state, frame, vlan, from, out)
  }
  if (now >= entry.usableUntil) {
    forget(state, place, 'aged', out)
    return flood(state, frame, vlan, from, out)
  }
  // Whoever it is for has it already.
  if (entry.port === from) return drop(frame, 'switch same port', out)
  pass(state, frame, vlan, entry.port, out)
}

/** To every port but the one it came from, in their order. */
function flood(
  state: SwitchState,
  frame: EthernetFrame,
  vlan: number,
  from: number,
  out: SwitchOut,
): void {
  for (let port = 0; port < state.ports; port++) {
    if (port !== from) pass(state, frame, vlan, port, out)
  }
}

/** By this port, if it carries the frame's VLAN. */
function pass(
  { vlans }: SwitchState,
  frame: EthernetFrame,
  vlan: number,
  port: number,
  out: SwitchOut,
): void {
  if (vlans === null) return out.send(frame, port)
  const leaving = vlanOut(vlans[port]!, vlan, frame)
  if (leaving !== null) out.send(leaving, port)
}

function drop(frame: EthernetFrame, why: string, out: SwitchOut): void {
  out.event({ kind: 'dropped', why, packet: frame.payload })
}

/** IEEE 802.1D-2004 table 7-10: for bridges themselves, and never passed on. */
const isReserved = (mac: Mac): boolean => mac.startsWith('01:80:c2:00:00:0')
