import { BROADCAST_MAC, isMulticastMac, type Mac } from '../address.ts'
import type { Engine, Out } from '../engine.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import type { EthernetFrame, EthernetPayload } from './frame.ts'

/**
 * A transparent learning bridge, IEEE 802.1D-2004 clause 7: it learns behind which port an address
 * is from the frames that come in, sends a frame there and nowhere else, and everywhere else what
 * it knows no port for. It has no address, changes no frame and takes no time of its own; links
 * have the rates and the delays.
 *
 * Left out: the spanning tree (clause 17), so its links must not form a loop, and VLANs.
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
  table: Map<Mac, SwitchEntry>
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
): SwitchState => ({ ports, ageing, tableSize, table: new Map() })

export const switchEngine: Engine<SwitchState, never, EthernetFrame, SwitchEvent> = {
  name: 'switch',

  step(state, now, input, out) {
    // Nobody calls a switch, and it sets no timer.
    if (input.kind !== 'packet') return
    const { packet: frame, port } = input
    learn(state, now, frame.source, port, out)
    forward(state, now, frame, port, out)
  },
}

/** IEEE 802.1D-2004 §7.8. */
function learn(state: SwitchState, now: Nanos, mac: Mac, port: number, out: SwitchOut): void {
  const entry = state.table.get(mac)
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
  state.table.set(mac, { port, usableUntil: now + state.ageing })
  out.event({ kind: 'learned', mac, port })
}

/** IEEE 802.1D-2004 §7.8: an entry may go to make room. The one that was silent for the longest. */
function makeRoom(state: SwitchState, now: Nanos, out: SwitchOut): void {
  let oldest: Mac | null = null
  let oldestUntil = NEVER
  // A Map iterates in insertion order, so a tie has one answer.
  for (const [mac, { usableUntil }] of state.table) {
    if (usableUntil >= oldestUntil) continue
    oldest = mac
    oldestUntil = usableUntil
  }
  if (oldest !== null) forget(state, oldest, now >= oldestUntil ? 'aged' : 'full', out)
}

function forget(state: SwitchState, mac: Mac, why: 'aged' | 'full', out: SwitchOut): void {
  state.table.delete(mac)
  out.event({ kind: 'forgotten', mac, why })
}

/** IEEE 802.1D-2004 §7.7. */
function forward(
  state: SwitchState,
  now: Nanos,
  frame: EthernetFrame,
  from: number,
  out: SwitchOut,
): void {
  const { destination } = frame
  if (destination === BROADCAST_MAC) return flood(state, frame, from, out)
  const entry = state.table.get(destination)
  if (entry === undefined) {
    if (isReserved(destination)) return drop(frame, 'switch reserved address', out)
    return flood(state, frame, from, out)
  }
  if (now >= entry.usableUntil) {
    forget(state, destination, 'aged', out)
    return flood(state, frame, from, out)
  }
  // Whoever it is for has it already.
  if (entry.port === from) return drop(frame, 'switch same port', out)
  out.send(frame, entry.port)
}

/** To every port but the one it came from, in their order. */
function flood(state: SwitchState, frame: EthernetFrame, from: number, out: SwitchOut): void {
  for (let port = 0; port < state.ports; port++) if (port !== from) out.send(frame, port)
}

function drop(frame: EthernetFrame, why: string, out: SwitchOut): void {
  out.event({ kind: 'dropped', why, packet: frame.payload })
}

/** IEEE 802.1D-2004 table 7-10: for bridges themselves, and never passed on. */
const isReserved = (mac: Mac): boolean => mac.startsWith('01:80:c2:00:00:0')
