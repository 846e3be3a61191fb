import { expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { fromHex, NO_BYTES } from '../../../protocols/bytes.ts'
import type { Listener } from '../../../protocols/host/state.ts'
import { PROTOCOL_TCP } from '../../../protocols/ipv4/packet.ts'
import { OPTION_FAST_OPEN } from '../../../protocols/tcp/fast-open-option.ts'
import { TcpOptions } from '../../../protocols/tcp/options.ts'
import { LINUX } from '../../../protocols/tcp/profiles/linux.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { ACK, FIN, RST, SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'
import { ms, s } from '../../../protocols/time.ts'
import { inPlace, recorded } from '../../../sim/driver.ts'
import { arriving } from '../../../sim/packetdrill/network.ts'
import { Stage } from '../../../sim/packetdrill/stage.ts'

// A listener with Fast Open (RFC 7413), peers that send anything, and a program that does anything: nothing
// throws, no more requests wait than may, and when all is over none does.

const COOKIE = fromHex('3021b9d889017eeb')
const KEY = fromHex('a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4')
const PENDING = 3
const LOCAL = ip('192.168.0.1')
const REMOTE = ip('192.0.2.1')
const IP = { ecn: null, tos: -1, ttl: -1, flowLabel: -1 }

/** Whole numbers below `n`, the same for the same seed. */
function dice(seed: number): (n: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 8) % n
  }
}

const FLAGS = [SYN, SYN, SYN, ACK, ACK, ACK, RST, RST | ACK, FIN | ACK, SYN | ACK, SYN | FIN, 0]
const COOKIES = [COOKIE, COOKIE, COOKIE, fromHex('0011223344556677'), NO_BYTES, fromHex('01')]

function play(seed: number, drive: typeof inPlace, profile: typeof RFC) {
  const roll = dice(seed)
  const choices = { ...profile.fastOpen, server: true, pending: PENDING, key: KEY }
  const stage = new Stage({
    drive,
    policy: profile.with({ fastOpen: choices }),
    local: LOCAL,
    prefixLength: 16,
    gateway: ip('192.168.0.2'),
    mtu: 1500,
  })
  const open: number[] = []
  const seen = new Set<string>()
  const listener = (): Listener => stage.state.sockets[0] as Listener
  stage.listener = (event) => {
    if (event.kind === 'accepted') open.push(event.socket)
    if (event.kind === 'fast-open') seen.add(event.outcome)
    if (event.kind !== 'closed') return
    const at = open.indexOf(event.socket)
    if (at >= 0) open.splice(at, 1)
  }
  stage.call({ kind: 'open', protocol: 'tcp' })
  stage.call({ kind: 'bind', socket: 0, address: null, port: 8080 })
  stage.call({ kind: 'listen', socket: 0, backlog: 4 })
  for (let i = 0; i < 120; i++) {
    const socket = open[roll(open.length + 1)] ?? -1
    if (roll(3) > 0) stage.receive(segment(stage, roll))
    else if (socket >= 0) {
      const call = roll(6)
      if (call === 0) stage.call({ kind: 'close', socket })
      else if (call === 1) stage.call({ kind: 'send', socket, bytes: new Uint8Array(3000) })
      else if (call === 2) stage.call({ kind: 'receive', socket, max: 1000 })
      else if (call === 3) stage.call({ kind: 'shutdown', socket })
      else if (call === 4) stage.call({ kind: 'accept', socket: 0, connection: socket })
      else stage.call({ kind: 'abort', socket })
    }
    if (roll(4) === 0) stage.run(stage.now + ms(roll(3000)))
    expect(listener().fastOpen.waiting).toBeLessThanOrEqual(PENDING)
    expect(listener().fastOpen.waiting).toBeGreaterThanOrEqual(0)
    expect(listener().opening).toBeGreaterThanOrEqual(0)
  }
  for (const socket of open.slice()) stage.call({ kind: 'abort', socket })
  stage.run(stage.now + s(600))
  const { fastOpen, opening } = listener()
  return { waiting: fastOpen.waiting, opening, sent: stage.sent.length, seen }
}

/** Of one of four peers; numbers that fit, mostly. */
function segment(stage: Stage, roll: (n: number) => number) {
  const remotePort = 40_000 + roll(4)
  const s = stage.state.sockets.find(
    (each) => each?.kind === 'connection' && each.remotePort === remotePort,
  )
  const known = s?.kind === 'connection' ? s : null
  const flags = FLAGS[roll(FLAGS.length)]!
  const seq = flags & SYN ? 0 : (known?.rcv.nxt ?? 1) + (roll(8) === 0 ? roll(5000) : 0)
  const ack = (known === null ? 0 : roll(3) > 0 ? known.snd.max : known.snd.una) + roll(2) * roll(2)
  const cookie = COOKIES[roll(COOKIES.length)]!
  const layout = flags & SYN ? [2, OPTION_FAST_OPEN] : []
  const options = new TcpOptions(layout, 1000, -1, 0, 0, [], flags & SYN ? [cookie] : [])
  const text = new Uint8Array(roll(2) * roll(1400))
  const window = roll(6) === 0 ? 0 : roll(0x1_0000)
  const all = new TcpSegment(remotePort, 8080, seq | 0, ack | 0, flags, window, 0, options, text)
  return arriving({ local: LOCAL, remote: REMOTE }, PROTOCOL_TCP, IP, all)
}

test.each([
  ['rfc', RFC],
  ['linux', LINUX],
])('whatever comes to a listener with the profile %s', (_, profile) => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const end = play(seed, inPlace, profile)
    expect(end, `seed ${seed}`).toMatchObject({ waiting: 0, opening: 0 })
    for (const outcome of end.seen) seen.add(outcome)
    if (seed < 10) expect(play(seed, recorded, profile)).toEqual(end)
  }
  expect([...seen].sort()).toEqual(['over', 'pending', 'reset'])
})
