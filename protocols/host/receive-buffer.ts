import { UDP_HEADER } from '../udp/datagram.ts'
import { IPV4_HEADER } from '../ipv4/packet.ts'
import type { UdpSocket } from './state.ts'

/*
 * What SO_RCVBUF of a UDP socket means: the memory that Linux charges for the datagrams that wait, not
 * their bytes. The figures are those of Linux 6.18 on 64 bits, of datagrams over its loopback.
 */

/** Linux's net.core.rmem_default. */
export const RECEIVE_BUFFER = 212_992
/** Linux's SOCK_MIN_RCVBUF: less is not taken. */
const RECEIVE_BUFFER_MIN = 2304

/** `struct sk_buff`, and `struct skb_shared_info` behind the bytes. */
const BOOKKEEPING = 256
const BEHIND = 320
/** Room for a link's header and its alignment, in front of the bytes. */
const IN_FRONT = 31
const LINE = 64
/** What memory is had in: one small size, then powers of two, up to the largest. */
const SMALL = 576
const LARGE = 16_384

/** What a datagram of so many bytes takes of the buffer. */
export function chargeOf(payloadBytes: number): number {
  const written = payloadBytes + UDP_HEADER + IPV4_HEADER + IN_FRONT
  const wanted = Math.ceil(written / LINE) * LINE + BEHIND
  if (wanted <= SMALL) return BOOKKEEPING + SMALL
  if (wanted > LARGE) return BOOKKEEPING + SMALL + payloadBytes // the rest lies in pages of its own
  let block = 2 * LINE
  while (block < wanted) block *= 2
  return BOOKKEEPING + block
}

/** Whether there is room for another one: always, where none waits. */
export function hasRoom({ held, receiveBuffer }: UdpSocket, payloadBytes: number): boolean {
  return held === 0 || held + chargeOf(payloadBytes) <= receiveBuffer
}

/** Linux doubles what is set, for its book-keeping, and tells the doubled value. */
export const doubled = (bytes: number): number => Math.max(2 * bytes, RECEIVE_BUFFER_MIN)
