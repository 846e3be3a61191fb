import type { Out } from '../engine.ts'
import type { EthernetFrame } from '../ethernet/frame.ts'
import type { HostEvent } from './event.ts'

/** Where a host's frames and events go. */
export type HostOut = Out<EthernetFrame, HostEvent>
