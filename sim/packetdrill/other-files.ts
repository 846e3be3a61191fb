import { atOnce, type Attempt, type Carry } from './attempt.ts'
import { numberOf } from './constants.ts'
import { receive, send } from './data-calls.ts'
import type { Epoll } from './epoll.ts'
import { failedWith, returned } from './errno-result.ts'
import { type SystemCall, Unsupported } from './script.ts'

/** A file of zeros without end. */
interface PlainFile {
  readonly kind: 'file'
}
/** One end of a pipe; both ends share what it holds. */
interface PipeEnd {
  readonly kind: 'pipe'
  readonly held: { bytes: number }
}

export type OtherFile = Epoll | PlainFile | PipeEnd

export const open: Carry = ({ result }, _line, files) =>
  atOnce(() => {
    files.putOther(result ?? 3, { kind: 'file' })
    return returned(result ?? 3)
  })

/** `pipe([5, 6])`: the numbers are the script's own. */
export const pipe: Carry = ({ args }, line, files) => {
  const [ends] = args
  if (ends?.kind !== 'list' || ends.items.length !== 2) throw new Unsupported('pipe', line)
  const [from, to] = ends.items.map((each) => numberOf(each, line))
  return atOnce(() => {
    const held = { bytes: 0 }
    files.putOther(from!, { kind: 'pipe', held })
    files.putOther(to!, { kind: 'pipe', held })
    return returned(0)
  })
}

/** `sendfile(4, 5, [0], 1000)`: a `send` of so many zeros. */
export const sendFile: Carry = (call, line, files, settings) => {
  const source = files.other(numberOf(call.args[1], line))
  if (source?.kind !== 'file') return atOnce(() => failedWith('EBADF'))
  return send(numberOf(call.args[3], line), 0, null)(call, line, files, settings)
}

/** `splice(4, NULL, 6, NULL, 1000, 0)`: from a socket into a pipe, or from a pipe into a socket. */
export const splice: Carry = (call, line, files, settings) => {
  const { args } = call
  const length = numberOf(args[4], line)
  const [from, to] = [numberOf(args[0], line), numberOf(args[2], line)]
  const [source, sink] = [files.other(from), files.other(to)]
  const onSocket = (fd: number): SystemCall => ({
    ...call,
    args: [{ kind: 'number', value: fd }],
  })
  if (sink?.kind === 'pipe') {
    const attempt = receive(length, 0, null)(onSocket(from), line, files, settings)
    return counted(attempt, (bytes) => (sink.held.bytes += bytes))
  }
  if (source?.kind !== 'pipe') return atOnce(() => failedWith('EINVAL'))
  const bytes = Math.min(length, source.held.bytes)
  if (bytes === 0) return atOnce(() => failedWith('EAGAIN'))
  const attempt = send(bytes, 0, null)(onSocket(to), line, files, settings)
  return counted(attempt, (sent) => (source.held.bytes -= sent))
}

function counted(attempt: Attempt, count: (bytes: number) => void): Attempt {
  return {
    ...attempt,
    try: () => {
      const outcome = attempt.try()
      if (outcome !== null && outcome.value > 0) count(outcome.value)
      return outcome
    },
  }
}
