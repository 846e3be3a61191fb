import type { NumberOption } from '../../protocols/host/socket.ts'
import { nameOf, numberOf, single } from './constants.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'

/** Options that the host knows, and those that change nothing on a host with one program. */
const SETTABLE: readonly string[] = ['SO_RCVBUF', 'SO_SNDBUF', 'TCP_NODELAY', 'TCP_MAXSEG']
const WITHOUT_EFFECT: readonly string[] = ['SO_REUSEADDR', 'SO_REUSEPORT']
const READABLE: readonly string[] = ['SO_ERROR', 'SO_RCVBUF', 'SO_SNDBUF', 'TCP_NODELAY']

const optionOf = ({ args }: SystemCall, line: number): string => nameOf(args[2], line)

/** Whether the option is known at all, before anything is done. */
export function checkOption(call: SystemCall, line: number): void {
  const name = optionOf(call, line)
  if (call.name === 'getsockopt') {
    if (!READABLE.includes(name)) throw new Unsupported(name, line)
  } else if (name === 'SO_LINGER') lingerOf(call.args[3], line)
  else if (!SETTABLE.includes(name) && !WITHOUT_EFFECT.includes(name)) {
    throw new Unsupported(name, line)
  }
}

export function setOption(
  d: Descriptor,
  call: SystemCall,
  line: number,
  { stage }: Descriptors,
): Outcome {
  const name = optionOf(call, line)
  if (WITHOUT_EFFECT.includes(name)) return returned(0)
  if (name === 'SO_LINGER') {
    d.abortive = lingerOf(call.args[3], line)
    return returned(0)
  }
  const value = numberOf(single(call.args[3], line), line)
  if (d.id === null) return failedWith('EINVAL')
  const option = name as NumberOption
  const events = stage.call({ kind: 'set', socket: d.id, option, value })
  const rejected = events.find((event) => event.kind === 'rejected')
  return rejected === undefined ? returned(0) : failedWith(rejected.error)
}

/** `{onoff=1, linger=0}`: whether closing resets. */
function lingerOf(e: Expression | undefined, line: number): boolean {
  const fields = e?.kind === 'fields' ? e.fields : []
  const field = (name: string): number =>
    numberOf(fields.find((each) => each.name === name)?.value, line)
  if (field('onoff') === 0) return false
  if (field('linger') !== 0) throw new Unsupported('SO_LINGER with a time', line)
  return true
}

export function getOption(
  d: Descriptor,
  call: SystemCall,
  line: number,
  files: Descriptors,
): Outcome {
  const name = optionOf(call, line)
  const wanted = single(call.args[3], line)
  const expected = wanted.kind === 'word' ? wanted.name : String(numberOf(wanted, line))
  const actual = valueOf(d, name, files)
  return actual === expected ? returned(0) : { ...returned(0), differs: { expected, actual } }
}

function valueOf(d: Descriptor, name: string, files: Descriptors): string {
  if (name === 'SO_ERROR') {
    const { error } = d
    d.error = null
    return error ?? '0'
  }
  const s = files.socketOf(d)
  const { policy } = s !== null && 'policy' in s ? s : files.stage
  if (name === 'SO_SNDBUF') return String(policy.sendBuffer)
  if (name === 'SO_RCVBUF') {
    return String(s?.kind === 'connection' ? s.rcv.buffer : policy.receiveBuffer)
  }
  return policy.nagle ? '0' : '1'
}
