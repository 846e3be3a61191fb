import { text } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario, type LinkBetween, type NodeSpec, type Program } from '../sim/scenario.ts'
import { UserError } from '../sim/user-error.ts'
import { type Claim, codeOf, type Place, specOf } from './parity/claim.ts'
import { linkClaims } from './parity/link-claims.ts'
import { tcpClaims } from './parity/tcp-claims.ts'
import { windowClaims } from './parity/window-claims.ts'

const CLAIMS: readonly Claim[] = [...linkClaims, ...tcpClaims, ...windowClaims]

/** Those that are asked for, each with its number among all. */
function chosen(only: string): readonly (readonly [number, Claim])[] {
  const all = CLAIMS.map((claim, i) => [i, claim] as const)
  if (only === 'all') return all
  const found = all.filter(([, { name }]) => name === only)
  if (found.length > 0) return found
  throw new UserError(`there is no claim '${only}'`, {
    where: '--set only',
    hint: `one of ${CLAIMS.map(({ name }) => name).join(', ')}`,
  })
}

const placeOf = (index: number, { name }: Claim): Place => ({
  a: `10.${index}.0.1`,
  b: `10.${index}.0.2`,
  nodeA: `${name}-a`,
  nodeB: `${name}-b`,
  tell: (host: Host, outcome) => host.note(name, outcome === true ? 'yes' : String(outcome)),
})

export default defineScenario({
  name: 'pytcp-parity',
  about: `What a small TCP/IP stack has to do, claim by claim, each by two hosts on a cable of their own that
    loses, delays, damages and reorders as it takes to show it: what the author of such a stack cannot
    test without a lab for it. Try --set only=wrap --trace.`,
  params: { only: text('all', 'one claim, by its name') },
  topology: ({ only }) => {
    const nodes: { [name: string]: NodeSpec } = {}
    for (const [index, claim] of chosen(only)) {
      const { nodeA, nodeB } = placeOf(index, claim)
      nodes[nodeA] = specOf(claim.a)
      nodes[nodeB] = specOf(claim.b)
    }
    return nodes
  },
  links: ({ only }) =>
    chosen(only).map(([index, claim]): LinkBetween => {
      const { a, b, nodeA, nodeB } = placeOf(index, claim)
      const [endA, endB] = claim.ends ?? [`${a}/24`, `${b}/24`]
      return { delay: '1ms', ...claim.link, ends: { [nodeA]: endA, [nodeB]: endB } }
    }),
  programs: ({ only }) => {
    const programs: { [name: string]: Program } = {}
    for (const [index, claim] of chosen(only)) {
      const place = placeOf(index, claim)
      const { a, b } = claim.programs(place)
      // One that fails says so in its own place: the others go on.
      if (a !== undefined) {
        programs[place.nodeA] = async (host) => {
          try {
            await a(host)
          } catch (error) {
            place.tell(host, codeOf(error))
          }
        }
      }
      if (b !== undefined) programs[place.nodeB] = b
    }
    return programs
  },
  // A router advertises for ever; the sequence numbers come to their end within 17,180 s.
  until: '18000s',
  expect: ({ notes }, { only }) =>
    chosen(only).map(([, { name, that }]) => ({
      that,
      holds: notes[name] === 'yes',
      actual: String(notes[name] ?? 'it never came about'),
    })),
})
