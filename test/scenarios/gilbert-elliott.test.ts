import { expect, test } from 'vitest'
import gilbertElliott from '../../scenarios/gilbert-elliott.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'

const run = async (settings: { [name: string]: string } = {}, seed = '1') => {
  const options = { seed, settings: { count: '5000', ...settings }, files: new MemoryFiles() }
  const { notes, expectations } = await runScenario(gilbertElliott, options)
  expect(expectations.filter(({ holds }) => !holds)).toEqual([])
  const figure = (name: string) => Number(notes[name])
  return { lost: figure('lost'), bursts: figure('bursts'), longest: figure('longest burst') }
}

test('bursts of four on average; independent losses of the same share stand alone', async () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    // 1 / r; the mean of some 48 bursts deviates by √12 / √48 = 0.5.
    const { lost, bursts } = await run({}, seed)
    expect(Math.abs(lost / bursts - 4), `seed ${seed}`).toBeLessThan(2.5)
    // 1 / (1 - 3.8 %) = 1.04; a burst of five would be a chance of 8e-8 each.
    const alone = await run({ losses: 'independent' }, seed)
    expect(alone.lost / alone.bursts).toBeLessThan(1.2)
    expect(alone.longest).toBeLessThan(5)
  }
})

test.each([
  { lostInBad: '50%', lostInGood: '1%' },
  { p: '0.1%', r: '2%' },
  { p: '5%', r: '95%' },
])('the share is right with %j', async (settings) => {
  await run(settings)
})

test('a good state that never ends loses nothing', async () => {
  expect(await run({ p: '0%', count: '500' })).toEqual({ lost: NaN, bursts: NaN, longest: NaN })
})
