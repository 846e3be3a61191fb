import type { TcpState } from '../state.ts'
import type { CongestionControl, CongestionName } from './congestion.ts'
import { cubic } from './cubic.ts'
import { newReno } from './new-reno.ts'

/** Every congestion control there is: a new one has a file beside this one, and a line here. */
const CONTROLS: { readonly [Name in CongestionName]: CongestionControl } = {
  cubic,
  reno: newReno,
}

export const CONGESTION_NAMES = Object.keys(CONTROLS) as readonly CongestionName[]

export const isCongestionName = (name: string): name is CongestionName =>
  Object.hasOwn(CONTROLS, name)

/** Who moves this connection's window. */
export const controlOf = (s: TcpState): CongestionControl => CONTROLS[s.cc.algorithm]
