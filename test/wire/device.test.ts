import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { emitEthernet, parseEthernet } from '../../protocols/ethernet/codec.ts'
import { EthernetFrame, ETHERTYPE_IPV4 } from '../../protocols/ethernet/frame.ts'
import { emitIpv4, parseIpv4 } from '../../protocols/ipv4/codec.ts'
import { DONT_FRAGMENT, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import type { FrameDevice } from '../../wire/device.ts'
import { NetworkInterface } from '../../wire/network-interface.ts'
import { PacketSocket } from '../../wire/packet-socket.ts'
import { PackageRawSocket, RawSocket } from '../../wire/raw-socket.ts'
import { Tap, Tun } from '../../wire/tap.ts'
import { Namespace, leaveNamespaces, needs } from './namespace.ts'

/** One body for every device: the kernel on one side, 10.9.0.1, and we on the other, 10.9.0.2. */

const able = needs('ethtool')
const OURS = '02:00:00:00:09:02'
const PORT = 6000

interface Ground {
  readonly device: FrameDevice
  /** The kernel's MAC address, where frames have one. */
  readonly kernelMac: string
  readonly other?: Namespace
}

function tapOrTun(device: Tap | Tun): Ground {
  device.ipv4 = '10.9.0.1/24'
  device.isUp = true
  return { device, kernelMac: device instanceof Tap ? device.mac : '' }
}

/**
 * A raw socket sees what is for its own machine, so the kernel that speaks is another one's, and it
 * must not leave checksums to a card that is none.
 */
function acrossCable(namespace: Namespace, open: () => FrameDevice): Ground {
  const other = new Namespace()
  namespace.ip(`link add k0 type veth peer name p0 netns ${other.name}`)
  namespace.ip('addr add 10.9.0.1/24 dev k0')
  namespace.ip('link set k0 up')
  other.ip('addr add 10.9.0.2/24 dev p0')
  other.ip('link set p0 up')
  namespace.run('ethtool', '-K', 'k0', 'tx', 'off')
  other.enter()
  const device = open()
  namespace.enter()
  return { device, kernelMac: '', other }
}

const grounds: { readonly [name: string]: (namespace: Namespace) => Ground } = {
  tap: (namespace) => {
    const ground = tapOrTun(new Tap('tap9'))
    namespace.ip(`neigh add 10.9.0.2 lladdr ${OURS} dev tap9`)
    return ground
  },
  tun: () => tapOrTun(new Tun('tun9')),
  'packet socket': (namespace) => {
    namespace.ip('link add k0 type veth peer name p0')
    namespace.ip('addr add 10.9.0.1/24 dev k0')
    for (const name of ['k0', 'p0']) namespace.ip(`link set ${name} up`)
    namespace.ip(`neigh add 10.9.0.2 lladdr ${OURS} dev k0`)
    return { device: new PacketSocket('p0'), kernelMac: new NetworkInterface('k0').mac }
  },
  'raw socket': (namespace) => acrossCable(namespace, () => new RawSocket(17)),
  'raw socket by package': (namespace) => acrossCable(namespace, () => new PackageRawSocket(17)),
}

describe.skipIf(!able).each(Object.entries(grounds))('%s', (_, open) => {
  let namespace: Namespace
  let ground: Ground
  let device: FrameDevice
  let socket: Socket
  /** The payloads of the kernel's datagrams to us. */
  const seen: string[] = []
  let frames = 0
  let heard: () => void = () => {}

  const take = (slab: Uint8Array, offset: number, length: number) => {
    frames += 1
    const bytes = slab.slice(offset, offset + length)
    const read = device.layer === 'ip' ? parseIpv4(bytes) : parseEthernet(bytes)
    const packet = !read.ok
      ? null
      : read.value instanceof EthernetFrame
        ? read.value.payload
        : read.value
    if (packet?.kind !== 'ipv4' || packet.payload.kind !== 'udp') return
    if (packet.destination !== ip('10.9.0.2')) return
    const { payload } = packet.payload
    seen.push(Buffer.from(payload as Uint8Array).toString())
  }
  const drain = () => {
    while (device.receive(take, 64) === 64);
    heard()
  }
  const hears = async (count: number) => {
    while (seen.length < count) await new Promise<void>((resolve) => (heard = resolve))
  }

  function packetOf(size: number): Uint8Array {
    const datagram = new UdpDatagram(5000, PORT, new Uint8Array(size).fill(7))
    const packet = new Ipv4Packet(
      ip('10.9.0.2') as number,
      ip('10.9.0.1') as number,
      17,
      64,
      1,
      DONT_FRAGMENT,
      datagram,
    )
    if (device.layer === 'ip') return emitIpv4(packet)
    return emitEthernet(new EthernetFrame(ground.kernelMac, OURS, ETHERTYPE_IPV4, packet))
  }

  beforeAll(async () => {
    namespace = new Namespace()
    namespace.enter()
    ground = open(namespace)
    device = ground.device
    socket = createSocket('udp4')
    socket.bind(PORT, '10.9.0.1')
    await once(socket, 'listening')
    device.listen(drain)
    drain()
  })
  afterAll(async () => {
    socket?.close()
    await device?.close()
    leaveNamespaces()
    namespace?.remove()
    ground?.other?.remove()
  })

  const say = (text: string) =>
    new Promise<void>((resolve, reject) =>
      socket.send(text, 5000, '10.9.0.2', (error) => (error === null ? resolve() : reject(error))),
    )

  test('frames of the kernel arrive, in order, also after a pause', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 10; i++) await say(`${round}.${i}`)
      await hears((round + 1) * 10)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const expected = [0, 1, 2].flatMap((r) => Array.from({ length: 10 }, (_, i) => `${r}.${i}`))
    expect(seen).toEqual(expected)
  })

  test('frames that are sent arrive in the kernel, the largest too', async () => {
    for (const size of [0, 1, 1000, Math.min(device.mtu, 1500) - 28]) {
      const packet = packetOf(size)
      const arrived = once(socket, 'message')
      expect(device.send(packet, packet.length)).toBe(packet.length)
      const [bytes, from] = (await arrived) as [Buffer, { address: string }]
      expect({ size: bytes.length, from: from.address }).toEqual({ size, from: '10.9.0.2' })
    }
  })

  test('what is too long or no frame is refused with an errno', () => {
    const before = device.stats().sendErrors
    const long = new Uint8Array(70_000)
    expect(device.send(long, device.mtu + 19)).toBeLessThan(0)
    expect(device.send(long, 5)).toBeLessThan(0)
    expect(device.stats().sendErrors).toBe(before + 2)
  })

  test('a burst while nobody reads arrives, or is counted', async () => {
    const before = seen.length
    const burst = 3000
    // The message that wakes the reader cannot be heard while this loop runs.
    for (let i = 0; i < burst; i++) socket.send(`burst ${i}`, 5000, '10.9.0.2')
    await say('last')
    // The package has no way to ask its socket what it dropped.
    const counts = !(device instanceof PackageRawSocket)
    const deadline = Date.now() + (counts ? 10_000 : 500)
    const missing = () => burst + 1 - (seen.length - before)
    while (missing() > device.stats().kernelDrops && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    if (counts) expect(missing()).toBe(device.stats().kernelDrops)
    expect(seen.length).toBeGreaterThan(before)
  })

  test('counts, closes, and closes again', async () => {
    const stats = device.stats()
    expect(stats.received).toBe(frames)
    expect(stats.sent).toBe(4)
    await device.close()
    await device.close()
    if (device instanceof Tap || device instanceof Tun) {
      expect(new NetworkInterface(device.name).index).toBe(0)
    }
  })
})
