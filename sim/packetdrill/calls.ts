import type { Endpoint } from '../../protocols/address.ts'
import type { Nanos } from '../../protocols/time.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import { MSG_DONTWAIT, MSG_PEEK, nameOf, numberOf, O_NONBLOCK } from './constants.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import { pollOutcome, watchedOf } from './poll.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'
import { checkOption, getOption, setOption } from './socket-options.ts'

/** A call under way. */
export interface Attempt {
  /** `null`: it has to wait. */
  readonly try: () => Outcome | null
  /** What it returns where it may not wait; `null`: it may. */
  readonly otherwise: string | null
  /** Trying again makes sense then, whatever the host does. */
  readonly wakeAt?: Nanos
}

export interface Addresses {
  /** Where `bind` binds, and `connect` and `sendto` go. */
  readonly local: Endpoint
  readonly remote: Endpoint
}

type Carry = (call: SystemCall, line: number, files: Descriptors, at: Addresses) => Attempt

const atOnce = (outcome: () => Outcome): Attempt => ({ try: outcome, otherwise: null })

const rejection = (events: readonly HostEvent[]): Outcome | null => {
  const rejected = events.find((event) => event.kind === 'rejected')
  return rejected === undefined ? null : failedWith(rejected.error)
}

/** Carries out a call on a socket whose only answer is an error or none. */
function simple(files: Descriptors, call: SocketCall): Outcome {
  return rejection(files.stage.call(call)) ?? returned(0)
}

function fileOf(call: SystemCall, line: number, files: Descriptors): Descriptor | null {
  return files.get(numberOf(call.args[0], line)) ?? null
}

const BAD: Attempt = atOnce(() => failedWith('EBADF'))

/** A call whose first argument is a descriptor. */
const onFile =
  (carry: (d: Descriptor, ...rest: Parameters<Carry>) => Attempt): Carry =>
  (call, line, files, at) => {
    const d = fileOf(call, line, files)
    return d === null ? BAD : carry(d, call, line, files, at)
  }

const socket: Carry = ({ args, result }, line, files) => {
  const type = numberOf(args[1], line)
  const protocol = (type & 0xf) === 2 ? 'udp' : 'tcp'
  return atOnce(() => {
    files.put(result ?? 3, files.open(protocol, (type & O_NONBLOCK) !== 0))
    return returned(result ?? 3)
  })
}

const bind = onFile((d, _call, _line, files, { local }) => {
  return atOnce(() =>
    d.id === null
      ? failedWith('EINVAL')
      : simple(files, { kind: 'bind', socket: d.id, address: local.address, port: local.port }),
  )
})

const listen = onFile((d, { args }, line, files) => {
  const backlog = numberOf(args[1], line)
  return atOnce(() =>
    d.id === null ? failedWith('EINVAL') : simple(files, { kind: 'listen', socket: d.id, backlog }),
  )
})

const accept = onFile((d, { result }, _line, files) => ({
  otherwise: d.nonblocking ? 'EAGAIN' : null,
  try: () => {
    if (files.socketOf(d)?.kind !== 'listener') return failedWith('EINVAL')
    const ready = d.ready.shift()
    if (ready === undefined) return null
    files.put(result ?? 0, ready)
    return returned(result ?? 0)
  },
}))

const connect = onFile((d, _call, _line, files, { remote }) => {
  let asked = false
  return {
    otherwise: d.nonblocking ? (d.connecting ? 'EALREADY' : 'EINPROGRESS') : null,
    try: () => {
      if (d.error !== null) return pending(d)
      if (d.connected) return asked ? returned(0) : failedWith('EISCONN')
      if (d.id === null) return failedWith('ECONNABORTED')
      if (asked || d.connecting) return null
      asked = true
      d.connecting = true
      const refused = rejection(files.stage.call({ kind: 'connect', socket: d.id, remote }))
      if (refused !== null) d.connecting = false
      return refused ?? (d.connected ? returned(0) : null)
    },
  }
})

/** SO_ERROR, told once. */
function pending(d: Descriptor): Outcome {
  const { error } = d
  d.error = null
  return failedWith(error ?? 'EINVAL')
}

const receive = (length: number, flags: number): Carry =>
  onFile((d, _call, _line, files) => ({
    otherwise: d.nonblocking || flags & MSG_DONTWAIT ? 'EAGAIN' : null,
    try: () => {
      if (d.protocol === 'udp') return datagram(d, length, flags)
      const peeks = (flags & MSG_PEEK) !== 0
      if (d.left > 0) {
        const bytes = Math.min(d.left, length)
        if (!peeks) d.left -= bytes
        return returned(bytes)
      }
      if (d.error !== null) return pending(d)
      const s = files.socketOf(d)
      if (s === null) return d.connected ? returned(0) : failedWith('ENOTCONN')
      if (s.kind !== 'connection') return failedWith('ENOTCONN')
      const held = s.receiveQueue?.bytes ?? 0
      if (held > 0) {
        return returned(peeks ? Math.min(held, length) : files.take(s.id, length))
      }
      return s.rcv.fin || d.readShut || length === 0 ? returned(0) : null
    },
  }))

function datagram(d: Descriptor, length: number, flags: number): Outcome | null {
  if (d.error !== null) return pending(d)
  const first = d.datagrams[0]
  if (first === undefined) return null
  if (!(flags & MSG_PEEK)) d.datagrams.shift()
  return returned(Math.min(first.length, length))
}

const send = (length: number, flags: number, to: Endpoint | null): Carry =>
  onFile((d, _call, _line, files) => {
    let taken = 0
    const waits = !d.nonblocking && !(flags & MSG_DONTWAIT)
    return {
      otherwise: waits ? null : 'EAGAIN',
      try: () => {
        if (d.error !== null) return pending(d)
        if (d.id === null) return failedWith('EPIPE')
        const bytes = new Uint8Array(length - taken)
        if (d.protocol === 'udp') return sendDatagram(files, d.id, bytes, to)
        const s = files.socketOf(d)
        if (s?.kind === 'connection' && s.state === 'SYN-SENT') return null
        const events = files.stage.call({ kind: 'send', socket: d.id, bytes })
        const refused = rejection(events)
        if (refused !== null) return refused
        for (const event of events) if (event.kind === 'queued') taken += event.bytes
        if (taken === length || (taken > 0 && !waits)) return returned(taken)
        return null
      },
    }
  })

function sendDatagram(
  files: Descriptors,
  id: number,
  bytes: Uint8Array,
  remote: Endpoint | null,
): Outcome {
  const call: SocketCall =
    remote === null
      ? { kind: 'send', socket: id, bytes }
      : { kind: 'send-to', socket: id, bytes, remote }
  return rejection(files.stage.call(call)) ?? returned(bytes.length)
}

const shutdown = onFile((d, { args }, line, files) => {
  const how = numberOf(args[1], line)
  return atOnce(() => {
    const s = files.socketOf(d)
    if (s?.kind !== 'connection') return failedWith('ENOTCONN')
    if (how !== 1) d.readShut = true
    return how === 0 ? returned(0) : simple(files, { kind: 'shutdown', socket: s.id })
  })
})

const close = onFile((d, { args }, line, files) => {
  return atOnce(() => {
    files.remove(numberOf(args[0], line))
    // Nobody will accept what waits.
    for (const { id } of d.ready) {
      if (id !== null) files.stage.call({ kind: 'abort', socket: id })
    }
    if (d.id === null) return returned(0)
    return simple(files, { kind: d.abortive ? 'abort' : 'close', socket: d.id })
  })
})

const fcntl = onFile((d, { args }, line) => {
  const command = nameOf(args[1], line)
  if (command === 'F_GETFL') {
    return atOnce(() => returned(2 | (d.nonblocking ? O_NONBLOCK : 0)))
  }
  if (command !== 'F_SETFL') throw new Unsupported(command, line)
  const flags = numberOf(args[2], line)
  return atOnce(() => {
    d.nonblocking = (flags & O_NONBLOCK) !== 0
    return returned(0)
  })
})

/** The bytes that an `msghdr` or a list of buffers has room for. */
function vectorLength(e: Expression | undefined, line: number): number {
  if (e?.kind === 'fields') {
    for (const { name, value } of e.fields) {
      const known = name === 'msg_iov' || (name === 'msg_name' && value.kind === 'ellipsis')
      const noFlags = name === 'msg_flags' && value.kind === 'number' && value.value === 0
      if (!known && !noFlags) throw new Unsupported(name ?? 'msghdr', line)
    }
    const iov = e.fields.find(({ name }) => name === 'msg_iov')
    return iov === undefined ? 0 : vectorLength(iov.value, line)
  }
  if (e?.kind !== 'list') throw new Unsupported('a vector', line)
  return e.items.reduce((sum, item) => {
    if (item.kind !== 'fields') throw new Unsupported('a vector', line)
    return sum + numberOf(item.fields[1]?.value, line)
  }, 0)
}

const addressed = (args: readonly Expression[], { remote }: Addresses): Endpoint | null =>
  args[4]?.kind === 'ellipsis' ? remote : null

/**
 * Refuses what is not known, whether the script gets there or not.
 *
 * @throws Unsupported
 */
export function checkCall(call: SystemCall, line: number): void {
  const { args } = call
  carrierOf(call, line, { local: NOWHERE, remote: NOWHERE })
  switch (call.name) {
    case 'socket': {
      const type = numberOf(args[1], line) & 0xf
      const protocol = numberOf(args[2], line)
      if (type === 1 ? protocol !== 6 && protocol !== 0 : type !== 2) {
        throw new Unsupported('this kind of socket', line)
      }
      return
    }
    case 'shutdown':
      numberOf(args[1], line)
      return
    case 'fcntl':
      if (nameOf(args[1], line) === 'F_SETFL') numberOf(args[2], line)
      else if (nameOf(args[1], line) !== 'F_GETFL')
        throw new Unsupported(nameOf(args[1], line), line)
      return
    case 'getsockopt':
    case 'setsockopt':
      return checkOption(call, line)
    case 'poll':
      watchedOf(args[0], line)
      numberOf(args[2], line)
      return
    default:
  }
}

const NOWHERE: Endpoint = { address: 0, port: 0 }

type NumberAt = (at: number) => number

/** Calls by their names. Each reads its arguments before it does anything. */
function carrierOf(call: SystemCall, line: number, at: Addresses): Carry {
  const { args } = call
  const n: NumberAt = (i) => {
    // Bytes are zeros, and nobody names them.
    if (args[1]?.kind === 'string') throw new Unsupported('a buffer with text', line)
    return numberOf(args[i], line)
  }
  switch (call.name) {
    case 'socket':
      return socket
    case 'bind':
      return bind
    case 'listen':
      return listen
    case 'accept':
      return accept
    case 'connect':
      if (args[1]?.kind !== 'ellipsis') throw new Unsupported('connect to an address', line)
      return connect
    case 'read':
      return receive(n(2), 0)
    case 'recv':
    case 'recvfrom':
      return receive(n(2), n(3))
    case 'readv':
      return receive(vectorLength(args[1], line), 0)
    case 'recvmsg':
      return receive(vectorLength(args[1], line), n(2))
    case 'write':
      return send(n(2), 0, null)
    case 'send':
      return send(n(2), n(3), null)
    case 'sendto':
      return send(n(2), n(3), addressed(args, at))
    case 'writev':
      return send(vectorLength(args[1], line), 0, null)
    case 'sendmsg':
      return send(vectorLength(args[1], line), n(2), null)
    case 'shutdown':
      return shutdown
    case 'close':
      return close
    case 'fcntl':
      return fcntl
    case 'setsockopt':
      return onFile((d, each, where, files) => atOnce(() => setOption(d, each, where, files)))
    case 'getsockopt':
      return onFile((d, each, where, files) => atOnce(() => getOption(d, each, where, files)))
    case 'poll':
      return (each, where, files) => pollOutcome(each, where, files)
    default:
      throw new Unsupported(call.name, line)
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
  at: Addresses,
): Attempt => carrierOf(call, line, at)(call, line, files, at)
