import { CANONICAL, type Dialect } from '../arq/dialect.ts'
import { fixedTimeout, SOUND, STOP_AND_WAIT } from '../arq/policy.ts'
import type { TransferProfile } from '../arq/profile.ts'
import { ms } from '../time.ts'

/** The port of the course project. */
export const P2MP_PORT = 7735

/** A session, a window, timeouts from round trips; without a session, the assignment's packets. */
export const P2MP_SOUND: TransferProfile = {
  name: 'sound',
  sessions: true,
  dialect: CANONICAL,
  policy: SOUND,
}

/** The assignment: stop-and-wait to all receivers, numbers from 0, no end. */
export const P2MP_CANONICAL: TransferProfile = {
  name: 'canonical',
  sessions: false,
  dialect: CANONICAL,
  policy: { ...STOP_AND_WAIT, timeout: fixedTimeout(ms(100)) },
}

/**
 * What the document describes: numbers from 1, a checksum over sequence number, category and
 * payload, 0.1 s, and every bit a character on the wire.
 */
export const SEED_DIALECT: Dialect = {
  ...CANONICAL,
  encoding: 'ascii-bits',
  first: 1,
  checksum: 'all',
}

export const P2MP_SEED: TransferProfile = { ...P2MP_CANONICAL, name: 'seed', dialect: SEED_DIALECT }

export const P2MP_PROFILES: readonly TransferProfile[] = [P2MP_SOUND, P2MP_CANONICAL, P2MP_SEED]
