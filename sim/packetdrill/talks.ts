import type { Endpoint } from '../../protocols/address.ts'
import type { IpPacket } from '../../protocols/ipv6/packet.ts'
import { ACK, SYN } from '../../protocols/tcp/segment.ts'
import type { Seq } from '../../protocols/sequence.ts'
import { Conversation } from './conversation.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import type { ScriptPacket, SystemCall } from './script.ts'
import type { ScriptSettings } from './script-settings.ts'

/** Where the ports of the script's side begin, while it names none. */
const FIRST_REMOTE_PORT = 40_000

/**
 * The conversations of a script: the last one that began is meant, unless a packet names the ports of
 * another.
 */
export class Talks {
  /** The one that is meant; `null` before there is any. */
  current: Conversation | null = null
  /** The program listens, and nobody has come since. */
  listening = false
  readonly #settings: ScriptSettings
  /** Those with ports that the script names. */
  readonly #named: Conversation[] = []
  #nextPort = FIRST_REMOTE_PORT

  constructor(settings: ScriptSettings) {
    this.#settings = settings
  }

  #begin(ends: Pick<Conversation, 'remotePort' | 'localPort' | 'awaitsSyn'>, isn: Seq | null) {
    const { local, remote } = this.#settings
    return (this.current = new Conversation({ local, remote, ...ends }, isn, this.#settings))
  }

  /** Before a call is carried out: it may begin the conversation that the script is about. */
  prepare(
    { name }: SystemCall,
    d: Descriptor | undefined,
    to: Endpoint | null,
    opens: boolean,
  ): void {
    if (d === undefined || d.connected || d.connecting) return
    const sendsFirst = name === 'sendto' && (d.protocol === 'udp' ? this.current === null : opens)
    if (name !== 'connect' && !sendsFirst) return
    const remotePort = to?.port ?? this.#settings.connectPort
    this.listening = false
    this.#begin({ remotePort, localPort: 0, awaitsSyn: true }, null)
    this.#named.push(this.current!)
  }

  /** What a call has changed about whom the script talks to. */
  follow({ name }: SystemCall, d: Descriptor | undefined, files: Descriptors): void {
    if (name === 'listen') this.listening = true
    const socket = d === undefined ? null : files.socketOf(d)
    if (name !== 'connect' || socket?.kind !== 'udp' || this.current === null) return
    this.current.localPort = socket.port
    this.current.awaitsSyn = false
  }

  /** Whose a packet is that the script sends. What comes to a listener begins a conversation. */
  ofArriving(packet: ScriptPacket): Conversation {
    const isn = packet.kind === 'tcp' ? (packet.seq ?? 0) : 0
    const ports = packet.kind === 'icmp' ? null : packet.ports
    if (ports !== null) {
      const known = this.#named.find((each) => each.isBetween(true, ports))
      if (known !== undefined) return (this.current = known)
      const ends = { remotePort: ports.source, localPort: ports.destination, awaitsSyn: false }
      this.#named.push(this.#begin(ends, isn))
      return this.current!
    }
    if (this.current !== null && !this.listening) return this.current
    const localPort = this.#settings.bindPort
    this.#begin({ remotePort: this.#nextPort++, localPort, awaitsSyn: false }, isn)
    // What is no SYN does not take the listener's place.
    const opens = packet.kind !== 'tcp' || (packet.flags & (SYN | ACK)) === SYN
    if (opens) this.listening = false
    return this.current!
  }

  /** Whose a packet is that the script waits for. */
  ofExpected(packet: ScriptPacket): Conversation | null {
    const ports = packet.kind === 'icmp' ? null : packet.ports
    if (ports === null) return this.current
    const known = this.#named.find((each) => each.isBetween(false, ports))
    return known === undefined ? null : (this.current = known)
  }

  /** Whether anybody may still wait for a packet of the host's. */
  concerns(packet: IpPacket): boolean {
    return this.current?.owns(packet) === true || this.#named.some((each) => each.owns(packet))
  }
}
