import { DEFAULT_TTL } from '../ipv4/packet.ts'
import { ms, s } from '../time.ts'
import { deferralOf } from './defer.ts'
import type { TcpChoices, TcpPolicy } from './policy.ts'

/** What a numeric option of a TCP socket may be, and what it changes: a socket has its own policy. */
interface TcpOption {
  readonly min: number
  readonly max: number
  read(policy: TcpPolicy): number
  write(value: number, policy: TcpPolicy): Partial<TcpChoices>
}

type Flag = 'nagle' | 'cork' | 'keepAlive' | 'noOptions' | 'reuseAddress' | 'reusePort'
type Span =
  | 'keepIdle'
  | 'keepInterval'
  | 'connectTimeout'
  | 'userTimeout'
  | 'finWait2'
  | 'deferAccept'
type Count =
  | 'trafficClass'
  | 'hopLimit'
  | 'udpPort'
  | 'keepCount'
  | 'synRetries'
  | 'mss'
  | 'sendBuffer'
  | 'receiveLowWater'
  | 'notSentLowWater'

const flag = (name: Flag): TcpOption => ({
  min: 0,
  max: 1,
  read: (policy) => Number(policy[name]),
  write: (value) => ({ [name]: value !== 0 }),
})

const span = (name: Span, unit: number, min: number, max: number): TcpOption => ({
  min,
  max,
  read: (policy) => Math.floor(policy[name] / unit),
  write: (value) => ({ [name]: value * unit }),
})

const count = (name: Count, min: number, max: number): TcpOption => ({
  min,
  max,
  read: (policy) => policy[name],
  write: (value) => ({ [name]: value }),
})

/** Seconds, TCP_FIN_TIMEOUT_MAX. */
const LINGER2_MAX = 120

const HOPS: TcpOption = {
  ...count('hopLimit', 1, 255),
  read: ({ hopLimit }) => hopLimit || DEFAULT_TTL,
}

/** Half the sequence space: what lies further apart cannot be told from what lies behind. */
const BUFFER_MAX = 2 ** 30

/** By Linux's names and, unless said otherwise, in Linux's units and within its limits. */
export const TCP_SOCKET_OPTIONS = {
  /** Bytes of payload, or of memory where the policy says so: then it is twice what was set. */
  SO_SNDBUF: {
    ...count('sendBuffer', 1, BUFFER_MAX),
    write: (value, { bufferUnit, sendBufferMin }) => ({
      sendBuffer: Math.max(value * bufferUnit, sendBufferMin),
    }),
  },
  SO_RCVBUF: {
    min: 1,
    max: BUFFER_MAX,
    read: ({ receiveBuffer, bufferUnit }) => receiveBuffer * bufferUnit,
    write: (value, { bufferUnit, receiveBufferMin }) => ({
      receiveBuffer: Math.max(value, receiveBufferMin / bufferUnit),
    }),
  },
  /** Bytes that a reader waits for. */
  SO_RCVLOWAT: {
    ...count('receiveLowWater', 0, 2 ** 31 - 1),
    write: (value) => ({ receiveLowWater: Math.max(value, 1) }),
  },
  /** Bytes that may wait to be sent for the first time. */
  TCP_NOTSENT_LOWAT: {
    ...count('notSentLowWater', -(2 ** 31), 2 ** 32 - 1),
    read: ({ notSentLowWater }) => notSentLowWater | 0,
    write: (value) => ({ notSentLowWater: value >>> 0 || 2 ** 32 - 1 }),
  },
  SO_REUSEADDR: flag('reuseAddress'),
  /** What comes to the same address and port is spread over the listeners. */
  SO_REUSEPORT: flag('reusePort'),
  SO_KEEPALIVE: flag('keepAlive'),
  /** Seconds that `close` lingers; -1: not at all (`l_onoff` 0). */
  SO_LINGER: {
    min: -1,
    max: 0xffff,
    read: ({ lingers, lingerTime }) => (lingers ? Math.floor(lingerTime / s(1)) : -1),
    write: (value) => ({ lingers: value >= 0, lingerTime: Math.max(value, 0) * s(1) }),
  },
  TCP_NODELAY: {
    min: 0,
    max: 1,
    read: ({ nagle }) => Number(!nagle),
    write: (value) => ({ nagle: value === 0 }),
  },
  IP_TOS: count('trafficClass', 0, 255),
  IPV6_TCLASS: count('trafficClass', 0, 255),
  IP_TTL: HOPS,
  IPV6_UNICAST_HOPS: HOPS,
  /** FreeBSD's: no option on a SYN. */
  TCP_NOOPT: flag('noOptions'),
  TCP_CORK: flag('cork'),
  /** FreeBSD's: the peer's UDP port, before there is a connection. */
  TCP_REMOTE_UDP_ENCAPS_PORT: count('udpPort', 0, 0xffff),
  TCP_MAXSEG: count('mss', 1, 0xffff),
  TCP_SYNCNT: count('synRetries', 1, 127),
  /** Seconds. */
  TCP_KEEPIDLE: span('keepIdle', s(1), 1, 32_767),
  TCP_KEEPINTVL: span('keepInterval', s(1), 1, 32_767),
  TCP_KEEPCNT: count('keepCount', 1, 127),
  /** FreeBSD's: seconds until an attempt to connect is given up; 0: the SYN's retries say. */
  TCP_KEEPINIT: span('connectTimeout', s(1), 0, 32_767),
  /** Seconds in FIN-WAIT-2. */
  TCP_LINGER2: {
    ...span('finWait2', s(1), -(2 ** 31), 2 ** 31 - 1),
    read: ({ finWait2 }) => (finWait2 < 0 ? -1 : Math.floor(finWait2 / s(1))),
    write: (value) => ({ finWait2: value < 0 ? -1 : Math.min(value, LINGER2_MAX) * s(1) }),
  },
  /** Seconds that a listener waits for the first bytes of a connection. */
  TCP_DEFER_ACCEPT: {
    ...span('deferAccept', s(1), 0, 32_767),
    write: (value, policy) => ({
      deferAccept: policy.defersHandshake ? deferralOf(value * s(1), policy) : value * s(1),
    }),
  },
  /** Of a listener: how many connections may be in use before their handshake is over (RFC 7413). */
  TCP_FASTOPEN: {
    min: 0,
    max: 2 ** 31 - 1,
    read: (policy) => policy.fastOpen.pending,
    write: (value, policy) => ({ fastOpen: { ...policy.fastOpen, pending: value } }),
  },
  /** Connecting waits for the first bytes, which go with the SYN where the peer has given a cookie. */
  TCP_FASTOPEN_CONNECT: {
    min: 0,
    max: 1,
    read: (policy) => Number(policy.fastOpen.connects),
    write: (value, policy) => ({ fastOpen: { ...policy.fastOpen, connects: value !== 0 } }),
  },
  /** No cookie is needed, neither by who connects nor by a listener. */
  TCP_FASTOPEN_NO_COOKIE: {
    min: 0,
    max: 1,
    read: (policy) => Number(!policy.fastOpen.clientNeedsCookie),
    write: (value, policy) => {
      const needs = { clientNeedsCookie: value === 0, serverNeedsCookie: value === 0 }
      return { fastOpen: { ...policy.fastOpen, ...needs } }
    },
  },
  /** Milliseconds. */
  TCP_USER_TIMEOUT: span('userTimeout', ms(1), 0, 2 ** 31 - 1),
} satisfies { readonly [option: string]: TcpOption }

export type TcpSocketOption = keyof typeof TCP_SOCKET_OPTIONS

/** They say how a connection begins: one that has begun takes them no more. */
export const isForBeginning = (option: TcpSocketOption): boolean =>
  option.startsWith('TCP_FASTOPEN') || option === 'TCP_REMOTE_UDP_ENCAPS_PORT'

export const isTcpSocketOption = (option: string): option is TcpSocketOption =>
  Object.hasOwn(TCP_SOCKET_OPTIONS, option)
