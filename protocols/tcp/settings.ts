import type { Errno } from '../errno.ts'
import type { ReadableOption, SocketSetting } from '../host/socket.ts'
import type { Nanos } from '../time.ts'
import { isCongestionName, startCongestion } from './congestion/control-of.ts'
import { watchIdleness } from './keep-alive.ts'
import { sendMss } from './negotiate.ts'
import type { TcpOut } from './output.ts'
import { policyFor, withSigning } from './signature.ts'
import { isForBeginning, isTcpSocketOption, TCP_SOCKET_OPTIONS } from './socket-options.ts'
import type { TcpState } from './state.ts'
import { sendAck, transmit } from './transmit.ts'
import { isAtMark } from './urgent.ts'
import { NEVER } from '../time.ts'

// Options of a connection, set and asked for. Its policy holds nearly all of them.

/** `null`: it was set. */
export function setOption(
  s: TcpState,
  now: Nanos,
  setting: SocketSetting,
  out: TcpOut,
): Errno | null {
  if (setting.option === 'TCP_CONGESTION') {
    if (!isCongestionName(setting.value)) return 'ENOENT'
    s.cc.algorithm = setting.value
    if (s.cc.cwnd > 0) startCongestion(s, now)
    return null
  }
  if (setting.option === 'TCP_MD5SIG') {
    const policy = withSigning(s.policy, setting.value)
    if (policy === null) return 'ENOENT'
    s.policy = policyFor(policy, s.remoteAddress)
    if (s.peerMss > 0) s.mss = sendMss(s)
    return null
  }
  const { option, value } = setting
  if (option === 'TCP_QUICKACK') {
    s.rcv.quick = value === 0 ? 0 : QUICK_ACKS
    if (value !== 0 && s.timers.delayedAck !== NEVER) sendAck(s, now, out)
    return null
  }
  if (!isTcpSocketOption(option)) return 'ENOPROTOOPT'
  if (isForBeginning(option)) return 'EINVAL'
  if (option === 'TCP_MAXSEG' && s.peerMss > 0 && s.policy.maxsegLowers) return lowerMss(s, value)
  s.policy = s.policy.with(TCP_SOCKET_OPTIONS[option].write(value, s.policy))
  switch (option) {
    case 'SO_RCVBUF':
      // The window scale was agreed on with the SYN: a larger buffer is offered as far as it goes.
      s.rcv.buffer = s.policy.receiveBuffer
      return null
    case 'SO_KEEPALIVE':
    case 'TCP_KEEPIDLE':
      if (mayBeIdle(s)) watchIdleness(s, now)
      return null
    case 'TCP_NODELAY':
    case 'TCP_CORK':
      // Whoever takes the cork out, or switches Nagle off, wants what waits to go (RFC 1122 §4.2.3.4).
      if (s.state !== 'ESTABLISHED' && s.state !== 'CLOSE-WAIT') return null
      if (!s.policy.cork) s.timers.hold = NEVER
      transmit(s, now, out, s.fellBack, !s.policy.cork && option === 'TCP_CORK' ? 'sent' : 'as set')
      return null
    default:
      return null
  }
}

/** FreeBSD's: what is sent from now on has at most so many bytes; options count with them. */
function lowerMss(s: TcpState, value: number): Errno | null {
  if (value > s.peerMss) return 'EINVAL'
  s.peerMss = value
  s.mss = sendMss(s)
  return null
}

/** Linux's TCP_MAX_QUICKACKS. */
const QUICK_ACKS = 16

function mayBeIdle(s: TcpState): boolean {
  switch (s.state) {
    case 'ESTABLISHED':
    case 'CLOSE-WAIT':
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
      return true
    default:
      return false
  }
}

/** `null`: a connection has no such option. */
export function readOption(s: TcpState, option: ReadableOption): number | string | null {
  switch (option) {
    case 'SO_ERROR': {
      // What ends a connection is told as it ends; here is what may pass (RFC 1122 §4.2.4.1).
      if (!s.policy.tellsSoftErrors) return 0
      const error = s.softError
      s.softError = null
      return error ?? 0
    }
    case 'SO_ACCEPTCONN':
      return 0
    case 'SO_RCVBUF':
      return s.rcv.buffer * s.policy.bufferUnit
    case 'TCP_MAXSEG':
      return s.mss
    case 'SIOCATMARK':
      return Number(isAtMark(s))
    case 'TCP_QUICKACK':
      return Number(s.rcv.quick > 0)
    case 'TCP_CONGESTION':
      return s.cc.algorithm
    case 'TCP_MD5SIG':
      return Number(s.policy.signs !== 'nobody')
    default:
      return isTcpSocketOption(option) ? TCP_SOCKET_OPTIONS[option].read(s.policy) : null
  }
}
