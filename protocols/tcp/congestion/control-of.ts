import type { TcpState } from '../state.ts'
import type { CongestionControl } from './congestion.ts'
import { newReno } from './new-reno.ts'

/** The controller of a connection. */
export const controlOf: (s: TcpState) => CongestionControl = () => newReno
