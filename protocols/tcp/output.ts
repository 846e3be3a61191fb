import type { Out } from '../engine.ts'
import type { HostEvent } from '../host/event.ts'
import type { TcpSegment } from './segment.ts'

/** Where a connection's segments and events go. */
export type TcpOut = Out<TcpSegment, HostEvent>
