import { describe, expect, test } from 'vitest'
import { createArqReceiver, isComplete, receiveUnit } from '../../../protocols/arq/receiver.ts'
import type { Acknowledgement } from '../../../protocols/arq/policy.ts'

/** Units as they come (`3.`: the last); what each brings, and what is said about it. */
function story(acknowledgement: Acknowledgement, window: number, units: string): string[] {
  const receiver = createArqReceiver(acknowledgement, window)
  return units.split(' ').map((word) => {
    const unit = parseInt(word, 10)
    const { chunks, ack } = receiveUnit(receiver, unit, Uint8Array.of(unit), word.endsWith('.'))
    const got = chunks.map((chunk) => chunk[0]).join(' ')
    const said = ack === null ? 'silence' : `<${ack.below} ${ack.units.join(' ')}`.trim()
    return `${word}: [${got}] ${said}${isComplete(receiver) ? ' complete' : ''}`
  })
}

describe('what is taken, and what is said', () => {
  test('each: out of order is kept within the window, copies are acknowledged again', () => {
    expect(story('each', 3, '0 2 3 4 1 2 0 4. 3')).toEqual([
      '0: [0] <0 0',
      '2: [] <0 2',
      '3: [] <0 3',
      '4: [] silence', // beyond the window
      '1: [1 2 3] <0 1',
      '2: [] <0 2',
      '0: [] <0 0',
      '4.: [4] <0 4 complete',
      '3: [] <0 3 complete',
    ])
  })

  test('cumulative: nothing is said about what is out of order', () => {
    expect(story('cumulative', 1, '1 0 2 0 1.')).toEqual([
      '1: [] silence',
      '0: [0] <1',
      '2: [] silence',
      '0: [] <1', // or a lost acknowledgement would stay lost
      '1.: [1] <2 complete',
    ])
  })

  test('last in order: said again for whatever else comes', () => {
    expect(story('last-in-order', 1, '1 0 2 0 1')).toEqual([
      '1: [] silence', // none was in order yet
      '0: [0] <1',
      '2: [] <1',
      '0: [] <1',
      '1: [1] <2',
    ])
  })

  test('selective: all below, and those beyond', () => {
    expect(story('selective', 4, '1 0 5 3 4 9 6. 2')).toEqual([
      '1: [] <0 1',
      '0: [0 1] <2',
      '5: [] <2 5',
      '3: [] <2 3 5',
      '4: [] <2 3 4 5',
      '9: [] <2 3 4 5',
      '6.: [] <2 3 4 5',
      '2: [2 3 4 5] <6',
    ])
  })

  test('nothing follows the last, and the last is not before what has come', () => {
    expect(story('selective', 8, '0 3. 4 5 1 2')).toEqual([
      '0: [0] <1',
      '3.: [] <1 3',
      '4: [] <1 3',
      '5: [] <1 3',
      '1: [1] <2 3',
      '2: [2 3] <4 complete',
    ])
    expect(story('selective', 8, '0 3 2. 1')).toEqual([
      '0: [0] <1',
      '3: [] <1 3',
      '2.: [] <1 2 3', // it lies: the mark is not believed
      '1: [1 2 3] <4',
    ])
    expect(story('each', 8, '-1 0.')).toEqual(['-1: [] silence', '0.: [0] <0 0 complete'])
  })
})
