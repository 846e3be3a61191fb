import { nameOf, numberOf } from './constants.ts'
import { type Expression, type Field, Unsupported } from './script.ts'

// `{msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0, msg_control=[{cmsg_level=…}]}`, and lists of buffers.

/** What a script says of a message: as much as is looked at. */
export interface MessageHeader {
  /** Bytes that its buffers have room for. */
  readonly length: number
  /** `null`: nobody looks. */
  readonly flags: number | null
  /** What TCP_CM_INQ is to tell, for want of other control messages; -1: that there is none. */
  readonly inQueue: number | null
}

export function messageHeaderOf(e: Expression | undefined, line: number): MessageHeader {
  if (e?.kind !== 'fields') return { length: vectorLength(e, line), flags: null, inQueue: null }
  const field = (name: string): Expression | undefined =>
    e.fields.find((each) => each.name === name)?.value
  for (const { name, value } of e.fields) {
    const known = name === 'msg_iov' || (name === 'msg_name' && value.kind === 'ellipsis')
    if (!known && name !== 'msg_flags' && name !== 'msg_control') {
      throw new Unsupported(name ?? 'msghdr', line)
    }
  }
  const [iov, flags, control] = [field('msg_iov'), field('msg_flags'), field('msg_control')]
  return {
    length: iov === undefined ? 0 : vectorLength(iov, line),
    flags: flags === undefined ? null : numberOf(flags, line),
    inQueue: control === undefined ? null : inQueueOf(control, line),
  }
}

/** The bytes that a list of buffers has room for. */
export function vectorLength(e: Expression | undefined, line: number): number {
  if (e?.kind !== 'list') throw new Unsupported('a vector', line)
  return e.items.reduce((sum, item) => {
    if (item.kind !== 'fields') throw new Unsupported('a vector', line)
    return sum + numberOf(item.fields[1]?.value, line)
  }, 0)
}

/** One control message is known: how much waits to be read behind what was (TCP_INQ). */
function inQueueOf(e: Expression, line: number): number {
  if (e.kind !== 'list') throw new Unsupported('msg_control', line)
  const [first, second] = e.items
  if (first === undefined) return -1
  if (second !== undefined) throw new Unsupported('several control messages', line)
  const fields: readonly Field[] = first.kind === 'fields' ? first.fields : []
  const field = (name: string): Expression | undefined =>
    fields.find((each) => each.name === name)?.value
  const type = nameOf(field('cmsg_type'), line)
  if (type !== 'TCP_CM_INQ') throw new Unsupported(type, line)
  return numberOf(field('cmsg_data'), line)
}
