import { describe, expect, test } from 'vitest'
import {
  parseSeries,
  SeriesChanges,
  type SeriesPoint,
  seriesHeader,
  seriesText,
} from '../../trace/series.ts'

test('only what has changed is said, by subject and variable', () => {
  const points: SeriesPoint[] = []
  const changes = new SeriesChanges((point) => points.push(point))
  changes.sample(1, 'tcp a', { cwnd: 10, flight: 0 })
  changes.sample(2, 'tcp b', { cwnd: 10 })
  changes.sample(3, 'tcp a', { cwnd: 10, flight: 5 })
  changes.sample(4, 'tcp a', { cwnd: 10, flight: 5 })
  changes.sample(5, 'tcp a', { cwnd: 20, flight: 0 })
  expect(points).toEqual([
    { at: 1, of: 'tcp a', values: { cwnd: 10, flight: 0 } },
    { at: 2, of: 'tcp b', values: { cwnd: 10 } },
    { at: 3, of: 'tcp a', values: { flight: 5 } },
    { at: 5, of: 'tcp a', values: { cwnd: 20, flight: 0 } },
  ])
})

const POINT: SeriesPoint = { at: 7, of: 'link a>b', values: { queueFrames: 1, queueBytes: 60 } }

test('NDJSON and CSV', () => {
  const run = { scenario: 'two', seed: '1' }
  expect([seriesHeader('ndjson', run), seriesText('ndjson', POINT)]).toEqual([
    '{"schema":1,"kind":"series","scenario":"two","seed":"1"}',
    '{"at":7,"of":"link a>b","queueFrames":1,"queueBytes":60}',
  ])
  expect([seriesHeader('csv', run), seriesText('csv', POINT)]).toEqual([
    'at,of,variable,value',
    '7,link a>b,queueFrames,1\n7,link a>b,queueBytes,60',
  ])
})

describe('reading', () => {
  const head = seriesHeader('ndjson', { scenario: 'two', seed: '1' })

  test('gives back what was written, without what it does not know', () => {
    const text = `${head}\n${seriesText('ndjson', POINT)}\n{"at":8,"of":"x","cwnd":1,"later":2}\n`
    expect(parseSeries(text)).toEqual({
      scenario: 'two',
      seed: '1',
      points: [POINT, { at: 8, of: 'x', values: { cwnd: 1 } }],
    })
  })

  test.each([
    ['', { error: 'this is no file of series', line: 1 }],
    ['at,of,variable,value\n', { error: 'this is no file of series', line: 1 }],
    ['{"kind":"series","schema":9}', { error: 'series of schema 9 are unknown', line: 1 }],
    [`${head}\n{"at":1}\n`, { error: 'this line is no point of a series', line: 2 }],
    [
      `${head}\n${seriesText('ndjson', POINT)}\n{"a`,
      { error: 'this line is no point of a series', line: 3 },
    ],
  ])('%j is refused with its line', (text, refusal) => {
    expect(parseSeries(text)).toEqual(refusal)
  })
})
