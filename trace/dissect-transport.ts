import { type Bytes, i32, toHex, u16 } from '../protocols/bytes.ts'
import { checksum, fold, sumRange } from '../protocols/checksum.ts'
import { ICMP_HEADER } from '../protocols/icmp/message.ts'
import { readTcpOptions } from '../protocols/tcp/option-codec.ts'
import {
  OPTION_END,
  OPTION_MD5,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
  type TcpOptions,
} from '../protocols/tcp/options.ts'
import {
  isFastOpen,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
} from '../protocols/tcp/fast-open-option.ts'
import {
  countersText,
  OPTION_ACCURATE_ECN_0,
  OPTION_ACCURATE_ECN_1,
} from '../protocols/tcp/accurate-ecn.ts'
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, TCP_HEADER, URG } from '../protocols/tcp/segment.ts'
import { UDP_HEADER } from '../protocols/udp/datagram.ts'
import { add, defect, type Dissection, hex } from './dissect-layers.ts'

const FLAGS: readonly (readonly [number, string])[] = [
  [FIN, 'FIN'],
  [SYN, 'SYN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
  [URG, 'URG'],
  [ECE, 'ECE'],
  [CWR, 'CWR'],
  [AE, 'AE'],
]

/**
 * `length`: what the IP header leaves for the segment; `b` may hold less where it was cut. `pseudoSum`: `null`
 * where the segment is in a datagram, which answers for it.
 */
export function dissectTcp(
  found: Dissection,
  b: Bytes,
  pseudoSum: number | null,
  length: number,
): void {
  if (b.length < TCP_HEADER) {
    return defect(found, 'tcp', 'truncated', `${b.length} of ${TCP_HEADER} bytes`)
  }
  const word = u16(b, 12)
  const header = (word >>> 12) * 4
  const flags = word & 0x1ff
  const options =
    header >= TCP_HEADER && header <= b.length ? readTcpOptions(b, TCP_HEADER, header) : null
  add(found, 'tcp', {
    sourcePort: u16(b, 0),
    destinationPort: u16(b, 2),
    sequence: i32(b, 4) >>> 0,
    acknowledgment: i32(b, 8) >>> 0,
    headerLength: header,
    reserved: (word >>> 9) & 7,
    flags: FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
    window: u16(b, 14),
    checksum: hex(u16(b, 16), 4),
    urgentPointer: u16(b, 18),
    ...(options !== null && typeof options === 'object' && options.layout.length > 0
      ? { options: optionTexts(options) }
      : {}),
    dataLength: Math.max(length - header, 0),
  })
  if (header < TCP_HEADER || header > length) {
    return defect(found, 'tcp', 'bad-length', `header ${header} of ${length} bytes`)
  }
  if (pseudoSum !== null && !check(found, 'tcp', b, 16, pseudoSum, length)) return
  if (typeof options === 'string') {
    defect(found, 'tcp', options, toHex(b.subarray(TCP_HEADER, header)))
  }
}

/** `optional`: the sender may have left the checksum out, which only IPv4 allows. */
export function dissectUdp(
  found: Dissection,
  b: Bytes,
  pseudoSum: number,
  room: number,
  optional: boolean,
): void {
  if (b.length < UDP_HEADER) {
    return defect(found, 'udp', 'truncated', `${b.length} of ${UDP_HEADER} bytes`)
  }
  const length = u16(b, 4)
  add(found, 'udp', {
    sourcePort: u16(b, 0),
    destinationPort: u16(b, 2),
    length,
    checksum: hex(u16(b, 6), 4),
    dataLength: Math.max(length - UDP_HEADER, 0),
  })
  if (length < UDP_HEADER || length > room) {
    return defect(found, 'udp', 'bad-length', `${length}, ${room} there`)
  }
  // RFC 768: zero says that the sender made none. The pseudo-header counts the datagram's own length.
  if (u16(b, 6) === 0 && !optional) {
    defect(found, 'udp', 'bad-checksum', 'none, and IPv6 demands one')
  } else if (u16(b, 6) !== 0 && !check(found, 'udp', b, 6, pseudoSum - room + length, length))
    return
  const { tcpInUdp } = found
  if (tcpInUdp === 0 || (u16(b, 0) !== tcpInUdp && u16(b, 2) !== tcpInUdp)) return
  dissectTcp(found, b.subarray(UDP_HEADER, length), null, length - UDP_HEADER)
}

export function dissectIcmp(
  found: Dissection,
  protocol: string,
  b: Bytes,
  pseudoSum: number,
  length: number,
): void {
  if (b.length < ICMP_HEADER) {
    return defect(found, protocol, 'truncated', `${b.length} of ${ICMP_HEADER} bytes`)
  }
  const type = b[0]!
  const isEcho = protocol === 'icmp' ? type === 8 || type === 0 : type === 128 || type === 129
  add(found, protocol, {
    type,
    code: b[1]!,
    checksum: hex(u16(b, 2), 4),
    ...(isEcho
      ? { identifier: u16(b, 4), sequence: u16(b, 6) }
      : { rest: hex(i32(b, 4) >>> 0, 8) }),
    dataLength: length - ICMP_HEADER,
  })
  check(found, protocol, b, 2, pseudoSum, length)
}

/** Whether the checksum can be relied on: it matches, or there is no telling. */
function check(
  found: Dissection,
  protocol: string,
  b: Bytes,
  at: number,
  pseudoSum: number,
  length: number,
): boolean {
  if (b.length < length) return true
  const sum = sumRange(b, 0, length, pseudoSum)
  if (fold(sum) === 0xffff) return true
  const there = u16(b, at)
  // A card that finishes checksums is handed the folded pseudo-header, and a capture sees just that.
  if (pseudoSum > 0 && there === fold(pseudoSum)) {
    found.offloaded = true
    return true
  }
  const right = checksum(sum - there)
  defect(found, protocol, 'bad-checksum', `${hex(there, 4)}, should be ${hex(right, 4)}`)
  return false
}

function optionTexts(options: TcpOptions): string[] {
  let other = 0
  return options.layout.map((kind) => {
    switch (kind) {
      case OPTION_END:
        return 'end'
      case OPTION_NOP:
        return 'nop'
      case OPTION_MSS:
        return `mss=${options.mss}`
      case OPTION_WINDOW_SCALE:
        return `window-scale=${options.windowScale}`
      case OPTION_SACK_PERMITTED:
        return 'sack-permitted'
      case OPTION_SACK: {
        const edges = options.sack.map((edge) => edge >>> 0)
        const blocks = edges.flatMap((left, i) => (i % 2 === 0 ? [`${left}-${edges[i + 1]}`] : []))
        return `sack=${blocks.join('/')}`
      }
      case OPTION_TIMESTAMPS:
        return `timestamps=${options.timestampValue >>> 0}/${options.timestampEcho >>> 0}`
      case OPTION_MD5:
        return `md5=${toHex(options.unknown[other++]!)}`
      case OPTION_ACCURATE_ECN_0:
      case OPTION_ACCURATE_ECN_1:
        return `accurate-${countersText(kind, options.unknown[other++]!).toLowerCase().replaceAll(' ', '-')}`
      case OPTION_FAST_OPEN:
        return `fast-open=${toHex(options.unknown[other++]!)}`
      case OPTION_EXPERIMENT: {
        const data = options.unknown[other++]!
        if (!isFastOpen(data)) return `kind-${kind}=${toHex(data)}`
        return `fast-open-experiment=${toHex(data.subarray(2))}`
      }
      default:
        return `kind-${kind}=${toHex(options.unknown[other++]!)}`
    }
  })
}
