import { describe, expect, test } from 'vitest'
import { createLoss } from '../../../protocols/arq/loss.ts'
import { equalBytes } from '../../../protocols/bytes.ts'
import { P2MP_CANONICAL, P2MP_SEED, P2MP_SOUND } from '../../../protocols/p2mp-ftp/profiles.ts'
import { ms, s } from '../../../protocols/time.ts'
import { randomBytes } from '../../sim/two-hosts.ts'
import { transfer } from '../arq/transfer.ts'

const content = randomBytes(1950, 1)

// Hosts, UDP, IP and Ethernet; ARP takes a round trip of 20 ms before the first packet.
describe.each([1, 2, 3, 4, 5])('%i receivers, nothing is lost', (receivers) => {
  test('takes a round trip for each segment, and prints nothing', async () => {
    const result = await transfer({ profile: P2MP_CANONICAL, content, receivers })
    expect(result.sent).toMatchObject({ kind: 'finished', span: (20 + 1) * ms(20), timeouts: 0 })
    expect(result.said).toEqual([])
    for (const { content: arrived, ended, said } of result.receivers) {
      expect(arrived).toEqual(content)
      expect(ended).toBe('finished by silence')
      expect(said.filter((line) => !line.includes('data'))).toEqual([])
    }
  })
})

test('lines as the course asks for them: segment 1, the same three times, and the last', async () => {
  const losses = [[1], [5, 5, 5], [19]]
  const result = await transfer({
    profile: P2MP_CANONICAL,
    content,
    receivers: 3,
    receive: (i) => ({ loss: createLoss(0, 1, losses[i]), idle: s(5) }),
  })
  // 40 ms until 0 is acknowledged; 1 is sent at 40, lost at 50, and sent again at 140 ms.
  expect(result.said).toEqual([
    '140 Timeout, sequence number = 1',
    '320 Timeout, sequence number = 5',
    '420 Timeout, sequence number = 5',
    '520 Timeout, sequence number = 5',
    '900 Timeout, sequence number = 19',
  ])
  expect(result.receivers.map(({ said }) => said.filter((line) => !line.includes('data')))).toEqual(
    [
      ['50 Packet loss, sequence number = 1'],
      [
        '230 Packet loss, sequence number = 5',
        '330 Packet loss, sequence number = 5',
        '430 Packet loss, sequence number = 5',
      ],
      ['810 Packet loss, sequence number = 19'],
    ],
  )
  // Only who missed it got it again.
  expect(result.sent!.peers).toEqual([
    { sent: 21, resent: 1, why: null },
    { sent: 23, resent: 3, why: null },
    { sent: 21, resent: 1, why: null },
  ])
})

test('the document’s dialect: numbers from 1, and datagrams eight times as long', async () => {
  const result = await transfer({
    profile: P2MP_SEED,
    content,
    unitBytes: 1000, // 8064 bytes: the IP layer cuts them into pieces
    receivers: 2,
    receive: (i) => ({ loss: createLoss(0, 1, i === 0 ? [2] : []), idle: s(5) }),
  })
  expect(result.said).toEqual(['140 Timeout, sequence number = 2'])
  expect(result.receivers[0]!.content).toEqual(content)
  expect(result.receivers[1]!.content).toEqual(content)
})

test('the same seed, the same digest: in place, recorded and with every frame encoded', async () => {
  const plan = {
    profile: P2MP_SOUND,
    content: randomBytes(20_000, 2),
    unitBytes: 1000,
    receivers: 2,
    link: { loss: '10%', reorder: '20%', duplicate: '10%' },
    until: '60s',
  } as const
  const first = await transfer(plan)
  expect(first.sent?.kind).toBe('finished')
  for (const run of [{}, { recorded: true }, { wireExact: true }]) {
    expect((await transfer({ ...plan, run })).outcome.digest).toBe(first.outcome.digest)
  }
})

test('a receiver that is slow to the point of silence is left behind, where that is the policy', async () => {
  const policy = { ...P2MP_SOUND.policy, exhausted: 'drop-peer', retries: 4 } as const
  const result = await transfer({
    profile: { ...P2MP_SOUND, policy },
    content: randomBytes(300_000, 3),
    unitBytes: 1000,
    receivers: 3,
    link: { rate: '10Mbit' },
    faults: [{ at: '100ms', crash: 'r2' }],
    until: '120s',
  })
  expect(result.sent).toMatchObject({ kind: 'failed' })
  expect(result.sent!.peers.map(({ why }) => why)).toEqual([null, 'no answer', null])
  expect(result.receivers.map(({ ended }) => ended)).toEqual([
    'finished by hash',
    null,
    'finished by hash',
  ])
})

test('a receiver whose host crashes goes on from what is on its disk', async () => {
  const whole = randomBytes(1_000_000, 4)
  const result = await transfer({
    profile: P2MP_SOUND,
    content: whole,
    unitBytes: 1000,
    link: { rate: '10Mbit' },
    faults: [{ at: '500ms', crash: 'r1', for: '2s' }],
    keepsParts: true,
    until: '120s',
  })
  expect(result.sent?.kind).toBe('finished')
  expect(equalBytes(result.receivers[0]!.content, whole)).toBe(true)
  // At 10 Mbit/s some 500 of 1000 units had come by 500 ms.
  expect(result.sent!.peers[0]!.sent).toBeLessThan(1450)
})

test('nobody listens on the port: an ICMP error is a hint, and the retries decide', async () => {
  const profile = { ...P2MP_SOUND, policy: { ...P2MP_SOUND.policy, retries: 3 } }
  const result = await transfer({
    profile,
    content,
    receive: () => ({ port: 9 }),
    until: '120s',
  })
  expect(result.sent).toMatchObject({ kind: 'failed' })
  expect(result.sent!.peers[0]!.why).toBe('unreachable')
  expect(result.sent!.span).toBe(s(7.5))
})
