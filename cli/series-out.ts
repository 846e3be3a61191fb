import type { FileWriter, Files } from '../sim/files.ts'
import { UserError } from '../sim/user-error.ts'
import {
  type SeriesFormat,
  type SeriesObserver,
  seriesHeader,
  seriesText,
} from '../trace/series.ts'

const BATCH = 64 * 1024

/** A file of time series that is being written. */
export interface SeriesOut {
  readonly observer: SeriesObserver
  commit(): void
}

/** The file that `--series` names; `null` where it names none. */
export function openSeries(
  { series, seed }: { readonly series?: string; readonly seed: string },
  scenario: string,
  files: Files,
): SeriesOut | null {
  if (series === undefined) return null
  const format = formatOf(series)
  const file = files.create(series)
  const encoder = new TextEncoder()
  let waiting = `${seriesHeader(format, { scenario, seed })}\n`
  const flush = (): FileWriter => {
    file.write(encoder.encode(waiting))
    waiting = ''
    return file
  }
  return {
    observer: (point) => {
      waiting += `${seriesText(format, point)}\n`
      if (waiting.length >= BATCH) flush()
    },
    commit: () => {
      flush().commit()
    },
  }
}

function formatOf(path: string): SeriesFormat {
  if (path.endsWith('.ndjson') || path.endsWith('.jsonl')) return 'ndjson'
  if (path.endsWith('.csv')) return 'csv'
  throw new UserError(`'${path}' does not say its format`, {
    where: '--series',
    hint: 'write a name that ends in .ndjson or .csv',
  })
}
