/**
 * What `import … from 'twinwire/testing'` gives: tests of timing, in virtual time.
 *
 * @module twinwire/testing
 */
export { timeline } from './timeline.ts'
export { story } from './story.ts'
export type { TimelineOptions } from './timeline.ts'
export type { Say, StoryOptions } from './story.ts'

// What a timeline sets, and what it watches.
export type { TcpChoices } from '../../protocols/tcp/policy.ts'
export type { TcpProfile } from '../../protocols/tcp/profile.ts'
export type { TcpState } from '../../protocols/tcp/state.ts'
