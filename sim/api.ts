/** What `import … from 'twinwire'` gives: the words a scenario file is written with. */
export { defineScenario } from './scenario.ts'
export { choice, count, duration, file, flag, output, rate, ratio, size, text } from './params.ts'
export { UserError } from './user-error.ts'
export type { Scenario, ScenarioSpec } from './scenario.ts'
export type { Fault, LinkBetween, LinkSpec, NodeSpec, Program, Topology } from './scenario.ts'
export type { Outcome } from './outcome.ts'
