import { describe, expect, test } from 'vitest'
import ipTunnel from '../../scenarios/ip-tunnel.ts'
import p2mpFtp from '../../scenarios/p2mp-ftp.ts'
import tunnelCarry from '../../scenarios/tunnel-carry.ts'
import simpleFtp from '../../scenarios/simple-ftp.ts'
import { NodeFiles } from '../../cli/files.ts'
import { runScenario } from '../../sim/run.ts'
import type { Scenario } from '../../sim/scenario.ts'

async function outcomeOf(scenario: Scenario, settings: { [name: string]: string }, seed = '1') {
  const outcome = await runScenario(scenario, { seed, settings, files: new NodeFiles() })
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  expect(outcome.failure).toBeNull()
  return outcome
}

describe('p2mp-ftp', () => {
  test.each(['sound', 'canonical', 'seed'])('%s: all three have every byte', async (profile) => {
    const { notes } = await outcomeOf(p2mpFtp, { profile })
    expect(notes['let go at r1']).toBeGreaterThan(0)
  })
  test('to a group first: the sender sends less than half as many frames', async () => {
    const [alone, grouped] = await Promise.all(
      ['false', 'true'].map((multicast) => outcomeOf(p2mpFtp, { multicast })),
    )
    const frames = [alone, grouped].map(
      (each) => each!.hosts.find(({ name }) => name === 'sender')!.sentFrames,
    )
    expect(frames[1]! / frames[0]!).toBeLessThan(0.5)
  })
  test('a window and estimated timeouts are several times as fast', async () => {
    const [sound, canonical] = await Promise.all(
      ['sound', 'canonical'].map((profile) => outcomeOf(p2mpFtp, { profile })),
    )
    const [fast, slow] = [sound, canonical].map((each) => each!.marks['everybody has it']!)
    expect(slow! / fast!).toBeGreaterThan(3)
  })
})

describe('simple-ftp', () => {
  test('Go-back-N sends much more again than Selective Repeat', async () => {
    const again = async (arq: string) =>
      (await outcomeOf(simpleFtp, { arq })).notes['packets sent again'] as number
    expect((await again('go-back-n')) / (await again('selective-repeat'))).toBeGreaterThan(4)
    expect(await again('session')).toBeLessThan(60)
  })
})

describe('ip-tunnel', () => {
  test.each([
    ['loop-back', '12'],
    ['loop-back', '8'],
    ['one-way', '12'],
    ['one-way', 'id-only'],
  ])('%s, header %s: the file is there once', async (shape, header) => {
    await outcomeOf(ipTunnel, { shape, header })
  })
})

describe('tunnel-carry', () => {
  const seconds = async (settings: { [name: string]: string }) => {
    const spans: number[] = []
    for (const seed of ['1', '2', '3']) {
      const { marks } = await outcomeOf(tunnelCarry, settings, seed)
      spans.push(marks['carried']! / 1e9 - 2)
    }
    return spans.toSorted((a, b) => a - b)[1]!
  }
  test('TCP inside sees nothing of 5 % loss: it is several times as fast', async () => {
    const [inside, bare] = [await seconds({}), await seconds({ tunnel: 'false' })]
    expect(bare / inside).toBeGreaterThan(3)
  })
  test('at 20 %, order within flows alone is faster than none at all', async () => {
    const loss = { loss: '20%' }
    const [flow, none] = [await seconds(loss), await seconds({ ...loss, order: 'none' })]
    expect(none / flow).toBeGreaterThan(1.5)
  })
  test('pings do not wait for TCP’s lost packets, unless all stay in order', async () => {
    const p90 = async (order: string) =>
      (await outcomeOf(tunnelCarry, { loss: '20%', order })).samples['ping']!.p90
    expect((await p90('all')) / (await p90('flow'))).toBeGreaterThan(1.2)
  })
  test.each(['1400B', '1280B'])(
    'a path of %s: the sites hear of it, and all arrives',
    async (mtu) => {
      const { notes } = await outcomeOf(tunnelCarry, { mtu })
      expect(notes['mtu at a']).toBe(Number.parseInt(mtu, 10) - 60)
    },
  )
  test('without loss hardly anything goes twice, though the queue runs over', async () => {
    const { notes } = await outcomeOf(tunnelCarry, { loss: '0%' })
    expect(notes['sent again by a']).toBeLessThan(30)
  })
})
