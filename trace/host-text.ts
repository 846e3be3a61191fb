import { type Endpoint, formatIp } from '../protocols/address.ts'
import { toHex } from '../protocols/bytes.ts'
import { unreachable } from '../protocols/assert.ts'
import type { HostCall } from '../protocols/host/host.ts'
import type { SocketEvent, SocketSetting } from '../protocols/host/socket.ts'
import { seqText } from '../protocols/sequence.ts'
import { spanText } from './duration-text.ts'
import type { NodeEvent } from './record.ts'

type Told = Exclude<NodeEvent, { readonly kind: 'dropped' }>

const at = (end: Endpoint): string => `${formatIp(end.address)}.${end.port}`

/** What a host says, apart from drops, which need the packet's printer. */
export function eventText(said: Told): string {
  switch (said.kind) {
    case 'tcp-state':
      return `tcp ${said.socket} ${said.from} -> ${said.to}`
    case 'retransmit':
      return (
        `tcp ${said.socket} retransmits seq ${seqText(said.seq)}: ` +
        `${said.cause} #${said.count} rto=${spanText(said.rto)}`
      )
    case 'spurious':
      return `tcp ${said.socket} seq ${seqText(said.seq)} was sent again for nothing`
    case 'rtt':
      return `tcp ${said.socket} rtt=${spanText(said.rtt)} srtt=${spanText(said.srtt)}`
    case 'timer':
      return `timer ${said.socket} ${said.name}`
    case 'neighbour':
      return `neighbour ${formatIp(said.address)} ${said.mac === null ? 'lost' : `is at ${said.mac}`}`
    case 'address-conflict':
      return `conflict: ${formatIp(said.address)} is also at ${said.mac ?? 'another station'}`
    case 'router': {
      if (said.address === null) return 'no router answers'
      return `router ${formatIp(said.address)} ${said.usable ? 'is there' : 'is gone'}`
    }
    case 'address':
      return `address ${formatIp(said.address)} ${said.usable ? 'is ours' : 'is given up'}`
    case 'path-mtu':
      return `path mtu to ${formatIp(said.address)} is ${said.mtu}`
    case 'black-hole':
      return `tcp ${said.socket} black hole: mss=${said.mss}`
    case 'fast-open': {
      const cookie = said.cookie.length === 0 ? '' : ` ${toHex(said.cookie)}`
      return `tcp ${said.socket} fast open: ${said.outcome}${cookie}`
    }
    case 'learned':
      return `${said.mac} is behind port ${said.port}`
    case 'forgotten':
      return `${said.mac} forgotten: ${said.why}`
    default:
      return socketEventText(said)
  }
}

function socketEventText(said: SocketEvent): string {
  const socket = `socket ${said.socket}`
  switch (said.kind) {
    case 'opened':
      return `${socket} opened ${said.protocol}`
    case 'connected':
      return `${socket} connected ${at(said.local)} > ${at(said.remote)}`
    case 'accepted':
      return `${socket} accepted ${at(said.remote)} > ${at(said.local)} on ${said.listener}`
    case 'queued':
      return `${socket} queued ${said.bytes}`
    case 'writable':
      return `${socket} writable ${said.space}`
    case 'readable':
      return `${socket} readable ${said.available}`
    case 'urgent':
      return `${socket} urgent data up to ${said.ahead} bytes ahead`
    case 'received':
      return `${socket} received ${said.bytes}${said.ended ? ' end' : ''}`
    case 'datagram':
      return `${socket} datagram ${said.payload.length} from ${at(said.remote)}`
    case 'echo-reply':
      return `${socket} echo reply seq ${said.sequence} from ${formatIp(said.remote)} ttl ${said.ttl}`
    case 'icmp-error':
      return `${socket} icmp error type ${said.type} code ${said.code} from ${formatIp(said.from)}`
    case 'rejected':
      return `${socket} refuses ${said.call}: ${said.error}`
    case 'failed':
      return `${socket} failed ${said.error}`
    case 'closed':
      return `${socket} closed`
    case 'option':
      return `${socket} ${said.option}=${said.value}`
    case 'lingered':
      return `${socket} lingered${said.done ? '' : ' in vain'}`
    case 'info':
      return `${socket} info ${said.info.state}`
    default:
      return unreachable(said)
  }
}

/** What an application asked for. */
export function callText(call: HostCall): string {
  switch (call.kind) {
    case 'open':
      return `call open ${call.protocol}${call.protocol === 'raw' ? ` ${call.number}` : ''}`
    case 'bind':
      return `call bind ${call.socket} ${call.address === null ? '*' : formatIp(call.address)}.${call.port}`
    case 'listen':
      return `call listen ${call.socket} backlog ${call.backlog}`
    case 'connect':
      return `call connect ${call.socket} ${at(call.remote)}`
    case 'send':
      return `call send ${call.socket} ${call.bytes.length}${call.urgent ? ' urgent' : ''}${call.more ? ' more' : ''}`
    case 'send-to':
      return `call send-to ${call.socket} ${call.bytes.length} to ${at(call.remote)}`
    case 'send-echo':
      return `call send-echo ${call.socket} seq ${call.sequence} to ${formatIp(call.remote)}`
    case 'join':
      return `call join ${call.socket} ${formatIp(call.group)}`
    case 'leave':
      return `call leave ${call.socket} ${formatIp(call.group)}`
    case 'receive':
      return `call receive ${call.socket} max ${call.max}`
    case 'hold':
    case 'release':
      return `call ${call.kind} ${call.socket} ${call.size}`
    case 'set':
      return `call set ${call.socket} ${call.option}=${settingText(call.value)}`
    case 'accept':
      return `call accept ${call.socket}`
    case 'get':
      return `call get ${call.socket} ${call.option}`
    case 'shutdown':
      return `call shutdown ${call.socket}${call.how === undefined ? '' : ` ${call.how}`}`
    case 'close':
    case 'abort':
    case 'info':
      return `call ${call.kind} ${call.socket}`
    case 'add-address':
    case 'remove-address':
      return `call ${call.kind} ${call.port} ${formatIp(call.address)}/${call.prefixLength}`
    case 'set-gateway':
      return `call set-gateway ${call.port} ${call.gateway === null ? 'none' : formatIp(call.gateway)}`
    default:
      return unreachable(call)
  }
}

/** Of a key only whose it is. */
const settingText = (value: SocketSetting['value']): string =>
  typeof value === 'object' ? `${formatIp(value.address)}/${value.prefixLength}` : String(value)
