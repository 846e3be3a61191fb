import type { LinkOptions } from './link-options.ts'
import type { DisciplineOptions, QueueLimit, RedOptions } from './queue/discipline.ts'
import { formatDuration, formatRate } from './units.ts'

/** A queue in the words of tc-codel(8), tc-fq_codel(8), tc-pie(8) or tc-red(8). */
export interface TcDiscipline {
  readonly kind: string
  readonly words: string
  /** What the words do not say. */
  readonly remarks: readonly string[]
}

/** tc counts frames in 32 bits. */
const UNLIMITED = 4_294_967_295

/** `null` for drop-tail. */
export function tcDiscipline({ discipline, rate }: LinkOptions): TcDiscipline | null {
  return discipline === null ? null : wordsOf(discipline, rate)
}

function wordsOf(d: DisciplineOptions, rate: number): TcDiscipline {
  switch (d.kind) {
    case 'codel': {
      const times = `target ${formatDuration(d.target)} interval ${formatDuration(d.interval)}`
      const words = `limit ${framesOf(d)} ${times} ${ecn(d.ecn)}`
      return { kind: 'codel', words, remarks: bytesRemark(d) }
    }
    case 'fq-codel': {
      const times = `target ${formatDuration(d.target)} interval ${formatDuration(d.interval)}`
      const shares = `flows ${d.flows} quantum ${d.quantum} drop_batch ${d.dropBatch}`
      const memory = d.limitBytes < Infinity ? ` memory_limit ${d.limitBytes}` : ''
      const words = `limit ${framesOf(d)}${memory} ${shares} ${times} ${ecn(d.ecn)}`
      return { kind: 'fq_codel', words, remarks: [] }
    }
    case 'pie': {
      // In sixteenths per second.
      const law = `alpha ${Math.round(16 * d.alpha)} beta ${Math.round(16 * d.beta)}`
      const times = `target ${formatDuration(d.target)} tupdate ${formatDuration(d.update)}`
      const words = `limit ${framesOf(d)} ${times} ${law} ${ecn(d.ecn)}`
      return { kind: 'pie', words, remarks: bytesRemark(d) }
    }
    case 'red':
      return redWords(d, rate)
  }
}

/** RED in bytes, whatever the scenario counts. */
function redWords(d: RedOptions, rate: number): TcDiscipline {
  const bytes = (n: number) => Math.round(d.unit === 'bytes' ? n : n * d.meanSize)
  const [min, max] = [bytes(d.min), bytes(d.max)]
  // The rule of tc-red(8): it finds the weight of the average from this.
  const burst = Math.ceil((2 * min + max) / (3 * d.meanSize))
  const limits = `limit ${bytes(d.limit)} min ${min} max ${max} avpkt ${d.meanSize}`
  const law = `burst ${burst} probability ${d.probability}`
  const words = `${limits} ${law} bandwidth ${formatRate(rate).toLowerCase()}${d.ecn ? ' ecn' : ''}`
  const remarks = [`RED: tc derives the weight of the average from burst, here ${d.weight}`]
  if (d.gentle) remarks.push('RED: tc has no gentle mode')
  return { kind: 'red', words, remarks }
}

const framesOf = ({ limitFrames }: QueueLimit): number => Math.min(limitFrames, UNLIMITED)
const ecn = (on: boolean): string => (on ? 'ecn' : 'noecn')
const bytesRemark = ({ limitBytes }: QueueLimit): string[] =>
  limitBytes < Infinity ? [`the queue's limit of ${limitBytes} bytes: tc has no word for it`] : []
