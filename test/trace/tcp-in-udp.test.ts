import { describe, expect, test } from 'vitest'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { emitTcpUnchecked } from '../../protocols/tcp/codec.ts'
import { TcpOptions } from '../../protocols/tcp/options.ts'
import { ACK, PSH, SYN } from '../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import { dissect } from '../../trace/dissect.ts'
import { PacketText } from '../../trace/packet-text.ts'
import { PcapngWriter } from '../../trace/pcapng.ts'
import { has, judged, unless } from './judge.ts'
import { carrying, datagram, segment, sent } from './records.ts'

const PORT = 9899
const mss = new TcpOptions([2], 1452, -1, 0, 0, [], [])
const SEGMENTS = [
  segment({ seq: 99, flags: SYN, options: mss }),
  segment({ ports: [5001, 49152], seq: 7, ack: 100, flags: SYN | ACK }),
  segment({ seq: 100, ack: 8, flags: ACK | PSH, data: 5 }),
]
const frames = SEGMENTS.map((each, i) => {
  const [from, to] = i === 1 ? ([PORT, 7000] as const) : ([7000, PORT] as const)
  return carrying(new UdpDatagram(from, to, emitTcpUnchecked(each)), i === 1 ? 'b>a' : 'a>b')
})
const bytes = frames.map((frame) => emitEthernet(frame))

describe('TCP in datagrams', () => {
  test('is shown behind the datagram where the port is known, with its own relative numbers', () => {
    const printer = new PacketText({ tcpInUdp: PORT })
    expect(bytes.map((each) => printer.frame(each))).toEqual([
      'IP 10.0.0.1.7000 > 10.0.0.2.9899: UDP, length 24: 10.0.0.1.49152 > 10.0.0.2.5001: Flags [S], seq 99, win 65535, options [mss 1452], length 0',
      'IP 10.0.0.2.9899 > 10.0.0.1.7000: UDP, length 20: 10.0.0.2.5001 > 10.0.0.1.49152: Flags [S.], seq 7, ack 100, win 65535, length 0',
      'IP 10.0.0.1.7000 > 10.0.0.2.9899: UDP, length 25: 10.0.0.1.49152 > 10.0.0.2.5001: Flags [P.], seq 1:6, ack 1, win 65535, length 5',
    ])
    expect(new PacketText().frame(bytes[0]!)).toBe(
      'IP 10.0.0.1.7000 > 10.0.0.2.9899: UDP, length 24',
    )
    expect(printer.frame(emitEthernet(carrying(datagram(5))))).toBe(
      'IP 10.0.0.1.50000 > 10.0.0.2.40000: UDP, length 5',
    )
  })

  test('has its fields, and no checksum that could be wrong', () => {
    const { layers, defects } = dissect(bytes[0]!, bytes[0]!.length, PORT)
    expect(layers.map(({ protocol }) => protocol)).toEqual(['ethernet', 'ipv4', 'udp', 'tcp'])
    expect(layers[3]!.fields).toMatchObject({ checksum: '0x0000', options: ['mss=1452'] })
    expect(defects).toEqual([])
    expect(dissect(bytes[0]!).layers).toHaveLength(3)
  })

  test('cut or malformed: shown as far as it goes', () => {
    const short = emitEthernet(carrying(new UdpDatagram(PORT, 1, new Uint8Array(10))))
    expect(dissect(short, short.length, PORT).defects).toMatchObject([{ protocol: 'tcp' }])
    for (let cut = 0; cut < bytes[2]!.length; cut++) {
      const left = bytes[2]!.subarray(0, cut)
      expect(dissect(left, bytes[2]!.length, PORT).defects).toEqual([])
      expect(new PacketText({ tcpInUdp: PORT }).frame(left)).toMatch(/\[\||truncated-ip/)
    }
  })
})

describe(`tshark${unless('tshark')}`, () => {
  test.skipIf(!has('tshark'))('finds the same segments', () => {
    const pieces: Uint8Array[] = []
    const writer = new PcapngWriter((piece) => pieces.push(piece))
    for (const frame of frames) writer.observer(sent(frame))
    writer.end()
    const fields = ['tcp.srcport', 'tcp.dstport', 'tcp.seq_raw', 'tcp.flags', 'tcp.len']
    const columns = fields.flatMap((field) => ['-e', field])
    const decode = ['-d', `udp.port==${PORT},tcp`, '-T', 'fields']
    const args = (file: string) => ['-r', file, ...decode, ...columns]
    expect(judged(pieces, 'tshark', args)).toEqual([
      '49152\t5001\t99\t0x0002\t0',
      '5001\t49152\t7\t0x0012\t0',
      '49152\t5001\t100\t0x0018\t5',
    ])
  })
})
