import type { IpAddress } from '../address.ts'
import { assert } from '../assert.ts'
import type { SocketId } from './socket.ts'

/**
 * Which socket gets a segment or datagram: one table a transport protocol.
 *
 * Connections sit in an open-addressed hash table in one plain array, four words a slot: socket,
 * both ports, remote address, local address. IPv4 addresses are small integers, so the array stays
 * unboxed; an IPv6 address is its text and compares as one. Collisions go to the next slot, a
 * removal moves later ones back (no tombstones), and the table grows when four fifths of it are full.
 */
export interface Demux {
  /** Makes the hash of addresses from outside unpredictable (and the ports, RFC 6056). */
  readonly secret: number
  slots: (IpAddress | number)[]
  connections: number
  /** By local port. */
  listeners: Map<number, Listener[]>
  /** Ports of sockets that are bound and do nothing with it yet. */
  bound: number[]
  ephemeral: EphemeralPorts
}

interface Listener {
  /** `null`: any address. */
  readonly address: IpAddress | null
  readonly socket: SocketId
  /** SO_REUSEPORT: it shares what comes in with others of the same address. */
  readonly spreads: boolean
}

/** What the choice of the next ephemeral port remembers; see `ephemeral-port.ts`. */
export interface EphemeralPorts {
  /** RFC 6056 §3.3.3 `next_ephemeral`. */
  next: number
  /** The peer for which the preferred range was last found full, and `removals` at that time. */
  fullFor: number
  fullAt: number
  removals: number
}

export const NO_SOCKET: SocketId = -1

const WORDS = 4
const PORTS = 1
const REMOTE = 2
const LOCAL = 3
/** An empty slot has `NO_SOCKET` in every word. */
const SLOTS_MIN = 8

/** `secret`: any 32-bit integer, one a host. */
export const createDemux = (secret: number): Demux => ({
  secret: secret | 0,
  slots: Array.from({ length: SLOTS_MIN * WORDS }, () => NO_SOCKET),
  connections: 0,
  listeners: new Map(),
  bound: [],
  ephemeral: { next: 0, fullFor: 0, fullAt: -1, removals: 0 },
})

/** The connection's socket, or `NO_SOCKET`. */
export function findConnection(
  demux: Demux,
  localPort: number,
  remotePort: number,
  remote: IpAddress,
  local: IpAddress,
): SocketId {
  const slots = demux.slots
  const at = locate(slots, demux.secret, pairPorts(localPort, remotePort), remote, local)
  return slots[at] as SocketId
}

/** `false`, and no change, where these four already belong to a socket. */
export function addConnection(
  demux: Demux,
  localPort: number,
  remotePort: number,
  remote: IpAddress,
  local: IpAddress,
  socket: SocketId,
): boolean {
  assert(socket >= 0, 'socket numbers are not negative')
  const ports = pairPorts(localPort, remotePort)
  const at = locate(demux.slots, demux.secret, ports, remote, local)
  if (demux.slots[at] !== NO_SOCKET) return false
  putSlot(demux.slots, at, socket, ports, remote, local)
  demux.connections += 1
  if (5 * WORDS * demux.connections >= 4 * demux.slots.length) grow(demux)
  return true
}

/** `false` where there was no such connection. */
export function removeConnection(
  demux: Demux,
  localPort: number,
  remotePort: number,
  remote: IpAddress,
  local: IpAddress,
): boolean {
  const slots = demux.slots
  const ports = pairPorts(localPort, remotePort)
  let hole = locate(slots, demux.secret, ports, remote, local)
  if (slots[hole] === NO_SOCKET) return false
  const wrap = slots.length - 1
  // Whoever was pushed past the hole moves into it, and leaves the next one.
  for (let at = (hole + WORDS) & wrap; slots[at] !== NO_SOCKET; at = (at + WORDS) & wrap) {
    const home = homeOfSlot(slots, at, demux.secret)
    if (((at - home) & wrap) < ((at - hole) & wrap)) continue
    moveSlot(slots, at, hole)
    hole = at
  }
  putSlot(slots, hole, NO_SOCKET, NO_SOCKET, NO_SOCKET, NO_SOCKET)
  demux.connections -= 1
  demux.ephemeral.removals += 1
  return true
}

/** Who may share an address (`null`: any) and a port is decided elsewhere; see `port-conflict.ts`. */
export function addListener(
  demux: Demux,
  address: IpAddress | null,
  port: number,
  socket: SocketId,
  spreads = false,
): void {
  const listener = { address, socket, spreads }
  const listeners = demux.listeners.get(port)
  if (listeners === undefined) demux.listeners.set(port, [listener])
  else listeners.push(listener)
}

/** `false` where it was none of that port. */
export function removeListener(demux: Demux, port: number, socket: SocketId): boolean {
  const listeners = demux.listeners.get(port)
  const index = listeners?.findIndex((listener) => listener.socket === socket) ?? -1
  if (listeners === undefined || index < 0) return false
  if (listeners.length === 1) demux.listeners.delete(port)
  else listeners.splice(index, 1)
  demux.ephemeral.removals += 1
  return true
}

/**
 * The listener for what comes to `address`, most specific first, or `NO_SOCKET`. Of several with the same
 * address it is the one that was bound last, as in Linux, unless they spread what comes.
 */
export function findListener(
  demux: Demux,
  address: IpAddress,
  port: number,
  remote: IpAddress = 0,
  remotePort = 0,
): SocketId {
  const listeners = demux.listeners.get(port)
  if (listeners === undefined) return NO_SOCKET
  let found: Listener | null = null
  for (let i = 0; i < listeners.length; i++) {
    const listener = listeners[i]!
    if (listener.address === address) found = listener
    else if (listener.address === null && (found === null || found.address === null)) {
      found = listener
    }
  }
  if (found === null) return NO_SOCKET
  if (!found.spreads || listeners.length === 1) return found.socket
  const hash = hashTuple(demux.secret, pairPorts(port, remotePort), remote, address)
  return oneOf(listeners, found.address, hash)
}

/** Always the same one for the same peer, for as long as the same sockets are open. */
function oneOf(listeners: readonly Listener[], address: IpAddress | null, hash: number): SocketId {
  const all = listeners.filter((each) => each.address === address && each.spreads)
  return all[(hash >>> 0) % all.length]!.socket
}

/** Everybody who hears what comes to all: those bound to the address itself, then those to none. */
export function listenersOf(demux: Demux, address: IpAddress, port: number): readonly SocketId[] {
  const listeners = demux.listeners.get(port) ?? NONE
  const own = listeners.filter((each) => each.address === address)
  const others = listeners.filter((each) => each.address === null)
  return [...own, ...others].map(({ socket }) => socket)
}

const NONE: readonly Listener[] = []

/** Somebody listens there. */
export const hasListener = (demux: Demux, port: number): boolean => demux.listeners.has(port)

/** Any two words and a secret to 32 well-mixed bits. */
export function hashTuple(
  secret: number,
  ports: number,
  remote: IpAddress,
  local: IpAddress,
): number {
  let h = secret ^ ports
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ wordOf(remote), 0xc2b2ae35)
  h = (h << 13) | (h >>> 19)
  h = Math.imul(h ^ wordOf(local), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function wordOf(address: IpAddress): number {
  if (typeof address === 'number') return address
  // FNV-1a; an IPv6 address is at most 39 characters.
  let h = 0x811c9dc5 | 0
  for (let i = 0; i < address.length; i++) h = Math.imul(h ^ address.charCodeAt(i), 0x01000193)
  return h
}

export const pairPorts = (local: number, remote: number): number => (local << 16) | remote

/** The index of the slot that holds the connection, or of the empty one where it belongs. */
function locate(
  slots: Demux['slots'],
  secret: number,
  ports: number,
  remote: IpAddress,
  local: IpAddress,
): number {
  const wrap = slots.length - 1
  let at = (hashTuple(secret, ports, remote, local) << 2) & wrap
  while (slots[at] !== NO_SOCKET) {
    if (slots[at + PORTS] === ports && slots[at + REMOTE] === remote && slots[at + LOCAL] === local)
      break
    at = (at + WORDS) & wrap
  }
  return at
}

function homeOfSlot(slots: Demux['slots'], at: number, secret: number): number {
  const ports = slots[at + PORTS] as number
  return (
    (hashTuple(secret, ports, slots[at + REMOTE]!, slots[at + LOCAL]!) << 2) & (slots.length - 1)
  )
}

function putSlot(
  slots: Demux['slots'],
  at: number,
  socket: SocketId,
  ports: number,
  remote: IpAddress,
  local: IpAddress,
): void {
  slots[at] = socket
  slots[at + PORTS] = ports
  slots[at + REMOTE] = remote
  slots[at + LOCAL] = local
}

function moveSlot(slots: Demux['slots'], from: number, to: number): void {
  for (let word = 0; word < WORDS; word++) slots[to + word] = slots[from + word]!
}

function grow(demux: Demux): void {
  const old = demux.slots
  // Doubled, then emptied: unlike `new Array(n)` this gives V8's fastest kind, without holes.
  const slots = old.concat(old).fill(NO_SOCKET)
  for (let at = 0; at < old.length; at += WORDS) {
    if (old[at] === NO_SOCKET) continue
    const [socket, ports] = [old[at] as SocketId, old[at + PORTS] as number]
    const [remote, local] = [old[at + REMOTE]!, old[at + LOCAL]!]
    putSlot(slots, locate(slots, demux.secret, ports, remote, local), socket, ports, remote, local)
  }
  demux.slots = slots
}
