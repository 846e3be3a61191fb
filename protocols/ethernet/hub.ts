import type { Engine } from '../engine.ts'
import type { EthernetFrame } from './frame.ts'

/**
 * A repeater: what comes in at one port leaves at all others. One collision domain in life; here
 * its links are full duplex like all links, so nothing collides (IEEE 802.3 clause 27 is left out).
 */
export interface HubState {
  /** How many. */
  readonly ports: number
}

export const createHub = (ports: number): HubState => ({ ports })

export const hubEngine: Engine<HubState, never, EthernetFrame, never> = {
  name: 'hub',

  step({ ports }, _now, input, out) {
    // Nobody calls a hub, and it sets no timer.
    if (input.kind !== 'packet') return
    for (let port = 0; port < ports; port++) {
      if (port !== input.port) out.send(input.packet, port)
    }
  },
}
