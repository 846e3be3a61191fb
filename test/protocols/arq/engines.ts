import { CANONICAL } from '../../../protocols/arq/dialect.ts'
import type { TransferProfile } from '../../../protocols/arq/profile.ts'
import { P2MP_CANONICAL, P2MP_SEED, P2MP_SOUND } from '../../../protocols/p2mp-ftp/profiles.ts'
import { goBackN, selectiveRepeat, soundSimple } from '../../../protocols/simple-ftp/profiles.ts'
import { ascii } from '../../../protocols/services/ascii.ts'

export interface TransferEngine {
  readonly name: string
  readonly profile: TransferProfile
  readonly receivers: number
  /** Raw IP in the place of UDP. */
  readonly raw?: true
  readonly key?: Uint8Array
}

const end = { kind: 'type', type: 0x5557 } as const

/** Every way to carry a file. Those without sessions have an end marker: see the dialects. */
export const ENGINES: readonly TransferEngine[] = [
  { name: 'P2MP-FTP, sound', profile: P2MP_SOUND, receivers: 3 },
  {
    name: 'P2MP-FTP, canonical',
    profile: { ...P2MP_CANONICAL, dialect: { ...CANONICAL, end } },
    receivers: 3,
  },
  {
    name: 'P2MP-FTP, seed',
    profile: { ...P2MP_SEED, dialect: { ...P2MP_SEED.dialect, end: { kind: 'short' } } },
    receivers: 2,
  },
  {
    name: 'Simple-FTP, Go-back-N',
    profile: { ...goBackN(8), dialect: { ...CANONICAL, end } },
    receivers: 1,
  },
  {
    name: 'Simple-FTP, Selective Repeat',
    profile: { ...selectiveRepeat(8), dialect: { ...CANONICAL, counts: 'bytes', end } },
    receivers: 1,
  },
  { name: 'Simple-FTP, sound', profile: soundSimple(16), receivers: 1 },
  { name: 'tunnel, sound', profile: P2MP_SOUND, receivers: 1, raw: true },
  {
    name: 'tunnel, sealed',
    profile: P2MP_SOUND,
    receivers: 1,
    raw: true,
    key: ascii('a key that both know'),
  },
]
