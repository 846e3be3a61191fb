import type { Nanos } from '../../time.ts'
import { createPacer } from '../pacing.ts'
import type { TcpState } from '../state.ts'
import type { CongestionControl, CongestionName } from './congestion.ts'
import { bbr } from './bbr.ts'
import { cubic } from './cubic.ts'
import { newReno } from './new-reno.ts'

/** Every congestion control there is: a new one has a file beside this one, and a line here. */
const CONTROLS: { readonly [Name in CongestionName]: CongestionControl } = {
  cubic,
  reno: newReno,
  bbr,
}

export const CONGESTION_NAMES = Object.keys(CONTROLS) as readonly CongestionName[]

export const isCongestionName = (name: string): name is CongestionName =>
  Object.hasOwn(CONTROLS, name)

/** Who moves this connection's window. */
export const controlOf = (s: TcpState): CongestionControl => CONTROLS[s.cc.algorithm]

/** The connection stands, or `algorithm` is another one from now on. */
export function startCongestion(s: TcpState, now: Nanos): void {
  const { cc, policy } = s
  cc.own = null
  cc.rate = null
  cc.pacer = policy.pacing ? createPacer(0, now) : null
  controlOf(s).start(s, now)
}
