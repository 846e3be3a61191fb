import type { ClaimPolicy } from '../protocols/arp/claim.ts'
import type { ArpSpec, ClaimSpec } from './scenario.ts'
import { didYouMean } from './suggest.ts'
import { unknownKey } from './topology-links.ts'
import { parseDuration } from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'

const METHODS = ['probe', 'announce'] as const
const DEFENCES = ['never', 'once', 'always'] as const
const KEYS: readonly (keyof ClaimSpec)[] = ['method', 'defend', 'from']

/**
 * Reads how a node comes by its addresses; `null`: they are simply its own.
 *
 * @throws UserError for an unknown word or key, or a time that cannot be read.
 */
export function readArp(written: ArpSpec | undefined, where: string): ClaimPolicy | null {
  if (written === undefined || written === 'off') return null
  const spec = typeof written === 'string' ? { method: written } : written
  for (const key of Object.keys(spec)) {
    if (!KEYS.includes(key as keyof ClaimSpec)) throw unknownKey(key, KEYS, `${where}: arp`)
  }
  const from = parseDuration(spec.from ?? 0)
  if (isRefusal(from)) throw refused(from, `${where}: arp.from`, String(spec.from))
  return {
    method: oneOf(spec.method ?? 'probe', METHODS, `${where}: arp`),
    defend: oneOf(spec.defend ?? 'once', DEFENCES, `${where}: arp.defend`),
    from,
  }
}

function oneOf<const Word extends string>(
  written: string,
  words: readonly Word[],
  where: string,
): Word {
  const found = words.find((word) => word === written)
  if (found !== undefined) return found
  const hint = didYouMean(written, words)
  throw new UserError(`'${written}' is not a way to do this`, { where, word: written, hint })
}
