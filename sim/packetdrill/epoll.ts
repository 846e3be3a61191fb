import { atOnce, type Carry } from './attempt.ts'
import { ALWAYS, POLLIN } from '../readiness.ts'
import { EPOLLET, EPOLLONESHOT, nameOf, numberOf } from './constants.ts'
import type { Descriptors } from './descriptors.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import { readiness } from './poll.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'

/** One watched descriptor of an `epoll`. */
interface Item {
  readonly fd: number
  events: number
  /** What it was ready for when something last happened. */
  ready: number
  /** What has become so since it was last told, for EPOLLET. */
  edges: number
  /** How far the stream had come. */
  received: number
}

export interface Epoll {
  readonly kind: 'epoll'
  readonly items: Item[]
  /** Something happened on the host. */
  update(): void
}

export const epollCreate: Carry = ({ result }, _line, files) =>
  atOnce(() => {
    const items: Item[] = []
    files.putOther(result ?? 3, {
      kind: 'epoll',
      items,
      update: () => {
        for (const item of items) look(files, item)
      },
    })
    return returned(result ?? 3)
  })

/** Notes what has become ready; more bytes are news as well. */
function look(files: Descriptors, item: Item): void {
  const ready = readiness(files, item.fd)
  item.edges |= ready & ~item.ready
  item.edges &= ready
  const d = files.get(item.fd)
  const s = d === undefined ? null : files.socketOf(d)
  const received = s?.kind === 'connection' ? s.rcv.nxt : item.received
  if (received !== item.received) item.edges |= ready & POLLIN
  item.ready = ready
  item.received = received
}

function eventOf(e: Expression | undefined, line: number): { events: number; fd: number } {
  if (e?.kind !== 'fields') throw new Unsupported('an epoll event', line)
  const field = (name: string): Expression | undefined =>
    e.fields.find((each) => each.name === name)?.value
  const data = field('fd') ?? field('ptr') ?? field('u32') ?? field('u64')
  return { events: numberOf(field('events'), line), fd: numberOf(data, line) }
}

export const epollCtl: Carry = ({ args }, line, files) => {
  const epoll = files.other(numberOf(args[0], line))
  const operation = nameOf(args[1], line)
  const fd = numberOf(args[2], line)
  const events = operation === 'EPOLL_CTL_DEL' ? 0 : eventOf(args[3], line).events
  return atOnce(() => {
    if (files.get(fd) === undefined && files.other(fd) === undefined) return failedWith('EBADF')
    if (epoll?.kind !== 'epoll' || files.other(fd) === epoll) return failedWith('EINVAL')
    const { items } = epoll
    const at = items.findIndex((item) => item.fd === fd)
    if (operation === 'EPOLL_CTL_ADD') {
      if (at >= 0) return failedWith('EEXIST')
      const item = { fd, events, ready: 0, edges: 0, received: 0 }
      look(files, item)
      items.push(item)
    } else if (at < 0) return failedWith('ENOENT')
    else if (operation === 'EPOLL_CTL_DEL') items.splice(at, 1)
    else {
      items[at]!.events = events
      items[at]!.edges = items[at]!.ready
    }
    return returned(0)
  })
}

/** `epoll_wait(5, {events=EPOLLIN, fd=4}, 1, timeout)`: the event is what is expected. */
export const epollWait: Carry = (call, line, files) => {
  const { args } = call
  const epoll = files.other(numberOf(args[0], line))
  const expected = args[1]?.kind === 'ellipsis' ? null : eventOf(args[1], line)
  const timeout = numberOf(args[3], line)
  const deadline = timeout < 0 ? Infinity : files.stage.now + timeout * 1e6
  return {
    otherwise: null,
    wakeAt: deadline,
    try: () => {
      if (epoll?.kind !== 'epoll') return failedWith('EINVAL')
      for (const item of epoll.items) {
        look(files, item)
        const news = item.events & EPOLLET ? item.edges : item.ready
        const told = item.ready & (item.events | ALWAYS)
        if ((news & told) === 0) continue
        item.edges = 0
        if (item.events & EPOLLONESHOT) item.events = 0
        return judged(expected, item.fd, told)
      }
      return files.stage.now < deadline ? null : returned(0)
    },
  }
}

function judged(
  expected: { readonly events: number; readonly fd: number } | null,
  fd: number,
  events: number,
): Outcome {
  if (expected === null || (expected.events === events && expected.fd === fd)) return returned(1)
  const text = (bits: number, of: number): string => `events 0x${bits.toString(16)} of ${of}`
  const differs = { expected: text(expected.events, expected.fd), actual: text(events, fd) }
  return { ...returned(1), differs }
}

/** Whether the arguments can be read. */
export function checkEpoll({ name, args }: SystemCall, line: number): void {
  if (name === 'epoll_ctl') {
    const operation = nameOf(args[1], line)
    if (!/^EPOLL_CTL_(ADD|MOD|DEL)$/.test(operation)) throw new Unsupported(operation, line)
    if (operation !== 'EPOLL_CTL_DEL') eventOf(args[3], line)
  } else if (name === 'epoll_wait') {
    if (args[1]?.kind !== 'ellipsis') eventOf(args[1], line)
    numberOf(args[3], line)
  }
}
