import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { type Bytes, concatBytes, toHex } from '../../../protocols/bytes.ts'
import { emitIpv4 } from '../../../protocols/ipv4/codec.ts'
import { s as seconds } from '../../../protocols/time.ts'
import {
  createFarEnd,
  FAR_DEFAULTS,
  type FarEndConfig,
  farEnd,
} from '../../../protocols/tunnel/far-end.ts'
import {
  CHUNK_BYTES,
  createNearEnd,
  NEAR_POLICY,
  nearEnd,
  type NearEndConfig,
  type TunnelReport,
} from '../../../protocols/tunnel/near-end.ts'
import { MemoryFiles } from '../../../sim/files.ts'
import { type RunOptions, runScenario } from '../../../sim/run.ts'
import { defineScenario, type Fault, type LinkSpec } from '../../../sim/scenario.ts'

const address = (text: string): Ipv4Address => ip(text) as Ipv4Address
export const ENDS = {
  near: address('192.168.43.181'),
  far: address('192.168.43.222'),
  inner: address('20.20.20.20'),
}

export interface TunnelPlan {
  readonly content: Bytes
  readonly near?: Partial<NearEndConfig>
  readonly far?: Partial<FarEndConfig>
  readonly link?: LinkSpec
  readonly to?: { readonly [node: string]: LinkSpec }
  readonly faults?: readonly Fault[]
  readonly seed?: string
  readonly until?: string
  readonly run?: Partial<RunOptions>
  readonly absent?: boolean
}

/** The tunnel between two simulated hosts, 1 ms apart. */
export async function tunnel(plan: TunnelPlan) {
  const shape = plan.near?.shape ?? plan.far?.shape ?? 'loop-back'
  const version = plan.near?.version ?? '12'
  const first = plan.near?.first ?? 0
  const common = { shape, version, first, ends: ENDS }
  const packets: { readonly from: string; readonly hex: string; readonly at: number }[] = []
  const near = { parts: [] as Bytes[], lines: [] as string[], ended: [] as string[] }
  const far = { parts: [] as Bytes[], lines: [] as string[], ended: [] as string[] }
  const hearer = (side: typeof near) => (report: TunnelReport, now: number) => {
    if (report.kind === 'line') side.lines.push(`${now / 1e6} ${report.text}`)
    else if (report.kind === 'data') side.parts.push(...report.chunks)
    else if (report.kind === 'finished') side.ended.push(`finished ${report.span / 1e6}`)
    else side.ended.push(report.kind === 'failed' ? report.why : report.error)
  }
  const scenario = defineScenario({
    name: 'tunnel',
    topology: { a: 'host', b: 'host' },
    links: [
      {
        ends: { a: '192.168.43.181/24', b: '192.168.43.222/24' },
        delay: '1ms',
        ...plan.link,
        ...(plan.to === undefined ? {} : { to: plan.to }),
      },
    ],
    faults: plan.faults ?? [],
    until: plan.until ?? '600s',
    programs: {
      a: (host) => {
        const config: NearEndConfig = {
          ...common,
          content: plan.content,
          chunkBytes: CHUNK_BYTES,
          policy: NEAR_POLICY,
          idle: seconds(30),
          ...plan.near,
        }
        host.run(nearEnd, createNearEnd(config), hearer(near))
      },
      b: (host) => {
        if (plan.absent === true) return
        const config: FarEndConfig = { ...common, ...FAR_DEFAULTS, ...plan.far }
        host.run(farEnd, createFarEnd(config), hearer(far))
      },
    },
  })
  const outcome = await runScenario(scenario, {
    seed: plan.seed ?? '1',
    files: new MemoryFiles(),
    observers: [
      (record) => {
        if (record.kind !== 'sent' || record.frame.payload.kind !== 'ipv4') return
        const hex = toHex(emitIpv4(record.frame.payload))
        packets.push({ from: record.node, hex, at: record.at / 1e6 })
      },
    ],
    ...plan.run,
  })
  if (outcome.failure !== null) throw new Error(outcome.failure)
  const told = (side: typeof near) => ({ ...side, content: concatBytes(side.parts) })
  return { near: told(near), far: told(far), packets, outcome }
}
