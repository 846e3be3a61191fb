import { assert } from '../assert.ts'
import type { Engine, Input } from '../engine.ts'
import type { HostEvent } from '../host/event.ts'
import type { SocketCall } from '../host/socket.ts'
import { seqLeq } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { callArrives } from './calls.ts'
import type { TcpOut } from './output.ts'
import type { TcpSegment } from './segment.ts'
import { segmentArrives } from './segment-arrives.ts'
import { nextDue, type TcpState } from './state.ts'
import { timersExpire } from './timers.ts'

/**
 * One TCP connection, RFC 9293, as a pure state machine: segments, timeouts and calls in,
 * segments and events out. The host around it finds the connection and adds the IP header.
 */
export const tcpEngine: Engine<TcpState, SocketCall, TcpSegment, HostEvent> = {
  name: 'tcp',

  step(s: TcpState, now: Nanos, input: Input<SocketCall, TcpSegment>, out: TcpOut): void {
    switch (input.kind) {
      case 'packet':
        segmentArrives(s, now, input.packet, input.port, out)
        break
      case 'timer':
        timersExpire(s, now, out)
        break
      case 'call':
        callArrives(s, now, input.call, out)
        break
    }
    const { una, nxt, max } = s.snd
    assert(seqLeq(una, nxt) && seqLeq(nxt, max), 'SND.UNA <= SND.NXT <= SND.MAX')
    out.wake(s.id, nextDue(s.timers))
  },
}
