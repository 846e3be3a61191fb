import { ANY_IPV4, type IpAddress } from '../../protocols/address.ts'
import { UNSPECIFIED } from '../../protocols/ipv6/address.ts'
import { seqDiff } from '../../protocols/sequence.ts'
import { isAtMark } from '../../protocols/tcp/urgent.ts'
import { atOnce, type Carry, onSocket, pendingError, rejection, simple } from './attempt.ts'
import { nameOf, numberOf, O_NONBLOCK, single } from './constants.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import { type SystemCall, Unsupported } from './script.ts'
import { endpointOf, isUnspecified } from './socket-address.ts'

// Calls on sockets that move no data.

export const socket: Carry = ({ args, result }, line, files) => {
  const type = numberOf(args[1], line)
  const protocol = (type & 0xf) === 2 ? 'udp' : 'tcp'
  return atOnce(() => {
    files.put(result ?? 3, files.open(protocol, (type & O_NONBLOCK) !== 0))
    return returned(result ?? 3)
  })
}

export const bind = onSocket((d, { args }, line, files, { local, bindPort }) => {
  const at = endpointOf(args[1], { address: local, port: bindPort }, line)
  return atOnce(() => {
    if (d.id === null || isPastBinding(d, files)) return failedWith('EINVAL')
    const address = anyIsNull(at.address)
    return simple(files, { kind: 'bind', socket: d.id, address, port: at.port })
  })
})

/** A TCP that has begun to be one has its address. */
function isPastBinding(d: Descriptor, files: Descriptors): boolean {
  const kind = files.socketOf(d)?.kind
  return kind === 'connection' || kind === 'listener'
}

/** INADDR_ANY and `in6addr_any` */
const anyIsNull = (address: IpAddress): IpAddress | null =>
  address === ANY_IPV4 || address === UNSPECIFIED ? null : address

export const listen = onSocket((d, { args }, line, files) => {
  const backlog = numberOf(args[1], line)
  return atOnce(() => {
    const s = files.socketOf(d)
    if (d.id === null || s?.kind === 'connection') return failedWith('EINVAL')
    if (s?.kind === 'listener') return returned(0) // asked again
    // Nobody has bound it: the host chooses a port.
    if (s?.kind === 'unbound' && s.port === 0) {
      const refused = rejection(
        files.stage.call({ kind: 'bind', socket: d.id, address: null, port: 0 }),
      )
      if (refused !== null) return refused
    }
    return simple(files, { kind: 'listen', socket: d.id, backlog })
  })
})

export const accept = onSocket((d, { result, args, name }, line, files) => {
  const flags = name === 'accept4' ? numberOf(args[3], line) : 0
  return {
    otherwise: d.nonblocking ? 'EAGAIN' : null,
    try: () => {
      if (files.socketOf(d)?.kind !== 'listener') return failedWith('EINVAL')
      const ready = d.ready.shift()
      if (ready === undefined) return null
      ready.nonblocking = (flags & O_NONBLOCK) !== 0
      if (d.id !== null && ready.id !== null) {
        files.stage.call({ kind: 'accept', socket: d.id, connection: ready.id })
      }
      files.put(result ?? 0, ready)
      return returned(result ?? 0)
    },
  }
})

export const connect = onSocket((d, { args }, line, files, settings) => {
  if (isUnspecified(args[1])) return atOnce(() => disconnect(d, files))
  const { remote: address, connectPort: port } = settings
  const remote = endpointOf(args[1], { address, port }, line)
  let asked = false
  return {
    otherwise: d.nonblocking ? (d.connecting ? 'EALREADY' : 'EINPROGRESS') : null,
    try: () => {
      if (d.error !== null) return pendingError(d)
      if (d.protocol === 'udp' && d.id !== null) {
        return simple(files, { kind: 'connect', socket: d.id, remote })
      }
      if (d.connected) return stands(d)
      if (files.socketOf(d)?.kind === 'listener') return failedWith('EISCONN')
      if (d.id === null) return failedWith('ECONNABORTED')
      if (asked || d.connecting) return null
      asked = true
      d.connecting = true
      const refused = rejection(files.stage.call({ kind: 'connect', socket: d.id, remote }))
      if (refused !== null) d.connecting = false
      return refused ?? (d.connected ? stands(d) : null)
    },
  }
})

/** That a connection has come to stand is told once, as in Linux. */
function stands(d: Descriptor): Outcome {
  if (!d.standing) return failedWith('EISCONN')
  d.standing = false
  return returned(0)
}

/** `connect` to no address: the socket is as new. */
function disconnect(d: Descriptor, files: Descriptors): Outcome {
  files.renew(d)
  return returned(0)
}

export const shutdown = onSocket((d, { args }, line, files) => {
  const how = numberOf(args[1], line)
  return atOnce(() => {
    const s = files.socketOf(d)
    if (how < 0 || how > 2) return failedWith('EINVAL')
    if (s?.kind === 'listener') return stopListening(d, files, how)
    if (s?.kind !== 'connection' || s.state === 'TIME-WAIT') return failedWith('ENOTCONN')
    return simple(files, { kind: 'shutdown', socket: s.id, how: HOW[how] ?? 'both' })
  })
})

/** Nothing is sent by a listener; one that is not to read is as new. */
function stopListening(d: Descriptor, files: Descriptors, how: number): Outcome {
  if (how !== SHUT_WR) files.renew(d)
  return returned(0)
}

const SHUT_WR = 1

/** By SHUT_RD, SHUT_WR, SHUT_RDWR. */
const HOW = ['read', 'write', 'both'] as const

export const close: Carry = ({ args }, line, files) => {
  const fd = numberOf(args[0], line)
  const d = files.get(fd)
  let begun = false
  return {
    otherwise: null,
    try: () => {
      // With SO_LINGER and a time it waits for the last acknowledgment.
      if (begun) return d?.lingering === true ? null : returned(0)
      begun = true
      if (!files.remove(fd)) return failedWith('EBADF')
      if (d === undefined) return returned(0)
      // Nobody will accept what waits.
      for (const { id } of d.ready) {
        if (id !== null) files.stage.call({ kind: 'abort', socket: id })
      }
      if (d.id === null) return returned(0)
      d.lingering = lingers(d, files)
      const outcome = simple(files, { kind: 'close', socket: d.id })
      return d.lingering && !d.nonblocking ? null : outcome
    },
  }
}

function lingers(d: Descriptor, files: Descriptors): boolean {
  const s = files.socketOf(d)
  return s?.kind === 'connection' && s.policy.lingers && s.policy.lingerTime > 0
}

export const fcntl = onSocket((d, { args }, line) => {
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

type Read = (d: Descriptor, files: Descriptors) => number

const readable: Read = (d, files) => {
  if (d.protocol === 'udp') return d.datagrams[0]?.length ?? 0
  const s = files.socketOf(d)
  return d.left + (s?.kind === 'connection' ? (s.receiveQueue?.bytes ?? 0) : 0)
}

const unacknowledged: Read = (d, files) => {
  const s = files.socketOf(d)
  return s?.kind === 'connection' ? Math.max(seqDiff(s.snd.end, s.snd.una), 0) : 0
}

const unsent: Read = (d, files) => {
  const s = files.socketOf(d)
  return s?.kind === 'connection' ? Math.max(seqDiff(s.snd.end, s.snd.nxt), 0) : 0
}

const atMark: Read = (d, files) => {
  const s = files.socketOf(d)
  return s?.kind === 'connection' && isAtMark(s) ? 1 : 0
}

const REQUESTS: { readonly [name: string]: Read } = {
  SIOCINQ: readable,
  FIONREAD: readable,
  SIOCOUTQ: unacknowledged,
  TIOCOUTQ: unacknowledged,
  SIOCOUTQNSD: unsent,
  SIOCATMARK: atMark,
}

/** What an `ioctl` asks for. */
export function requestOf({ args }: SystemCall, line: number): Read {
  const request = nameOf(args[1], line)
  if (!Object.hasOwn(REQUESTS, request)) throw new Unsupported(request, line)
  return REQUESTS[request]!
}

/** `ioctl(4, SIOCINQ, [1000])`: what it writes is compared. */
export const ioctl = onSocket((d, call, line, files) => {
  const read = requestOf(call, line)
  const expected = numberOf(single(call.args[2], line), line)
  return atOnce(() => {
    if (files.socketOf(d)?.kind === 'listener') return failedWith('EINVAL')
    const actual = read(d, files)
    if (actual === expected) return returned(0)
    const differs = { expected: String(expected), actual: String(actual) }
    return { ...returned(0), differs }
  })
})
