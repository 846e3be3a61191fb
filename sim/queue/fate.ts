import type { LinkDraws } from '../link-draws.ts'

/** What chance has in store for one frame. */
export type Fate = Readonly<
  Pick<
    LinkDraws,
    'lost' | 'duplicated' | 'reordered' | 'corrupted' | 'jitter' | 'copyJitter' | 'corruptPosition'
  >
>

/** The draws of the last frame, kept for when its turn comes. */
export function fateOf(draws: LinkDraws): Fate {
  const { lost, duplicated, reordered, corrupted, jitter, copyJitter, corruptPosition } = draws
  return { lost, duplicated, reordered, corrupted, jitter, copyJitter, corruptPosition }
}
