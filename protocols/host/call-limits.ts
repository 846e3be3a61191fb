import {
  isTcpSocketOption,
  TCP_SOCKET_OPTIONS,
  type TcpSocketOption,
} from '../tcp/socket-options.ts'
import { IPV4_MTU_MIN } from '../ipv4/fragment.ts'
import { IPV4_PACKET_MAX } from '../ipv4/packet.ts'
import { isIpv4 } from '../address.ts'
import { SIGNING_KEY_MAX, type SigningKey } from '../tcp/signature.ts'
import type { NumberOption, SocketCall } from './socket.ts'

/** What a call says in numbers has to fit where it goes; the protocols take it for granted. */
export function isWithinLimits(call: SocketCall): boolean {
  switch (call.kind) {
    case 'bind':
      return isWhole(call.port, 0, PORT_MAX)
    case 'connect':
    case 'send-to':
      return isWhole(call.remote.port, 0, PORT_MAX)
    case 'send-echo':
      return isWhole(call.sequence, 0, 0xffff) && isWhole(call.ttl, 1, TTL_MAX)
    case 'hold':
    case 'release':
      return isWhole(call.size, 0, DATAGRAM_MAX)
    case 'receive':
      return call.max === Infinity || isWhole(call.max, 0, Number.MAX_SAFE_INTEGER)
    case 'set': {
      if (call.option === 'TCP_CONGESTION') return true
      if (call.option === 'TCP_MD5SIG') return isSigning(call.value)
      if (isTcpSocketOption(call.option)) {
        const { min, max } = TCP_SOCKET_OPTIONS[call.option]
        return isWhole(call.value, min, max)
      }
      const [min, max] = OTHER_LIMITS[call.option]
      return isWhole(call.value, min, max)
    }
    default:
      return true
  }
}

const isSigning = (value: SigningKey | number): boolean =>
  typeof value === 'number'
    ? isWhole(value, 0, 1)
    : value.key.length <= SIGNING_KEY_MAX &&
      isWhole(value.prefixLength, 0, isIpv4(value.address) ? 32 : 128)

const PORT_MAX = 0xffff
const DATAGRAM_MAX = 0xffff
const TTL_MAX = 255
type Other = Exclude<NumberOption, TcpSocketOption>
const OTHER_LIMITS: { readonly [Option in Other]: readonly [number, number] } = {
  TCP_QUICKACK: [0, 1],
  SO_BROADCAST: [0, 1],
  IP_MULTICAST_TTL: [0, TTL_MAX],
  IP_MTU_DISCOVER: [0, 2],
  IP_HDRINCL: [0, 1],
  SIOCSIFMTU: [IPV4_MTU_MIN, IPV4_PACKET_MAX],
}

const isWhole = (n: number, min: number, max: number): boolean =>
  Number.isInteger(n) && n >= min && n <= max
