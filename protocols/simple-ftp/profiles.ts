import { CANONICAL } from '../arq/dialect.ts'
import { type ArqPolicy, fixedTimeout, SOUND, STOP_AND_WAIT } from '../arq/policy.ts'
import type { TransferProfile } from '../arq/profile.ts'
import { ms } from '../time.ts'

/** A session with N units under way, timeouts from round trips, and a map of what has come. */
export const soundSimple = (window: number): TransferProfile => ({
  name: 'sound',
  sessions: true,
  dialect: CANONICAL,
  policy: { ...SOUND, window },
})

/**
 * The assignment: Go-back-N with one timer for the oldest packet, silence for what is out of order.
 */
export const goBackN = (window: number): TransferProfile => ({
  name: 'canonical',
  sessions: false,
  dialect: CANONICAL,
  policy: goBackNPolicy(window),
})

const goBackNPolicy = (window: number): ArqPolicy => ({
  ...STOP_AND_WAIT,
  window,
  acknowledgement: 'cumulative',
  timer: 'window',
  timeout: fixedTimeout(ms(100)),
})

/** The assignment's extension: every packet has a timer and an acknowledgement of its own. */
export const selectiveRepeat = (window: number): TransferProfile => ({
  ...goBackN(window),
  policy: { ...goBackNPolicy(window), acknowledgement: 'each', timer: 'packet' },
})
