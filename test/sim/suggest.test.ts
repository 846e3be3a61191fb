import { expect, test } from 'vitest'
import { didYouMean, editDistance, nearest } from '../../sim/suggest.ts'

test.each([
  ['dealy', 'delay', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['same', 'same', 0],
  ['ab', 'ba', 1],
])('%s and %s are %i edits apart', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits)
  expect(editDistance(b, a)).toBe(edits)
})

test('suggests what is near, first of equals, and nothing far-fetched', () => {
  const keys = ['delay', 'loss', 'rate']
  expect(nearest('dealy', keys)).toBe('delay')
  expect(nearest('LOSS', keys)).toBe('loss')
  expect(nearest('zebra', keys)).toBeNull()
  expect(nearest('bat', ['rat', 'cat'])).toBe('rat')
  expect(didYouMean('zebra', keys)).toBe('there is delay, loss, rate')
  expect(didYouMean('zebra', [])).toBeUndefined()
})
