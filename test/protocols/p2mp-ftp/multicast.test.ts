import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { fileReceiver } from '../../../protocols/arq/file-receiver.ts'
import { fileSender } from '../../../protocols/arq/file-sender.ts'
import { createLoss } from '../../../protocols/arq/loss.ts'
import { receiveAs, sendAs, type TransferProfile } from '../../../protocols/arq/profile.ts'
import type { SendReport } from '../../../protocols/arq/report.ts'
import { concatBytes, type Bytes } from '../../../protocols/bytes.ts'
import { P2MP_CANONICAL, P2MP_SOUND } from '../../../protocols/p2mp-ftp/profiles.ts'
import { s } from '../../../protocols/time.ts'
import { runScenario } from '../../../sim/run.ts'
import { defineScenario } from '../../../sim/scenario.ts'
import { randomBytes } from '../../sim/two-hosts.ts'

const PORT = 7735
const GROUP = ip('239.1.2.3')
const NAMES = ['r1', 'r2', 'r3']

interface Plan {
  readonly profile: TransferProfile
  readonly key?: Bytes
  /** Numbers that each receiver loses. */
  readonly losses: readonly (readonly number[])[]
  /** Those who have joined; all, where left out. */
  readonly members?: readonly string[]
  readonly recorded: boolean
}

/** A file of twenty packets from one host to three on a switch. */
async function sendToAll({ profile, key, losses, members = NAMES, recorded }: Plan) {
  const content = randomBytes(1950, 7)
  const results = NAMES.map(() => [] as Bytes[])
  const ends: SendReport[] = []
  const secret = key === undefined ? {} : { key }
  const scenario = defineScenario({
    name: 'to-a-group',
    topology: { a: 'host', sw: 'switch', r1: 'host', r2: 'host', r3: 'host' },
    links: [
      { ends: { a: '10.0.0.100/24', sw: null } },
      ...NAMES.map((name, i) => ({ ends: { [name]: `10.0.0.${i + 1}/24`, sw: null } })),
    ],
    programs: {
      a: (host) => {
        const peers = NAMES.map((_, i) => ({ address: ip(`10.0.0.${i + 1}`), port: PORT }))
        const group = { address: GROUP, port: PORT }
        const state = sendAs(profile, { peers, group, unitBytes: 100, content, ...secret })
        host.run(fileSender, state, (report) => {
          if (report.kind === 'finished' || report.kind === 'failed') ends.push(report)
        })
      },
      ...Object.fromEntries(
        NAMES.map((name, i) => [
          name,
          (host) => {
            const loss = createLoss(0, 1, losses[i])
            const group = members.includes(name) ? GROUP : null
            const state = receiveAs(profile, { port: PORT, group, loss, idle: s(5), ...secret })
            host.run(fileReceiver, state, (report) => {
              if (report.kind === 'data') results[i]!.push(...report.chunks)
            })
          },
        ]),
      ),
    },
    until: '60s',
  })
  const outcome = await runScenario(scenario, { seed: '1', recorded })
  for (const chunks of results) expect(concatBytes(chunks)).toEqual(content)
  expect(ends).toHaveLength(1)
  return { end: ends[0]!, digest: outcome.digest }
}

describe.each([
  ['sound', P2MP_SOUND, [0, 3, 7]],
  ['canonical', P2MP_CANONICAL, [1, 3, 7]],
] as const)('%s', (_, profile, [first, second, third]) => {
  test('each packet goes to the group once, and again to those alone who miss it', async () => {
    const losses = [[first], [second, second], [second, third]]
    const digests = []
    for (const recorded of [false, true]) {
      const { end, digest } = await sendToAll({ profile, losses, recorded })
      digests.push(digest)
      expect(end).toMatchObject({ kind: 'finished', grouped: 20 })
      if (end.kind === 'finished') {
        expect(end.peers.map(({ resent }) => resent)).toEqual([1, 2, 2])
      }
    }
    expect(digests[1]).toBe(digests[0])
  })

  test('who has not joined gets every packet alone, a timeout later', async () => {
    const members = ['r1', 'r2']
    const plan = { profile, losses: [[], [], []], members, recorded: false }
    const { end } = await sendToAll(plan)
    expect(end).toMatchObject({ kind: 'finished', grouped: 20 })
    if (end.kind === 'finished') {
      expect(end.peers.map(({ resent }) => resent)).toEqual([0, 0, 20])
    }
  })
})

test('sealed packets are each receiver’s own: none goes to the group', async () => {
  const key = randomBytes(32, 3)
  const losses = [[], [], []]
  const { end } = await sendToAll({ profile: P2MP_SOUND, key, losses, recorded: false })
  expect(end).toMatchObject({ kind: 'finished', grouped: 0 })
})
