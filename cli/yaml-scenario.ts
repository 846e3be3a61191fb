import { dirname, resolve } from 'node:path'
import type { Params } from '../sim/params.ts'
import type {
  ExpectationSpec,
  Fault,
  LinkBetween,
  Quantity,
  Scenario,
  ScenarioSpec,
  Topology,
} from '../sim/scenario.ts'
import { type Cable, type Shape, withAddresses } from '../sim/shape-draft.ts'
import { chain, dumbbell, fullMesh, random, star, tree } from '../sim/shapes.ts'
import { UserError } from '../sim/user-error.ts'
import { besideFile, type LoadedScenario } from './load-scenario.ts'
import { type ScenarioData, checkForm } from './yaml-check.ts'
import { checkPlaces, fill, readParams } from './yaml-params.ts'
import { readPrograms } from './yaml-programs.ts'
import { type Path, YamlSource } from './yaml-source.ts'

type Values = { readonly [name: string]: unknown }
type Spec = ScenarioSpec<Params>

/**
 * Reads a scenario that is written as YAML or JSON.
 *
 * @throws UserError with file and line for whatever is wrong with the file.
 */
export function loadYamlScenario(path: string): LoadedScenario {
  const full = resolve(path)
  const source = new YamlSource(full)
  const data = checkForm(source)
  const locate = (e: UserError) => placeOf(e, data, source)
  checkNetwork(data, source)
  try {
    const params = readParams(data.params ?? {})
    checkPlaces(source, params)
    const scenario: Scenario = { spec: compile(data, params) }
    return { scenario: besideFile(scenario, dirname(full)), sources: [full], locate }
  } catch (e) {
    if (!(e instanceof UserError) || e.where?.startsWith('param ') !== true) throw e
    throw new UserError(e.message, { where: `${locate(e)}: ${e.where}`, hint: e.hint })
  }
}

/** A network is written in one of three ways. */
function checkNetwork(data: ScenarioData, source: YamlSource): void {
  const { topology, shape } = data
  const links = (data.links ?? []) as readonly object[]
  const fail = (path: Path, message: string, hint: string): never => {
    throw new UserError(message, { where: source.placeOf(path), hint })
  }
  if (shape !== undefined) {
    if (topology === undefined && data.links === undefined) return
    const key = topology === undefined ? 'links' : 'topology'
    fail([key], `both 'shape' and '${key}'`, 'a shape has its nodes and links: take one away')
  }
  if (topology === undefined) {
    fail([], "'topology' is missing", "write 'topology' with 'links', or a 'shape'")
  }
  links.forEach((link, index) => {
    const [ends, between] = ['ends' in link, 'between' in link]
    const path = ['links', index]
    if (ends === between) {
      const message = ends ? "both 'ends' and 'between'" : "'ends' is missing"
      fail(path, message, "write 'ends' with addresses, or 'between' to have them given out")
    }
    if (ends !== 'ends' in links[0]!) {
      const message = "'ends' and 'between' in one network"
      fail(path, message, 'give every link its addresses, or none')
    }
  })
}

function compile(data: ScenarioData, params: Params): Scenario['spec'] {
  const filled = (part: unknown, values: Values) => fill(part, params, values)
  const network = (values: Values) => networkOf(data, (part) => filled(part, values))
  const spec: { -readonly [Key in keyof Spec]: Spec[Key] } = {
    name: data.name,
    params,
    topology: (values) => network(values).topology,
    links: (values) => network(values).links,
  }
  const { about, programs, faults, until, expect } = data
  if (about !== undefined) spec.about = about
  if (programs !== undefined) {
    spec.programs = (values) =>
      readPrograms(filled(programs, values) as typeof programs, network(values).links)
  }
  if (faults !== undefined) spec.faults = (values) => filled(faults, values) as Fault[]
  if (until !== undefined) spec.until = (values) => filled(until, values) as Quantity
  if (expect !== undefined) spec.expect = (_, values) => filled(expect, values) as ExpectationSpec[]
  return spec
}

function networkOf(data: ScenarioData, filled: (part: unknown) => unknown): Shape {
  if (data.shape !== undefined) return shapeOf(filled(data.shape) as { kind: string })
  const topology = filled(data.topology) as Topology
  const links = filled(data.links ?? []) as readonly (LinkBetween | Cable)[]
  const cables = links.filter((link) => 'between' in link)
  if (cables.length > 0) return withAddresses(topology, cables)
  return { topology, links: links as readonly LinkBetween[] }
}

const SHAPES: { readonly [kind: string]: (options: never) => Shape } = {
  chain,
  star,
  dumbbell,
  tree,
  'full-mesh': fullMesh,
  random,
}

function shapeOf({ kind, ...options }: { readonly kind: string }): Shape {
  try {
    return SHAPES[kind]!(options as never)
  } catch (e) {
    if (!(e instanceof UserError)) throw e
    throw new UserError(e.message, { where: `shape: ${e.where ?? kind}`, hint: e.hint })
  }
}

/** Where in the file the thing stands that the simulator could not use. */
function placeOf(e: UserError, data: ScenarioData, source: YamlSource): string {
  const [first = '', ...inner] = (e.where ?? '').split(': ')
  const words = [...(e.word === undefined ? [] : [e.word]), ...inner.toReversed()]
  return source.placeWithin(pathOf(first, data), words)
}

/** The part of the file that errors call `node a`, `link a-b`, `fault 2` and so on. */
function pathOf(name: string, data: ScenarioData): Path {
  const [, kind, which] = /^(\S+) (.*)$/.exec(name) ?? [undefined, name, '']
  const number = Number(/\d+/.exec(which)?.[0]) - 1
  switch (kind) {
    case 'node':
      return data.topology === undefined ? ['shape'] : ['topology', which]
    case 'link':
      return data.links === undefined ? ['shape'] : ['links', linkIndex(which, number, data)]
    case 'fault':
      return ['faults', number]
    case 'expectation':
      return ['expect', number]
    case 'program':
      return ['programs', which.split(' of ')[1] ?? '', number]
    case 'param':
      return ['params', which]
    default:
      return [kind]
  }
}

/** `a-b`, the first one of the two; a number where the link has no two ends. */
function linkIndex(ends: string, number: number, data: ScenarioData): number {
  const named = (data.links ?? []).findIndex((link) => {
    const { ends: written, between } = link as Partial<LinkBetween & Cable>
    return (between ?? Object.keys(written ?? {})).join('-') === ends
  })
  return named < 0 ? number : named
}
