import type { Endpoint, IpAddress } from '../address.ts'
import { type Demux, findConnection, hashTuple, NO_SOCKET, pairPorts } from './demux.ts'

/** The dynamic ports (RFC 6335 §6), and what serves when all of those are in use. */
const PREFERRED = 49_152
const FALLBACK = 32_768
const RANGE = 16_384

/**
 * A free local port towards `remote`; 0 where none is left. RFC 6056 §3.3.3, the simple hash-based
 * choice, with the table's keyed hash in place of MD5: ports of successive connections to one peer
 * follow each other, and say nothing about those to another.
 */
export function ephemeralPort(demux: Demux, local: IpAddress, remote: Endpoint): number {
  const memory = demux.ephemeral
  const offset = hashTuple(demux.secret, pairPorts(0, remote.port), remote.address, local)
  // A full range is not searched again until something was given back.
  const full = memory.fullFor === offset && memory.fullAt === memory.removals
  const preferred = full ? 0 : search(demux, PREFERRED, offset, local, remote)
  if (preferred !== 0) return preferred
  memory.fullFor = offset
  memory.fullAt = memory.removals
  return search(demux, FALLBACK, offset, local, remote)
}

function search(
  demux: Demux,
  first: number,
  offset: number,
  local: IpAddress,
  remote: Endpoint,
): number {
  const memory = demux.ephemeral
  for (let tries = 0; tries < RANGE; tries++) {
    const port = first + ((offset + memory.next) & (RANGE - 1))
    memory.next = (memory.next + 1) & (RANGE - 1)
    if (demux.listeners.has(port) || demux.bound.includes(port)) continue
    if (findConnection(demux, port, remote.port, remote.address, local) === NO_SOCKET) return port
  }
  return 0
}
