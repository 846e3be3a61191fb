import type { Endpoint, IpAddress, Mac } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { EthernetPayload } from '../ethernet/frame.ts'
import type { TransportPayload } from '../ipv4/packet.ts'
import type { Seq } from '../sequence.ts'
import type { FastOpenOutcome } from '../tcp/fast-open.ts'
import type { RetransmitCause, TcpStateName } from '../tcp/state.ts'
import type { Nanos } from '../time.ts'
import type { SocketEvent, SocketId } from './socket.ts'

/** Why a host let a packet go. Malformations carry the layer's name in front. */
export type HostDropReason = string

/** Everything a host says about itself: to its applications, and to whoever keeps the trace. */
export type HostEvent =
  | SocketEvent
  | {
      readonly kind: 'dropped'
      readonly why: HostDropReason
      readonly packet: EthernetPayload | TransportPayload
    }
  | {
      readonly kind: 'tcp-state'
      readonly socket: SocketId
      readonly from: TcpStateName
      readonly to: TcpStateName
    }
  /** Said before the segment itself is sent. `count`: how often this has happened in a row. */
  | {
      readonly kind: 'retransmit'
      readonly socket: SocketId
      readonly cause: RetransmitCause
      readonly seq: Seq
      readonly count: number
      readonly rto: Nanos
    }
  | { readonly kind: 'spurious'; readonly socket: SocketId; readonly seq: Seq }
  | { readonly kind: 'rtt'; readonly socket: SocketId; readonly rtt: Nanos; readonly srtt: Nanos }
  | { readonly kind: 'timer'; readonly socket: SocketId; readonly name: string }
  /** Full segments vanish without a word: from now on they carry at most `mss` bytes. */
  | { readonly kind: 'black-hole'; readonly socket: SocketId; readonly mss: number }
  /** TCP Fast Open. `cookie` and the MSS beside it: where the peer has given one. */
  | {
      readonly kind: 'fast-open'
      readonly socket: SocketId
      readonly outcome: FastOpenOutcome
      readonly cookie: Bytes
      readonly mss: number
      readonly local: Endpoint
      readonly remote: Endpoint
    }
  | { readonly kind: 'neighbour'; readonly address: IpAddress; readonly mac: Mac | null }
  /** Another station has an address of ours; `mac` is `null` where it does not say its own. */
  | { readonly kind: 'address-conflict'; readonly address: IpAddress; readonly mac: Mac | null }
  /** An address that was claimed (RFC 5227, RFC 4862) may be used from now on, or no longer. */
  | { readonly kind: 'address'; readonly address: IpAddress; readonly usable: boolean }
  /** A default router came or went; `null`: none has answered (RFC 4861 §6.3.7). */
  | { readonly kind: 'router'; readonly address: IpAddress | null; readonly usable: boolean }
  /** What reaches a destination in one piece has become known, bytes of an IP packet. */
  | { readonly kind: 'path-mtu'; readonly address: IpAddress; readonly mtu: number }
