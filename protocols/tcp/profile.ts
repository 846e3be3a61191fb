import type { TcpPolicy } from './policy.ts'
import { FREEBSD } from './profiles/freebsd.ts'
import { LINUX } from './profiles/linux.ts'
import { PYTCP } from './profiles/pytcp.ts'
import { RFC } from './profiles/rfc.ts'

/** Whose choices a TCP makes. A profile is data: no engine asks for its name. */
export const TCP_PROFILES = { rfc: RFC, linux: LINUX, freebsd: FREEBSD, pytcp: PYTCP } as const

export type TcpProfile = keyof typeof TCP_PROFILES

export const TCP_PROFILE_NAMES = Object.keys(TCP_PROFILES) as readonly TcpProfile[]

export const DEFAULT_PROFILE: TcpProfile = 'rfc'

export const isTcpProfile = (name: string): name is TcpProfile => Object.hasOwn(TCP_PROFILES, name)

/** @throws nothing; a name that is no profile's is a mistake of the caller's, found by its type. */
export const policyOf = (profile: TcpProfile): TcpPolicy => TCP_PROFILES[profile]
