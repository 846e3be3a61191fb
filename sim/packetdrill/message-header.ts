import { nameOf, numberOf } from './constants.ts'
import { type Nanos, s } from '../../protocols/time.ts'
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
  /** What the error queue is to tell; `null`: nobody looks. */
  readonly error: ErrorFields | null
  readonly stamp: Nanos | null
}

/** `struct sock_extended_err` */
export interface ErrorFields {
  readonly errno: number
  readonly origin: number
  readonly type: number
  readonly code: number
  readonly info: number
  readonly data: number
}

const NOTHING = { inQueue: null, error: null, stamp: null }

export function messageHeaderOf(e: Expression | undefined, line: number): MessageHeader {
  if (e?.kind !== 'fields') return { ...NOTHING, length: vectorLength(e, line), flags: null }
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
    ...(control === undefined ? NOTHING : controlOf(control, line)),
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

type Control = Pick<MessageHeader, 'inQueue' | 'error' | 'stamp'>

/** TCP_INQ tells how much waits to be read; the error queue of what, and since when. */
function controlOf(e: Expression, line: number): Control {
  if (e.kind !== 'list') throw new Unsupported('msg_control', line)
  if (e.items.length === 0) return { ...NOTHING, inQueue: -1 }
  return e.items.reduce<Control>((control, item) => {
    const field = fieldOf(item)
    const type = nameOf(field('cmsg_type'), line)
    const data = field('cmsg_data')
    switch (type) {
      case 'TCP_CM_INQ':
        return { ...control, inQueue: numberOf(data, line) }
      case 'SCM_TIMESTAMPING': {
        const stamp = fieldOf(data)
        const [seconds, nanos] = [stamp('scm_sec'), stamp('scm_nsec')]
        return { ...control, stamp: s(numberOf(seconds, line)) + numberOf(nanos, line) }
      }
      case 'IP_RECVERR':
      case 'IPV6_RECVERR':
      case 'CMSG_TYPE_RECVERR':
        return { ...control, error: errorOf(fieldOf(data), line) }
      default:
        throw new Unsupported(type, line)
    }
  }, NOTHING)
}

type FieldOf = (name: string) => Expression | undefined

function fieldOf(e: Expression | undefined): FieldOf {
  const fields: readonly Field[] = e?.kind === 'fields' ? e.fields : []
  return (name) => fields.find((each) => each.name === name)?.value
}

function errorOf(field: FieldOf, line: number): ErrorFields {
  const number = (name: string): number => {
    const value = field(`ee_${name}`)
    return value === undefined ? 0 : numberOf(value, line)
  }
  return {
    errno: number('errno'),
    origin: number('origin'),
    type: number('type'),
    code: number('code'),
    info: number('info'),
    data: number('data'),
  }
}
