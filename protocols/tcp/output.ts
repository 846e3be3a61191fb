import type { Out } from '../engine.ts'
import type { HostEvent } from '../host/event.ts'
import type { TcpSegment } from './segment.ts'

/**
 * Where a connection's segments and events go. What names a port elsewhere is the ECN codepoint of
 * the packet here (`ecn.ts`), of segments that come in, too: a connection has one way out.
 */
export type TcpOut = Out<TcpSegment, HostEvent>
