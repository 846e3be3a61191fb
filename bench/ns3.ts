import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Row } from './measure.ts'

// The peer: the same workloads on ns-3, where it is installed, so that a ratio compares two figures
// of one machine and one hour.

const SOURCES = join(import.meta.dirname, '..', '..', 'bench', 'ns3')
const BUILT = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'bench-ns3')
const FLAGS = ['-O3', '-std=c++17', '-I/usr/include/libxml2']
const LIBRARIES = ['core', 'network', 'internet', 'point-to-point', 'applications']
  .concat('traffic-control', 'stats')
  .map((name) => `-lns3-${name}`)

export type Ns3Program = 'dumbbell' | 'event-loop' | 'idle'

/** Why there will be no figures of ns-3; `null` where there can be. */
export function ns3Missing(): string | null {
  const input = '#include "ns3/core-module.h"\n'
  const tried = spawnSync('g++', ['-fsyntax-only', '-x', 'c++', '-', ...FLAGS], { input })
  if (tried.error !== undefined) return 'there is no g++'
  return tried.status === 0 ? null : 'ns-3 is not installed (Debian: apt-get install libns3-dev)'
}

/** Builds the program if need be, runs it, and returns the figures that it prints. */
export function runNs3(program: Ns3Program, settings: readonly string[]): Row {
  const { status, stdout, stderr } = spawnSync(build(program), settings, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ns-3 ${program} ${settings.join(' ')} failed: ${stderr}`)
  return JSON.parse(stdout) as Row
}

function build(program: Ns3Program): string {
  const source = join(SOURCES, `${program}.cc`)
  const binary = join(BUILT, program)
  const newest = Math.max(modified(source), modified(join(SOURCES, 'measure.h')))
  if (existsSync(binary) && modified(binary) > newest) return binary
  mkdirSync(BUILT, { recursive: true })
  process.stderr.write(`building ns-3 ${program} …\n`)
  const args = [...FLAGS, source, '-o', binary, ...LIBRARIES]
  const { status, stderr } = spawnSync('g++', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`g++ cannot build ${source}: ${stderr.slice(0, 2000)}`)
  return binary
}

const modified = (path: string): number => statSync(path).mtimeMs
