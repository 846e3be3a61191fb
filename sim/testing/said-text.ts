import type { HostEvent } from '../../protocols/host/event.ts'

/** What a connection says of itself, in the few words that a timeline wants. */
export function saidText(said: HostEvent): string {
  switch (said.kind) {
    case 'tcp-state':
      return said.to
    case 'dropped':
      return `dropped: ${said.why}`
    case 'rtt':
      return `rtt ${said.rtt / 1e6} ms, srtt ${said.srtt / 1e6} ms`
    case 'timer':
      return `timer ${said.name}`
    case 'queued':
      return `queued ${said.bytes}`
    case 'writable':
      return `writable ${said.space}`
    case 'readable':
      return `readable ${said.available}`
    case 'urgent':
      return `urgent ${said.ahead} ahead`
    case 'received':
      return `received ${said.bytes}${said.ended ? ', end' : ''}`
    case 'rejected':
      return `${said.call} rejected: ${said.error}`
    case 'failed':
      return `failed ${said.error}`
    case 'option':
      return `${said.option} ${said.value}`
    case 'lingered':
      return said.done ? 'lingered' : 'lingered in vain'
    case 'info':
      return `info ${Object.entries(said.info)
        .map(([name, value]) => `${name.replace('tcpi_', '')}=${value}`)
        .join(' ')}`
    default:
      return said.kind
  }
}
