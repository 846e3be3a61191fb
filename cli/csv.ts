import { CsvError, parse } from 'csv-parse/sync'
import type { Bytes } from '../protocols/bytes.ts'
import type { TableRow } from '../protocols/encapsulation/table.ts'
import { UserError } from '../sim/user-error.ts'

export interface CsvTable {
  readonly header: readonly string[]
  readonly rows: readonly TableRow[]
}

/** Reads RFC 4180 text: quoted fields, either line end, with or without a byte-order mark. */
export function readCsv(path: string, bytes: Bytes): CsvTable {
  let records: { record: string[]; info: { lines: number } }[]
  try {
    const text = new TextDecoder().decode(bytes as Uint8Array)
    records = parse(text, {
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as typeof records
  } catch (e) {
    if (!(e instanceof CsvError)) throw e
    throw new UserError(sentence(e), { where: `${path}:${Number(e['lines'] ?? 1)}` })
  }
  const [first, ...rest] = records
  if (first === undefined) throw new UserError('the table is empty', { where: path })
  return {
    header: first.record,
    rows: rest.map(({ record, info }) => ({ line: info.lines, fields: record })),
  }
}

/** The first clause says it; what follows are details of the parser. */
const sentence = (e: CsvError): string => e.message.replace(/^[^:]*: /, '').split(',')[0]!
