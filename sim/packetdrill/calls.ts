import type { Endpoint } from '../../protocols/address.ts'
import { type Attempt, atOnce, type Carry, onSocket } from './attempt.ts'
import { MSG_ERRQUEUE, MSG_OOB, nameOf, numberOf } from './constants.ts'
import { receive, send } from './data-calls.ts'
import type { Descriptors } from './descriptors.ts'
import { receiveError } from './error-queue.ts'
import { checkEpoll, epollCreate, epollCtl, epollWait } from './epoll.ts'
import { failedWith, returned } from './errno-result.ts'
import { type MessageHeader, messageHeaderOf, vectorLength } from './message-header.ts'
import { open, pipe, sendFile, splice } from './other-files.ts'
import { pollOutcome, watchedOf } from './poll.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'
import type { ScriptSettings } from './script-settings.ts'
import { destinationOf, endpointOf } from './socket-address.ts'
import * as sockets from './socket-calls.ts'
import { checkOption, getOption, setOption } from './socket-options.ts'

/** Calls that read their arguments themselves. */
const CARRIERS: { readonly [name: string]: Carry } = {
  socket: sockets.socket,
  bind: sockets.bind,
  listen: sockets.listen,
  accept: sockets.accept,
  accept4: sockets.accept,
  connect: sockets.connect,
  shutdown: sockets.shutdown,
  close: sockets.close,
  fcntl: sockets.fcntl,
  ioctl: sockets.ioctl,
  setsockopt: setOption,
  getsockopt: getOption,
  poll: (call, line, files) => pollOutcome(call, line, files),
  epoll_create: epollCreate,
  epoll_ctl: epollCtl,
  epoll_wait: epollWait,
  open,
  pipe,
  sendfile: sendFile,
  splice,
  // Every program may do everything here.
  cap_set: () => atOnce(() => returned(0)),
}

/** What a script's call is carried out by; its arguments have been read. */
function carrierOf(call: SystemCall, line: number, settings: ScriptSettings): Carry {
  const { args, name } = call
  const n = (i: number): number => {
    // Bytes are zeros, and nobody names them.
    if (args[1]?.kind === 'string') throw new Unsupported('a buffer with text', line)
    return numberOf(args[i], line)
  }
  const into = (length: number, flags: number, wanted: MessageHeader | null = null): Carry => {
    // Urgent bytes stay in the stream: there is nothing beside it.
    if (flags & MSG_OOB) throw new Unsupported(`MSG_OOB with ${name}`, line)
    return isNowhere(args[1]) && length > 0 ? badAddress : receive(length, flags, wanted)
  }
  const from = (length: number, flags: number, to: Endpoint | null = null): Carry =>
    isNowhere(args[1]) && length > 0 ? badAddress : send(length, flags, to)
  switch (name) {
    case 'read':
      return into(n(2), 0)
    case 'recv':
    case 'recvfrom':
      return into(n(2), n(3))
    case 'readv':
      return into(vectorLength(args[1], line), 0)
    case 'recvmsg': {
      const header = messageHeaderOf(args[1], line)
      if (n(2) & MSG_ERRQUEUE) return receiveError(header)
      if (header.error !== null || header.stamp !== null) {
        throw new Unsupported('errors without MSG_ERRQUEUE', line)
      }
      return into(header.length, n(2), header)
    }
    case 'write':
      return from(n(2), 0)
    case 'send':
      return from(n(2), n(3))
    case 'sendto':
      return from(n(2), n(3), destinationOf(call, settings, line))
    case 'writev':
      return from(vectorLength(args[1], line), 0)
    case 'sendmsg':
      return from(outgoing(args[1], line), n(2))
    default:
      if (Object.hasOwn(CARRIERS, name)) return CARRIERS[name]!
      throw new Unsupported(name, line)
  }
}

const isNull = (e: Expression | undefined): boolean => e?.kind === 'word' && e.name === 'NULL'

/** A buffer that is none, alone or the first of a vector or a message. */
function isNowhere(e: Expression | undefined): boolean {
  if (e?.kind === 'fields') return isNowhere(e.fields.find(({ name }) => name === 'msg_iov')?.value)
  if (e?.kind !== 'list') return isNull(e)
  const [first] = e.items
  return first?.kind === 'fields' && isNull(first.fields[0]?.value)
}

const badAddress: Carry = onSocket(() => atOnce(() => failedWith('EFAULT')))

/** The length of a message to be sent: nothing goes with it. */
function outgoing(e: Expression | undefined, line: number): number {
  const { length, inQueue } = messageHeaderOf(e, line)
  if (inQueue !== null && inQueue >= 0) throw new Unsupported('TCP_CM_INQ with sendmsg', line)
  return length
}

/**
 * Refuses what is not known, whether the script gets there or not.
 *
 * @throws Unsupported
 */
export function checkCall(call: SystemCall, line: number, settings: ScriptSettings): void {
  const { args } = call
  carrierOf(call, line, settings)
  switch (call.name) {
    case 'socket': {
      const type = numberOf(args[1], line) & 0xf
      const protocol = numberOf(args[2], line)
      if (type === 1 ? protocol !== 6 && protocol !== 0 : type !== 2) {
        throw new Unsupported('this kind of socket', line)
      }
      return
    }
    case 'bind':
      endpointOf(args[1], { address: settings.local, port: settings.bindPort }, line)
      return
    case 'connect':
      destinationOf(call, settings, line)
      return
    case 'shutdown':
      numberOf(args[1], line)
      return
    case 'fcntl':
      if (nameOf(args[1], line) === 'F_SETFL') numberOf(args[2], line)
      else if (nameOf(args[1], line) !== 'F_GETFL')
        throw new Unsupported(nameOf(args[1], line), line)
      return
    case 'ioctl':
      sockets.requestOf(call, line)
      return
    case 'getsockopt':
    case 'setsockopt':
      return checkOption(call, line)
    case 'poll':
      watchedOf(args[0], line)
      numberOf(args[2], line)
      return
    case 'sendfile':
      numberOf(args[1], line)
      numberOf(args[3], line)
      return
    case 'splice':
      for (const i of [0, 2, 4]) numberOf(args[i], line)
      return
    default:
      checkEpoll(call, line)
  }
}

/**
 * Begins a call; nothing has happened before the first `try`.
 *
 * @throws Unsupported for a call, an option, a flag that is not known.
 */
export const beginCall = (
  call: SystemCall,
  line: number,
  files: Descriptors,
  settings: ScriptSettings,
): Attempt => carrierOf(call, line, settings)(call, line, files, settings)
