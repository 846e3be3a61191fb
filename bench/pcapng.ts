import process from 'node:process'
import type { Ipv4Address } from '../protocols/address.ts'
import { EthernetFrame, ETHERTYPE_IPV4 } from '../protocols/ethernet/frame.ts'
import { DONT_FRAGMENT, Ipv4Packet, PROTOCOL_TCP } from '../protocols/ipv4/packet.ts'
import { NO_OPTIONS, timestampOptions } from '../protocols/tcp/options.ts'
import { ACK, PSH, TcpSegment } from '../protocols/tcp/segment.ts'
import { PcapngWriter } from '../trace/pcapng.ts'
import type { TraceRecord } from '../trace/record.ts'

const EXCHANGES = 200_000
const MSS = 1448
const A: Ipv4Address = 0x0a000001
const B: Ipv4Address = 0x0a000002

/**
 * A bulk transfer as a link sees it: a full segment one way, every second time an acknowledgement
 * the other way, each written where it is sent and where it arrives.
 */
function run(): Record<string, number | string> {
  let bytes = 0
  const writer = new PcapngWriter((piece) => (bytes += piece.length))
  const data = new Uint8Array(64 * MSS)
  for (let i = 0; i < data.length; i++) data[i] = Math.imul(i, 0x9e3779b1) >>> 24
  const records = Array.from({ length: 64 }, (_, i) => exchange(data, i)).flat()
  const write = (exchanges: number): number => {
    let frames = 0
    for (let i = 0; i < exchanges; i += 64) {
      for (const record of records) writer.observer(record)
      frames += records.length
    }
    writer.end()
    return frames
  }
  write(20_000) // until the compiler has seen it
  bytes = 0
  const before = process.cpuUsage()
  const frames = write(EXCHANGES)
  const used = process.cpuUsage(before)
  const seconds = (used.user + used.system) / 1e6
  return {
    framesPerCpuSecond: Math.round(frames / seconds),
    nanosecondsPerFrame: Math.round((seconds * 1e9) / frames),
    frames,
    megabytes: Math.round(bytes / 1e6),
  }
}

function exchange(data: Uint8Array, i: number): TraceRecord[] {
  const segment = new TcpSegment(
    49152,
    5001,
    i * MSS,
    1,
    ACK | PSH,
    65535,
    0,
    timestampOptions(i, i),
    data.subarray(i * MSS, (i + 1) * MSS),
  )
  const passes = crossing('a', 'b', i, segment)
  if (i % 2 === 0) return passes
  const answer = new TcpSegment(
    5001,
    49152,
    1,
    i * MSS,
    ACK,
    65535,
    0,
    NO_OPTIONS,
    data.subarray(0, 0),
  )
  return [...passes, ...crossing('b', 'a', i, answer)]
}

function crossing(from: string, to: string, i: number, segment: TcpSegment): TraceRecord[] {
  const packet = new Ipv4Packet(
    from === 'a' ? A : B,
    from === 'a' ? B : A,
    PROTOCOL_TCP,
    64,
    i,
    DONT_FRAGMENT,
    segment,
  )
  const frame = new EthernetFrame('02:00:00:00:00:02', '02:00:00:00:00:01', ETHERTYPE_IPV4, packet)
  const at = i * 12_000
  const link = `${from}>${to}`
  return [
    {
      kind: 'sent',
      at,
      event: 2 * i + 1,
      node: from,
      port: 0,
      link,
      frame,
      dropped: null,
      arrives: at + 1_000_000,
      duplicates: 0,
      corruptedBit: -1,
      reordered: false,
      queueFrames: 1,
      waits: 0,
      queueBytes: frame.size,
    },
    { kind: 'received', at: at + 1_000_000, event: 2 * i + 2, node: to, port: 0, link, frame },
  ]
}

export const benchmarks = [{ name: 'pcapng', run }]
