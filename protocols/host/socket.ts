import type { Endpoint, IpAddress } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { TcpInfo } from '../tcp/info.ts'
import type { SigningKey } from '../tcp/signature.ts'
import type { TcpSocketOption } from '../tcp/socket-options.ts'

/** A socket's number, unique within its host for as long as the socket is open. */
export type SocketId = number

/** Their packets belong to flows, by ports or identifiers. */
export type FlowProtocol = 'tcp' | 'udp' | 'icmp'
export type SocketProtocol = FlowProtocol | 'raw' | 'tun'

/** What an application may ask of a host. Every call names its socket, except `open`. */
export type SocketCall =
  | { readonly kind: 'open'; readonly protocol: FlowProtocol }
  /** A raw IPv4 socket for the IP protocol `number`, one that the host does not speak itself. */
  | { readonly kind: 'open'; readonly protocol: 'raw'; readonly number: number }
  /**
   * The program's end of the host's TUN, an interface without a cable: packets that are routed there
   * are heard as datagrams with their headers, and what is sent comes in as if by a wire.
   */
  | { readonly kind: 'open'; readonly protocol: 'tun' }
  | {
      readonly kind: 'bind'
      readonly socket: SocketId
      /** `null`: any address of the host. */
      readonly address: IpAddress | null
      /** 0: the host chooses. */
      readonly port: number
    }
  /**
   * `backlog`: how many handshakes may be under way, and, where it `queues`, how many connections may
   * wait for an `accept`, which then is due for each that was `accepted`.
   */
  | {
      readonly kind: 'listen'
      readonly socket: SocketId
      readonly backlog: number
      readonly queues?: boolean
    }
  | {
      readonly kind: 'accept'
      readonly socket: SocketId
      /** Which one, where its handshake is not over (RFC 7413). */
      readonly connection?: SocketId
    }
  | { readonly kind: 'connect'; readonly socket: SocketId; readonly remote: Endpoint }
  /**
   * Of connections: `urgent`: with an urgent pointer behind the bytes (MSG_OOB); `more`: less than a
   * full segment waits for what is sent next, as under a cork (MSG_MORE); `record`: nothing that is sent
   * later shares a segment with these bytes (MSG_EOR).
   */
  | {
      readonly kind: 'send'
      readonly socket: SocketId
      readonly bytes: Bytes
      readonly urgent?: boolean
      readonly more?: boolean
      readonly record?: boolean
    }
  /**
   * Of a TCP socket that is not connected: it connects, and as many of the bytes as may go with the SYN do
   * (MSG_FASTOPEN, RFC 7413); `queued` tells how many were taken. `waits`: whoever calls sends the rest as soon
   * as the connection stands, so that its first ACK can ride on that.
   */
  | {
      readonly kind: 'send-to'
      readonly socket: SocketId
      readonly bytes: Bytes
      readonly remote: Endpoint
      readonly waits?: boolean
    }
  /** One echo request with this sequence number (ICMP sockets). */
  | {
      readonly kind: 'send-echo'
      readonly socket: SocketId
      readonly remote: IpAddress
      readonly sequence: number
      readonly bytes: Bytes
      readonly ttl: number
    }
  /** UDP sockets listen to a group; `via`: an address of the interface, `null`: the first one. */
  | {
      readonly kind: 'join'
      readonly socket: SocketId
      readonly group: IpAddress
      readonly via: IpAddress | null
    }
  | { readonly kind: 'leave'; readonly socket: SocketId; readonly group: IpAddress }
  | { readonly kind: 'receive'; readonly socket: SocketId; readonly max: number }
  /**
   * UDP sockets: nobody has asked for a datagram of so many bytes that came in, so it waits, and takes
   * room of SO_RCVBUF; `release`: it was read. Who takes each as it comes says neither.
   */
  | { readonly kind: 'hold' | 'release'; readonly socket: SocketId; readonly size: number }
  /** SHUT_RD, SHUT_WR (the default), SHUT_RDWR. */
  | { readonly kind: 'shutdown'; readonly socket: SocketId; readonly how?: ShutdownHow }
  | { readonly kind: 'close'; readonly socket: SocketId }
  | { readonly kind: 'abort'; readonly socket: SocketId }
  | ({ readonly kind: 'set'; readonly socket: SocketId } & SocketSetting)
  | { readonly kind: 'get'; readonly socket: SocketId; readonly option: ReadableOption }
  | { readonly kind: 'info'; readonly socket: SocketId }

export type ShutdownHow = 'read' | 'write' | 'both'

/** An option with a value of its kind. */
export type SocketSetting =
  | { readonly option: NumberOption; readonly value: number }
  | { readonly option: TextOption; readonly value: string }
  | { readonly option: KeyOption; readonly value: SigningKey | number }

export type SocketOption = NumberOption | TextOption | KeyOption

/**
 * What can be asked for: SO_ERROR is forgotten once it was told. SIOCATMARK, a request of Linux's ioctl:
 * 1 where the next byte to be read is the last urgent one.
 */
export type ReadableOption = SocketOption | 'SO_ERROR' | 'SO_ACCEPTCONN' | 'SIOCATMARK'

/** Linux's names, as below. */
export type TextOption =
  /** The name of a congestion control: see `tcp/congestion/`. */
  'TCP_CONGESTION'

/**
 * RFC 2385. Linux's: a key for a peer, or for all of a prefix, which is taken away again by one without
 * bytes. FreeBSD's: 1: whoever speaks with the socket must sign, with the keys of the host's policy.
 */
export type KeyOption = 'TCP_MD5SIG'

/** Linux's names. Sizes in bytes, switches 0 or 1. */
export type NumberOption =
  | TcpSocketOption
  /** 1: ACKs are sent at once for a while; 0: they may wait. */
  | 'TCP_QUICKACK'
  | 'SO_BROADCAST'
  /** Of datagrams to groups, of both families. Default 1: they stay on the link. */
  | 'IP_MULTICAST_TTL'
  /** 0: datagrams may be fragmented (the default); 2: never, as IP_PMTUDISC_DO. */
  | 'IP_MTU_DISCOVER'
  /** Raw sockets: 1: what is sent, and what comes in, begins with its IPv4 header. Default 0. */
  | 'IP_HDRINCL'
  /** TUN sockets: the interface's MTU; a request of Linux's ioctl. */
  | 'SIOCSIFMTU'

/** What a host tells an application. */
export type SocketEvent =
  /** Answers `open`, within the same step. */
  | { readonly kind: 'opened'; readonly socket: SocketId; readonly protocol: SocketProtocol }
  | {
      readonly kind: 'connected'
      readonly socket: SocketId
      readonly local: Endpoint
      readonly remote: Endpoint
    }
  | {
      readonly kind: 'accepted'
      readonly socket: SocketId
      readonly listener: SocketId
      readonly local: Endpoint
      readonly remote: Endpoint
    }
  /** Answers `send` within the same step: so many bytes were taken, from the front. */
  | { readonly kind: 'queued'; readonly socket: SocketId; readonly bytes: number }
  /** There is room to send again, after a `send` that was not taken whole. */
  | { readonly kind: 'writable'; readonly socket: SocketId; readonly space: number }
  /** In-order bytes, or the end of the stream, wait to be received. */
  | { readonly kind: 'readable'; readonly socket: SocketId; readonly available: number }
  /** The peer calls what comes urgent, up to `ahead` bytes from the next that will be read. */
  | { readonly kind: 'urgent'; readonly socket: SocketId; readonly ahead: number }
  /** Answers `receive` within the same step. `ended`: the peer sends no more, and this was all. */
  | {
      readonly kind: 'received'
      readonly socket: SocketId
      readonly chunks: readonly Bytes[]
      readonly bytes: number
      readonly ended: boolean
    }
  /**
   * A datagram came in, or what a packet of a raw socket's protocol carries, or a packet left by a TUN
   * (whose addresses these are; ports are 0).
   */
  | {
      readonly kind: 'datagram'
      readonly socket: SocketId
      readonly payload: Bytes
      readonly remote: Endpoint
      readonly local: Endpoint
    }
  /** An echo reply came in. */
  | {
      readonly kind: 'echo-reply'
      readonly socket: SocketId
      readonly remote: IpAddress
      readonly sequence: number
      readonly ttl: number
      readonly payload: Bytes
    }
  /** An ICMP error named this socket. The connection goes on unless `failed` follows. */
  | {
      readonly kind: 'icmp-error'
      readonly socket: SocketId
      readonly from: IpAddress
      /** Where the packet was going that the error quotes. */
      readonly remote: IpAddress
      readonly type: number
      readonly code: number
      /** Of an echo request; 0 otherwise. */
      readonly sequence: number
      /** What Linux calls it, and whether it is more than a hint that may pass (RFC 1122 §4.2.3.9). */
      readonly error: Errno
      readonly hard: boolean
    }
  /** A call could not be carried out; the socket is as it was. */
  | {
      readonly kind: 'rejected'
      readonly socket: SocketId
      readonly call: SocketCall['kind']
      readonly error: Errno
    }
  /** The connection broke, or did not come about. `closed` follows. */
  | { readonly kind: 'failed'; readonly socket: SocketId; readonly error: Errno }
  /** The socket is gone; its number may be used again. */
  | { readonly kind: 'closed'; readonly socket: SocketId }
  | { readonly kind: 'info'; readonly socket: SocketId; readonly info: TcpInfo }
  /** Answers `get` within the same step. SO_ERROR is the name of an error, or 0. */
  | {
      readonly kind: 'option'
      readonly socket: SocketId
      readonly option: ReadableOption
      readonly value: number | string
    }
  /** A `close` that lingers is over: everything was acknowledged, or the time has run out. */
  | { readonly kind: 'lingered'; readonly socket: SocketId; readonly done: boolean }
