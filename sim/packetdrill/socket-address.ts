import { type Endpoint, type IpAddress, parseIpText } from '../../protocols/address.ts'
import { numberOf } from './constants.ts'
import { type Expression, type SystemCall, Unsupported } from './script.ts'
import type { ScriptSettings } from './script-settings.ts'

/** An address that is written out, with its port; `...` is the usual one. */
export function endpointOf(e: Expression | undefined, usual: Endpoint, line: number): Endpoint {
  if (e === undefined || e.kind === 'ellipsis') return usual
  if (e.kind !== 'fields') throw new Unsupported('an address', line)
  let { address, port } = usual
  for (const { name, value } of e.fields) {
    if (name === 'sin_port' || name === 'sin6_port') port = portOf(value, line)
    else if (name === 'sin_addr' || name === 'sin6_addr') address = addressOf(value, line)
    else if (name !== 'sa_family') throw new Unsupported(name ?? 'an address', line)
  }
  return { address, port }
}

function portOf(e: Expression, line: number): number {
  if (e.kind === 'apply' && e.name === 'htons') return numberOf(e.args[0], line)
  return numberOf(e, line)
}

function addressOf(e: Expression, line: number): IpAddress {
  if (e.kind !== 'apply') throw new Unsupported('an address', line)
  // inet_addr("192.0.2.1"); inet_pton(AF_INET6, "2001:db8::1") has the text behind the family.
  const text = e.args[e.args.length - 1]
  const address = text?.kind === 'string' ? parseIpText(text.value) : null
  if (address === null) throw new Unsupported(e.name, line)
  return address
}

/** `{sa_family=AF_UNSPEC}`: no address, a connected socket is to be on its own again. */
export function isUnspecified(e: Expression | undefined): boolean {
  if (e?.kind !== 'fields') return false
  const family = e.fields.find(({ name }) => name === 'sa_family')?.value
  return family?.kind === 'word' && family.name === 'AF_UNSPEC'
}

/** Where a call sends to, or connects; `null` for one that names no address. */
export function destinationOf(
  { name, args }: SystemCall,
  { remote, connectPort }: ScriptSettings,
  line: number,
): Endpoint | null {
  const usual = { address: remote, port: connectPort }
  if (name === 'connect') return endpointOf(args[1], usual, line)
  const to = args[4]
  if (name !== 'sendto' || to === undefined) return null
  const isNull = (to.kind === 'word' && to.name === 'NULL') || to.kind === 'number'
  return isNull ? null : endpointOf(to, usual, line)
}
