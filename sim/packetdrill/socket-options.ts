import { type Endpoint, isIpv4 } from '../../protocols/address.ts'
import type { SigningKey } from '../../protocols/tcp/signature.ts'
import type { NumberOption, ReadableOption, SocketSetting } from '../../protocols/host/socket.ts'
import { type Nanos, s, us } from '../../protocols/time.ts'
import { TCP_SOCKET_OPTIONS } from '../../protocols/tcp/socket-options.ts'
import { atOnce, type Carry, onSocket, rejection } from './attempt.ts'
import { MD5SIG_FLAG_PREFIX, nameOf, numberOf, single } from './constants.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import { STAMP_NUMBERED, STAMP_NUMBERED_FROM_END } from './error-queue.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'
import { endpointOf } from './socket-address.ts'

/** Options of sockets that are no TCP's, with numbers. */
const OTHERS = ['SO_BROADCAST', 'IP_MTU_DISCOVER', 'TCP_QUICKACK'] as const
/** Those that the program's side alone knows of. */
const HERE = ['SO_TIMESTAMPING', 'SO_ZEROCOPY', 'IP_RECVERR', 'IPV6_RECVERR'] as const
type Here = (typeof HERE)[number]

const NUMBERS: readonly string[] = [
  ...Object.keys(TCP_SOCKET_OPTIONS),
  ...OTHERS,
  'TCP_INQ',
  ...HERE,
]
/** Known, and without a meaning on a host with one program, or for a TCP without that feature. */
const WITHOUT_EFFECT: readonly string[] = [
  'SO_PRIORITY',
  'SO_MARK',
  'SO_DEBUG',
  'TCP_RACK_PACE_MAX_SEG',
  'TCP_RACK_PACE_RATE_SS',
  'TCP_RACK_PACE_ALWAYS',
]
const TOLD_ONLY: readonly string[] = ['SO_ERROR', 'SO_ACCEPTCONN', 'SO_TYPE']

const optionOf = ({ args }: SystemCall, line: number): string => nameOf(args[2], line)

/** Whether the option and its value are known at all, before anything is done. */
export function checkOption(call: SystemCall, line: number): void {
  if (wrongArguments(call) !== null) return
  const name = optionOf(call, line)
  const value = call.args[3]
  if (name === 'TCP_CONGESTION') textOf(value, line)
  else if (name === 'SO_LINGER') lingerOf(value, line)
  else if (name === 'TCP_MD5SIG' || name === 'TCP_MD5SIG_EXT') signingOf(value, line)
  else if (name === 'SO_OOBINLINE') inlineOf(value, line)
  else if (isTimeout(name)) timeoutOf(value, line)
  else if (NUMBERS.includes(name)) numberOf(single(value, line), line)
  else if (call.name === 'setsockopt' && WITHOUT_EFFECT.includes(name)) return
  else if (call.name === 'getsockopt' && TOLD_ONLY.includes(name)) single(value, line)
  else throw new Unsupported(name, line)
}

/** What a kernel says before it looks at what is to be set; `null`: nothing. */
function wrongArguments({ name, args }: SystemCall): string | null {
  const [, , option, value, size] = args
  // No system has so many.
  if (option?.kind === 'number' && option.value >= NO_OPTION) return 'ENOPROTOOPT'
  if (name !== 'setsockopt') return null
  if (option?.kind === 'word' && TOLD_ONLY.includes(option.name)) return 'ENOPROTOOPT'
  if (size?.kind !== 'number') return null
  const isText = value?.kind === 'string' || option?.kind !== 'word' || option.name.includes('MD5')
  if (!isText && size.value < INTEGER) return 'EINVAL'
  return value?.kind === 'word' && value.name === 'NULL' ? 'EFAULT' : null
}

const NO_OPTION = 200
/** Bytes of an `int`. */
const INTEGER = 4

/** Urgent bytes always stay in the stream: to switch that on is all that can be asked. */
function inlineOf(e: Expression | undefined, line: number): string {
  const value = numberOf(single(e, line), line)
  if (value !== 1) throw new Unsupported(`SO_OOBINLINE ${value}`, line)
  return String(value)
}

export const setOption: Carry = onSocket((d, call, line, files) => {
  const { stage } = files
  const wrong = wrongArguments(call)
  if (wrong !== null) return atOnce(() => failedWith(wrong))
  const name = optionOf(call, line)
  if (WITHOUT_EFFECT.includes(name) || name === 'SO_OOBINLINE') return atOnce(() => returned(0))
  if (isTimeout(name)) {
    const timeout = timeoutOf(call.args[3], line)
    return atOnce(() => {
      d[name === 'SO_RCVTIMEO' ? 'receiveTimeout' : 'sendTimeout'] = timeout
      return returned(0)
    })
  }
  if (isHere(name)) {
    const value = numberOf(single(call.args[3], line), line)
    return atOnce(() => setHere(d, name, value, files))
  }
  if (name === 'TCP_INQ') {
    const value = numberOf(single(call.args[3], line), line)
    return atOnce(() => {
      d.tellsQueue = value !== 0
      return returned(0)
    })
  }
  const setting = settingOf(name, call.args[3], line)
  return atOnce(() => {
    if (d.id === null) return failedWith('EINVAL')
    return rejection(stage.call({ kind: 'set', socket: d.id, ...setting })) ?? returned(0)
  })
})

const isHere = (name: string): name is Here => HERE.includes(name as Here)

function setHere(d: Descriptor, name: Here, value: number, files: Descriptors): Outcome {
  const { errors } = d
  switch (name) {
    case 'SO_ZEROCOPY':
      errors.zeroCopy = value !== 0
      break
    case 'SO_TIMESTAMPING': {
      const socket = files.socketOf(d)
      const begins = value & STAMP_NUMBERED && (errors.stamps & STAMP_NUMBERED) === 0
      if (begins && socket?.kind === 'connection') {
        const { snd } = socket
        errors.base = value & STAMP_NUMBERED_FROM_END ? snd.end : snd.una
      }
      errors.stamps = value
      break
    }
    default:
      d.tellsIcmp = value !== 0
  }
  return returned(0)
}

const getHere = ({ errors, tellsIcmp }: Descriptor, name: Here): number => {
  if (name === 'SO_ZEROCOPY') return Number(errors.zeroCopy)
  return name === 'SO_TIMESTAMPING' ? errors.stamps : Number(tellsIcmp)
}

function settingOf(name: string, e: Expression | undefined, line: number): SocketSetting {
  if (name === 'TCP_CONGESTION') return { option: name, value: textOf(e, line) }
  if (name === 'SO_LINGER') return { option: name, value: lingerOf(e, line) }
  if (name.startsWith('TCP_MD5SIG')) return { option: 'TCP_MD5SIG', value: signingOf(e, line) }
  return { option: name as NumberOption, value: numberOf(single(e, line), line) }
}

/**
 * FreeBSD's `[1]`, or a struct of Linux's, `{tcpm_addr={…}, tcpm_keylen=6, tcpm_key="secret"}`, with
 * `tcpm_flags=TCP_MD5SIG_FLAG_PREFIX` and `tcpm_prefixlen` where it is for more than one peer.
 */
function signingOf(e: Expression | undefined, line: number): SigningKey | number {
  const struct = e?.kind === 'list' ? single(e, line) : e
  if (struct?.kind !== 'fields') return numberOf(struct, line)
  let endpoint: Endpoint = { address: 0, port: 0 }
  let [key, isPrefix, prefix, length] = ['', false, 0, -1]
  for (const { name, value } of struct.fields) {
    if (name === 'tcpm_addr') endpoint = endpointOf(value, endpoint, line)
    else if (name === 'tcpm_key') key = textOf(value, line)
    else if (name === 'tcpm_keylen') length = numberOf(value, line)
    else if (name === 'tcpm_prefixlen') prefix = numberOf(value, line)
    else if (name === 'tcpm_flags') isPrefix = (numberOf(value, line) & MD5SIG_FLAG_PREFIX) !== 0
    else throw new Unsupported(name ?? 'a struct tcp_md5sig', line)
  }
  const { address } = endpoint
  const bytes = new TextEncoder().encode(key)
  return {
    address,
    prefixLength: isPrefix ? prefix : isIpv4(address) ? 32 : 128,
    key: length < 0 ? bytes : bytes.subarray(0, length),
  }
}

/** `"reno"`, alone or in brackets. */
function textOf(e: Expression | undefined, line: number): string {
  const text = e?.kind === 'list' ? single(e, line) : e
  if (text?.kind === 'string') return text.value
  throw new Unsupported(text?.kind ?? 'a missing argument', line)
}

const isTimeout = (name: string): boolean => name === 'SO_RCVTIMEO' || name === 'SO_SNDTIMEO'

/** `{tv_sec=1, tv_usec=0}` */
function timeoutOf(e: Expression | undefined, line: number): Nanos {
  const field = fieldsOf(e, line)
  return s(field('tv_sec')) + us(field('tv_usec'))
}

/** Numbers of a struct, in brackets or not. */
function fieldsOf(e: Expression | undefined, line: number): (name: string) => number {
  const struct = e?.kind === 'list' ? single(e, line) : e
  const fields = struct?.kind === 'fields' ? struct.fields : []
  return (name) => numberOf(fields.find((each) => each.name === name)?.value, line)
}

/** `{onoff=1, linger=0}`: seconds, or -1 for off. */
function lingerOf(e: Expression | undefined, line: number): number {
  const field = fieldsOf(e, line)
  return field('onoff') === 0 ? -1 : field('linger')
}

export const getOption: Carry = onSocket((d, call, line, files) => {
  const wrong = wrongArguments(call)
  if (wrong !== null) return atOnce(() => failedWith(wrong))
  const name = optionOf(call, line)
  const expected = expectedOf(name, call.args[3], line)
  const size = sizeOf(call.args[4], line)
  return atOnce(() => {
    const actual = valueOf(d, name, files)
    if (actual === null) return failedWith('ENOPROTOOPT')
    if (actual !== expected) return told(expected, actual)
    const length = isTimeout(name) ? 16 : name === 'SO_LINGER' ? 8 : 4
    const differs = size !== null && name !== 'TCP_CONGESTION' && size !== length
    return differs ? told(`${size} bytes`, `${length} bytes`) : returned(0)
  })
})

const told = (expected: string, actual: string): Outcome => ({
  ...returned(0),
  differs: { expected, actual },
})

function expectedOf(name: string, e: Expression | undefined, line: number): string {
  if (name === 'TCP_CONGESTION') return textOf(e, line)
  if (name === 'SO_LINGER') return String(lingerOf(e, line))
  if (name === 'SO_OOBINLINE') return inlineOf(e, line)
  if (isTimeout(name)) return String(timeoutOf(e, line))
  const wanted = single(e, line)
  const isErrno = wanted.kind === 'word' && name === 'SO_ERROR'
  return isErrno ? wanted.name : String(numberOf(wanted, line))
}

/** The length that the call is to write. */
function sizeOf(e: Expression | undefined, line: number): number | null {
  return e?.kind === 'list' ? numberOf(single(e, line), line) : null
}

/** As text; `null`: the socket has no such option. */
function valueOf(d: Descriptor, name: string, { stage }: Descriptors): string | null {
  if (name === 'SO_OOBINLINE') return '1'
  if (name === 'SO_RCVTIMEO') return String(d.receiveTimeout)
  if (name === 'SO_SNDTIMEO') return String(d.sendTimeout)
  if (name === 'TCP_INQ') return String(Number(d.tellsQueue))
  if (isHere(name)) return String(getHere(d, name))
  if (name === 'SO_TYPE') return d.protocol === 'tcp' ? '1' : '2'
  if (name === 'SO_ERROR') {
    const { error } = d
    d.error = null
    if (error !== null || d.protocol === 'udp') return error ?? '0'
  }
  if (d.id === null) return name === 'SO_ERROR' ? '0' : null
  const events = stage.call({ kind: 'get', socket: d.id, option: name as ReadableOption })
  const answer = events.find((event) => event.kind === 'option')
  return answer === undefined ? null : String(answer.value)
}
