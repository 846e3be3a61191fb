import { ip } from '../../../protocols/address.ts'
import { type Bytes, concatBytes } from '../../../protocols/bytes.ts'
import { fileReceiver } from '../../../protocols/arq/file-receiver.ts'
import { fileSender } from '../../../protocols/arq/file-sender.ts'
import {
  type ReceiveOptions,
  receiveAs,
  type SendOptions,
  sendAs,
  type TransferProfile,
} from '../../../protocols/arq/profile.ts'
import type { ReceiveReport, SendReport } from '../../../protocols/arq/report.ts'
import { MemoryFiles } from '../../../sim/files.ts'
import type { Outcome } from '../../../sim/outcome.ts'
import { type RunOptions, runScenario } from '../../../sim/run.ts'
import { defineScenario, type Fault, type LinkSpec } from '../../../sim/scenario.ts'

export const PORT = 7735
/** A sender `s` and receivers `r1`, `r2` …, each on a link of its own: 10.0.1.2, 10.0.2.2 … */
export interface TransferPlan {
  readonly profile: TransferProfile
  readonly content: Bytes
  readonly unitBytes?: number
  readonly receivers?: number
  /** Of every link; 10 ms each way unless said otherwise. */
  readonly link?: LinkSpec
  readonly faults?: readonly Fault[]
  readonly send?: Partial<SendOptions>
  readonly receive?: (receiver: number) => Partial<ReceiveOptions>
  readonly until?: string
  readonly seed?: string
  readonly run?: Partial<RunOptions>
  /** What a receiver has on its disk, and finds there again after a crash. */
  readonly keepsParts?: boolean
}

export interface TransferResult {
  readonly sent: (SendReport & { readonly kind: 'finished' | 'failed' }) | null
  /** With the sender's time in ms. */
  readonly said: readonly string[]
  readonly receivers: readonly ReceiverResult[]
  readonly outcome: Outcome
}

export interface ReceiverResult {
  /** What would be in the file. */
  readonly content: Bytes
  readonly said: readonly string[]
  readonly ended: string | null
  /** How often a whole file was handed over. */
  readonly files: number
}

/** Runs one transfer over simulated hosts. */
export async function transfer(plan: TransferPlan): Promise<TransferResult> {
  const { profile, content, unitBytes = 100, receivers = 1, link = {}, seed = '1' } = plan
  const names = Array.from({ length: receivers }, (_, i) => `r${i + 1}`)
  let sent: TransferResult['sent'] = null
  const said: string[] = []
  const results = names.map(() => ({
    content: new Uint8Array(0) as Bytes,
    said: [] as string[],
    ended: null as string | null,
    files: 0,
  }))
  const carrier = plan.send?.carrier
  const peers = names.map((_, i) => ({
    address: ip(`10.0.${i + 1}.2`),
    port: carrier?.protocol === 'raw' ? 0 : PORT,
  }))
  const scenario = defineScenario({
    name: 'transfer',
    topology: Object.fromEntries(['s', ...names].map((name) => [name, 'host'])),
    links: names.map((name, i) => ({
      ends: { s: `10.0.${i + 1}.1/24`, [name]: `10.0.${i + 1}.2/24` },
      delay: '10ms',
      ...link,
    })),
    faults: plan.faults ?? [],
    until: plan.until ?? '600s',
    programs: {
      s: (host) => {
        const options = { session: host.boots, ...plan.send, peers, unitBytes, content }
        host.run(fileSender, sendAs(profile, options), (report, now) => {
          if (report.kind === 'line') said.push(`${now / 1e6} ${report.text}`)
          if (report.kind === 'finished' || report.kind === 'failed') sent = report
        })
      },
      ...Object.fromEntries(
        names.map((name, i) => [
          name,
          (host) => {
            const result = results[i]!
            const options = {
              port: PORT,
              epoch: host.boots * 1000,
              asks: plan.keepsParts === true,
              ...(carrier === undefined ? {} : { carrier }),
              ...plan.receive?.(i),
            }
            let part: Bytes[] = []
            let hash = ''
            const running = host.run(fileReceiver, receiveAs(profile, options), (report, now) => {
              hear(report, now)
            })
            function hear(report: ReceiveReport, now: number) {
              switch (report.kind) {
                case 'line':
                  result.said.push(`${now / 1e6} ${report.text}`)
                  return
                case 'offered': {
                  const have = host.storage.get(report.file.hash) ?? new Uint8Array(0)
                  return running.command({ kind: 'accept', have })
                }
                case 'begun': {
                  const kept = host.storage.get(report.file?.hash ?? '') ?? new Uint8Array(0)
                  part = [kept.subarray(0, report.have)]
                  hash = report.file?.hash ?? ''
                  return
                }
                case 'data':
                  part.push(...report.chunks)
                  result.said.push(`${now / 1e6} data ${report.bytes}`)
                  if (plan.keepsParts === true) host.storage.set(hash, concatBytes(part))
                  return
                case 'finished':
                  result.files += 1
                  result.content = concatBytes(part)
                  result.ended = `finished by ${report.by}`
                  return
                case 'failed':
                  result.ended = `failed: ${report.why}`
                  return
                case 'refused':
                  result.ended = `refused: ${report.error}`
                  return
                case 'closed':
              }
            }
          },
        ]),
      ),
    },
  })
  const outcome = await runScenario(scenario, { seed, files: new MemoryFiles(), ...plan.run })
  if (outcome.failure !== null) throw new Error(outcome.failure)
  return { sent, said, receivers: results, outcome }
}
