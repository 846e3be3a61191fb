import type { Host } from '../sim/programs.ts'
import type { Program, Scenario } from '../sim/scenario.ts'

type Written = Exclude<Scenario['spec']['programs'], undefined>
type Programs = Exclude<Written, (params: never) => unknown>

/**
 * The same scenario, with an ear at its programs: `failed` hears what one of them threw, and its
 * stack, of which the outcome keeps only the words. The programs notice nothing.
 */
export function watchPrograms(scenario: Scenario, failed: (e: unknown) => void): Scenario {
  const { programs } = scenario.spec
  if (programs === undefined) return scenario
  const watched: Written =
    typeof programs === 'function'
      ? (params) => watchAll(programs(params), failed)
      : watchAll(programs, failed)
  return { spec: { ...scenario.spec, programs: watched } }
}

function watchAll(programs: Programs, failed: (e: unknown) => void): Programs {
  const watch = (program: Program): Program =>
    function watched(host: Host) {
      try {
        const running = program(host)
        // A second listener: the promise that the run waits for stays the program's own.
        if (running instanceof Promise) running.catch(failed)
        return running
      } catch (e) {
        failed(e)
        throw e
      }
    }
  return Object.fromEntries(
    Object.entries(programs).map(([node, each]) => [
      node,
      typeof each === 'function' ? watch(each) : Array.isArray(each) ? each.map(watch) : each,
    ]),
  )
}
