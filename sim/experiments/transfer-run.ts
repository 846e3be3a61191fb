import { ip } from '../../protocols/address.ts'
import { fileReceiver } from '../../protocols/arq/file-receiver.ts'
import { fileSender } from '../../protocols/arq/file-sender.ts'
import { createLoss } from '../../protocols/arq/loss.ts'
import { receiveAs, sendAs, type TransferProfile } from '../../protocols/arq/profile.ts'
import type { Bytes } from '../../protocols/bytes.ts'
import { murmur3 } from '../../protocols/murmur3.ts'
import { ascii } from '../../protocols/services/ascii.ts'
import { NEVER, type Nanos } from '../../protocols/time.ts'
import { startApplication } from '../application.ts'
import type { Node } from '../node.ts'
import { planNetwork } from '../topology.ts'
import { World } from '../world.ts'

/** One transfer of an experiment. */
export interface TransferRun {
  readonly profile: TransferProfile
  readonly bytes: number
  readonly receivers: number
  readonly unitBytes: number
  /** Loss at each receiver, drawn for every data packet. */
  readonly p: number
  /** Of every path, both ways together. */
  readonly roundTrip: Nanos
  /** Bits per second of the sender's link; `null`: serialisation takes no time. */
  readonly rate: number | null
  readonly seed: string
}

const PORT = 7735

/**
 * How long the sender takes, from its first packet to the last acknowledgement: through UDP, IPv4,
 * ARP and Ethernet of simulated hosts, each receiver at the far end of a link of its own. Nobody
 * watches, so nothing is spent on a trace.
 *
 * @throws Error where the transfer does not come to its end.
 */
export function transferSpan(run: TransferRun): Nanos {
  const { profile, unitBytes, p, seed } = run
  const names = Array.from({ length: run.receivers }, (_, i) => `r${i + 1}`)
  const world = worldOf(run, names)
  const [sender, ...receivers] = ['s', ...names].map((name) => nodeOf(world, name))
  for (const node of receivers) {
    const loss = createLoss(p, murmur3(ascii(`${seed}/${node.name}`), 0))
    const state = receiveAs(profile, { port: PORT, loss })
    startApplication(world, node, fileReceiver, state, () => {})
  }
  const peers = names.map((_, i) => ({ address: ip(`10.0.${i}.2`), port: PORT }))
  const content = contentOf(run.bytes)
  let span: Nanos = NEVER
  startApplication(
    world,
    sender!,
    fileSender,
    sendAs(profile, { peers, unitBytes, content }),
    (report) => {
      if (report.kind === 'finished') span = report.span
      else if (report.kind === 'failed') throw new Error('the transfer failed')
    },
  )
  while (span === NEVER) world.step()
  return span
}

function worldOf({ roundTrip, rate, seed }: TransferRun, names: readonly string[]): World {
  const topology = Object.fromEntries(['s', ...names].map((name) => [name, 'host' as const]))
  const delay = `${Math.round(roundTrip / 2)}ns`
  const links = names.map((name, i) => ({
    ends: { s: `10.0.${i}.1/24`, [name]: `10.0.${i}.2/24` },
    delay,
    ...(rate === null ? {} : { rate: `${rate}bit` }),
  }))
  return new World(planNetwork(topology, links), { seed })
}

function nodeOf(world: World, name: string): Node {
  const node = world.nodes.find((each) => each.name === name)
  if (node === undefined) throw new TypeError(`there is no node ${name}`)
  return node
}

/** Nobody looks at them: the bytes of every transfer of this size are the same. */
function contentOf(bytes: number): Bytes {
  const content = new Uint8Array(bytes)
  for (let i = 0; i < bytes; i++) content[i] = (i * 31 + (i >> 8)) & 0xff
  return content
}
