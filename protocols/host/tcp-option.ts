import type { Errno } from '../errno.ts'
import { isCongestionName } from '../tcp/congestion/control-of.ts'
import { withSigning } from '../tcp/signature.ts'
import { isTcpSocketOption, TCP_SOCKET_OPTIONS } from '../tcp/socket-options.ts'
import type { HostOut } from './output.ts'
import type { ReadableOption, SocketCall, SocketSetting } from './socket.ts'
import type { HostState, Listener, UnboundTcp } from './state.ts'

type Configured = UnboundTcp | Listener

/** Sets or tells an option of a socket that is no connection: what its connections begin with. */
export function tcpOption(
  h: HostState,
  socket: Configured,
  call: SocketCall & { kind: 'set' | 'get' },
  out: HostOut,
): Errno | null {
  if (call.kind === 'set') return set(h, socket, call)
  const value = valueOf(socket, call.option)
  if (value === null) return 'ENOPROTOOPT'
  out.event({ kind: 'option', socket: call.socket, option: call.option, value })
  return null
}

function set(h: HostState, socket: Configured, setting: SocketSetting): Errno | null {
  if (setting.option === 'TCP_CONGESTION') {
    if (!isCongestionName(setting.value)) return 'ENOENT'
    socket.policy = socket.policy.with({ congestion: setting.value })
    return null
  }
  if (setting.option === 'TCP_MD5SIG') {
    const policy = withSigning(socket.policy, setting.value)
    if (policy === null) return 'ENOENT'
    socket.policy = policy
    return null
  }
  const { option, value } = setting
  if (option === 'TCP_QUICKACK') return null // a connection's alone, and Linux does not mind
  if (!isTcpSocketOption(option)) return 'ENOPROTOOPT'
  if (option === 'TCP_FASTOPEN_CONNECT') {
    if (!socket.policy.fastOpen.client) return 'EOPNOTSUPP'
    if (socket.kind === 'listener') return 'EINVAL'
  }
  // A listener learns it from each SYN.
  const isTunnel = option === 'TCP_REMOTE_UDP_ENCAPS_PORT'
  if (isTunnel && (socket.kind === 'listener' || (value !== 0 && h.policy.tunnelPort === 0))) {
    return 'EINVAL'
  }
  socket.policy = socket.policy.with(TCP_SOCKET_OPTIONS[option].write(value, socket.policy))
  return null
}

function valueOf({ kind, policy }: Configured, option: ReadableOption): number | string | null {
  switch (option) {
    case 'SO_ERROR':
      return 0
    case 'SO_ACCEPTCONN':
      return Number(kind === 'listener')
    case 'TCP_QUICKACK':
      return Number(policy.quickAcks > 0)
    case 'TCP_CONGESTION':
      return policy.congestion
    case 'TCP_MD5SIG':
      return Number(policy.signs !== 'nobody')
    default:
      return isTcpSocketOption(option) ? TCP_SOCKET_OPTIONS[option].read(policy) : null
  }
}
