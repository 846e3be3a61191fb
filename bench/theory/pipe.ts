import { parseIpText } from '../../protocols/address.ts'
import type { Input } from '../../protocols/engine.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import { tcpEngine } from '../../protocols/tcp/engine.ts'
import type { TcpPolicy } from '../../protocols/tcp/policy.ts'
import type { TcpSegment } from '../../protocols/tcp/segment.ts'
import { createTcp, type TcpState } from '../../protocols/tcp/state.ts'
import { type Nanos, NEVER } from '../../protocols/time.ts'
import { stream } from '../../sim/random.ts'

// Two connections and a pipe that loses segments: no hosts, so no ARP that could be lost, and no rate.
// What smoltcp's own table was measured with has neither.

export interface PipePlan {
  readonly policy: TcpPolicy
  /** Each way. */
  readonly delay: Nanos
  /** Of segments, each way. */
  readonly loss: number
  readonly until: Nanos
  readonly seed: string
  /** The sender's first sequence number. */
  readonly iss?: number
}

type Call = Input<SocketCall, TcpSegment>
const CHUNK = new Uint8Array(1 << 20)

class End {
  readonly state: TcpState
  /** Segments on their way here, in the order of arrival. */
  readonly arriving: { readonly at: Nanos; readonly segment: TcpSegment }[] = []
  due: Nanos = NEVER
  received = 0
  readonly #calls: SocketCall[] = []

  constructor(policy: TcpPolicy, own: number, peer: number, iss: number) {
    const at = (host: number) => ({ address: parseIpText(`192.0.2.${host}`)!, port: host })
    this.state = createTcp({
      id: own,
      policy,
      local: at(own),
      remote: at(peer),
      iss: iss | 0,
      pathMss: 1460,
      listener: own === 1 ? -1 : 0,
    })
  }

  /** What is due at this instant, and what its application answers. */
  step(now: Nanos, input: Call, send: (segment: TcpSegment) => void): void {
    const out = {
      send,
      event: (event: HostEvent) => this.#hear(event),
      wake: (_: number, at: Nanos) => void (this.due = at),
    }
    tcpEngine.step(this.state, now, input, out)
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) {
      tcpEngine.step(this.state, now, { kind: 'call', call }, out)
    }
  }

  #hear(event: HostEvent): void {
    const socket = this.state.id
    if (event.kind === 'connected' || event.kind === 'writable') {
      this.#calls.push({ kind: 'send', socket, bytes: CHUNK })
    } else if (event.kind === 'readable') {
      this.#calls.push({ kind: 'receive', socket, max: Infinity })
    } else if (event.kind === 'received') this.received += event.bytes
  }
}

/** Bytes a second that came out at the other end. */
export function pipeGoodput({ policy, delay, loss, until, seed, iss = 1000 }: PipePlan): number {
  const ends = [new End(policy, 1, 2, iss), new End(policy, 2, 1, 2000)] as const
  const draws = [stream(seed, 'there/loss'), stream(seed, 'back/loss')] as const
  const act = (i: 0 | 1, now: Nanos, input: Call): void =>
    ends[i].step(now, input, (segment) => {
      if (draws[i]() >= loss) ends[1 - i]!.arriving.push({ at: now + delay, segment })
    })
  const remote = { address: ends[0].state.remoteAddress, port: 2 }
  act(0, 0, { kind: 'call', call: { kind: 'connect', socket: 1, remote } })
  for (;;) {
    let [at, which, timer] = [until, -1, false]
    for (const i of [0, 1]) {
      const first = ends[i]!.arriving[0]
      if (first !== undefined && first.at < at) [at, which, timer] = [first.at, i, false]
      if (ends[i]!.due < at) [at, which, timer] = [ends[i]!.due, i, true]
    }
    if (which < 0) return ends[1].received / (until / 1e9)
    const i = which as 0 | 1
    if (timer) act(i, at, { kind: 'timer', owner: i + 1 })
    else act(i, at, { kind: 'packet', packet: ends[i].arriving.shift()!.segment, port: 0 })
  }
}
