import { formatIp, ip, type Ipv4Address } from '../../../protocols/address.ts'
import type { ApplicationInput } from '../../../protocols/application.ts'
import type { DhcpClientReport } from '../../../protocols/dhcp/client.ts'
import { emitDhcp, parseDhcp } from '../../../protocols/dhcp/codec.ts'
import {
  type DhcpMessage,
  type DhcpOptions,
  type DhcpType,
  Lease,
  NO_DHCP_OPTIONS,
} from '../../../protocols/dhcp/message.ts'
import type { SocketCall, SocketEvent } from '../../../protocols/host/socket.ts'
import { s } from '../../../protocols/time.ts'

export const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
export const MAC = '02:00:00:00:00:0c'
export const SERVER = addr('10.0.0.1')
export const ADDRESS = addr('10.0.0.100')

export const opened: ApplicationInput<never> = {
  kind: 'socket',
  event: { kind: 'opened', socket: 0, protocol: 'udp' },
}

export function datagram(message: DhcpMessage, from = SERVER): ApplicationInput<never> {
  const event: SocketEvent = {
    kind: 'datagram',
    socket: 0,
    payload: emitDhcp(message),
    remote: { address: from, port: message.reply ? 67 : 68 },
    local: { address: -1, port: message.reply ? 68 : 67 },
  }
  return { kind: 'socket', event }
}

export const message = (
  type: DhcpType,
  transaction: number,
  fields: Partial<DhcpMessage> = {},
  options: Partial<DhcpOptions> = {},
): DhcpMessage => ({
  reply: false,
  type,
  transaction,
  seconds: 0,
  broadcast: false,
  clientAddress: 0,
  yourAddress: 0,
  nextServer: 0,
  relay: 0,
  hardware: MAC,
  ...fields,
  options: { ...NO_DHCP_OPTIONS, ...options },
})

/** `request to 255.255.255.255 ask 10.0.0.100 of 10.0.0.1`; `null` for what is no message. */
export function sentText(call: SocketCall): string | null {
  if (call.kind !== 'send-to') return null
  const parsed = parseDhcp(call.bytes)
  if (!parsed.ok) return `? ${parsed.why}`
  const { type, options, clientAddress, yourAddress, seconds, reply, broadcast } = parsed.value
  const words = [`${type} to ${formatIp(call.remote.address)}:${call.remote.port}`]
  if (clientAddress !== 0) words.push(`from ${formatIp(clientAddress)}`)
  if (yourAddress !== 0) words.push(`your ${formatIp(yourAddress)}`)
  if (options.requestedAddress !== null) words.push(`ask ${formatIp(options.requestedAddress)}`)
  if (!reply && options.serverId !== null) words.push(`of ${formatIp(options.serverId)}`)
  if (options.leaseSeconds !== null) words.push(`for ${options.leaseSeconds} s`)
  if (options.message !== null) words.push(`"${options.message}"`)
  if (seconds > 0) words.push(`secs ${seconds}`)
  if (broadcast) words.push('broadcast')
  return `> ${words.join(' ')}`
}

export function reportText(report: DhcpClientReport): string {
  switch (report.kind) {
    case 'phase':
      return `= ${report.to}`
    case 'check':
      return `= check ${formatIp(report.lease.address)}`
    case 'bound':
      return `= ${report.renewed ? 'renewed' : 'bound'} ${leaseText(report.lease)}`
    case 'lost':
      return `= lost ${formatIp(report.address)}: ${report.why}`
    case 'refused':
      return `= refused ${report.error}`
  }
}

const leaseText = ({ address, prefixLength, renewAt, rebindAt, expiresAt }: Lease): string =>
  `${formatIp(address)}/${prefixLength} ${renewAt / 1e9} ${rebindAt / 1e9} ${expiresAt / 1e9}`

export const lease = (expires: number, expiresAt = s(expires)): Lease =>
  new Lease({
    address: ADDRESS,
    prefixLength: 24,
    routers: [],
    dns: [],
    domainName: null,
    serverId: SERVER,
    renewAt: s(expires / 2),
    rebindAt: s(expires * 0.875),
    expiresAt,
  })
