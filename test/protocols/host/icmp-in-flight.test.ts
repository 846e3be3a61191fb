import { expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { ICMP_UNREACHABLE, IcmpMessage, UNREACHABLE_PORT } from '../../../protocols/icmp/message.ts'
import { emitIpv4 } from '../../../protocols/ipv4/codec.ts'
import { Ipv4Packet, MAY_FRAGMENT, PROTOCOL_ICMP } from '../../../protocols/ipv4/packet.ts'
import { NO_OPTIONS } from '../../../protocols/tcp/options.ts'
import { SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'
import { NO_BYTES } from '../../../protocols/bytes.ts'
import { ms } from '../../../protocols/time.ts'
import { openSocket } from '../../../sim/socket.ts'
import { planNetwork } from '../../../sim/topology.ts'
import { World } from '../../../sim/world.ts'

const A = ip('10.0.0.1') as Ipv4Address
const B = ip('10.0.0.2') as Ipv4Address

/** A SYN leaves `a`; then comes an error that quotes a segment so far from it. What `a` says. */
function quote(offset: number): readonly string[] {
  const ends = { a: '10.0.0.1/24', b: '10.0.0.2/24' }
  // b never answers: its frames are lost, but for ARP.
  const drop = (frame: EthernetFrame) => frame.payload.kind !== 'arp'
  const network = planNetwork({ a: 'host', b: 'host' }, [
    { ends, delay: '10ms', to: { a: { drop } } },
  ])
  const said: string[] = []
  let syn: Ipv4Packet | null = null
  const world = new World(network, {
    seed: '1',
    observer: (record) => {
      if (record.kind === 'sent' && record.node === 'a' && record.frame.payload.kind === 'ipv4') {
        syn ??= record.frame.payload
      }
      if (record.kind === 'event' && record.said.kind === 'failed') said.push(record.said.error)
      if (record.kind === 'event' && record.said.kind === 'icmp-error') said.push('icmp error')
    },
  })
  const a = world.node('a')
  const socket = openSocket(a, 'tcp')
  a.call({ kind: 'connect', socket, remote: { address: B, port: 80 } })
  world.runUntil(ms(100))
  const { sourcePort, destinationPort, seq } = syn!['payload'] as TcpSegment
  const segment = new TcpSegment(
    sourcePort,
    destinationPort,
    (seq + offset) | 0,
    0,
    SYN,
    0,
    0,
    NO_OPTIONS,
    NO_BYTES,
  )
  const quoted = emitIpv4(new Ipv4Packet(A, B, 6, 64, 1, MAY_FRAGMENT, segment))
  const error = new IcmpMessage(ICMP_UNREACHABLE, UNREACHABLE_PORT, 0, quoted)
  const packet = new Ipv4Packet(B, A, PROTOCOL_ICMP, 64, 1, MAY_FRAGMENT, error)
  const { mac } = a.state.interfaces[0]!
  world.inject(a, 0, new EthernetFrame(mac, '02:00:00:00:00:99', ETHERTYPE_IPV4, packet))
  return said
}

test('an error about what is not in flight is not heard (RFC 5927 §4.1)', () => {
  expect(quote(0)).toEqual(['icmp error', 'ECONNREFUSED'])
  expect(quote(1)).toEqual([])
  expect(quote(-1)).toEqual([])
})
