import { formatIp } from '../protocols/address.ts'
import type { HostState } from '../protocols/host/state.ts'
import type { Nanos } from '../protocols/time.ts'

/** What a host knows, as tables for a console. */
type Row = readonly string[]

/** Columns as wide as they have to be. */
export function table(rows: readonly Row[]): readonly string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}

const seconds = (span: Nanos): string => `${Math.round(span / 1e9)} s`

export function arpTable(h: HostState, now: Nanos): readonly string[] {
  const rows: Row[] = [['address', 'mac', 'state', 'confirmed']]
  for (const { arp } of h.interfaces) {
    for (const [address, entry] of arp.entries) {
      const state = entry.mac === null ? 'asked for' : now < entry.usableUntil ? 'valid' : 'stale'
      const age = entry.mac === null ? '-' : `${seconds(now - entry.confirmedAt)} ago`
      rows.push([formatIp(address), entry.mac ?? '-', state, age])
    }
  }
  for (const { ipv6 } of h.interfaces) {
    for (const [address, { mac, state, usableUntil, confirmedAt }] of ipv6?.neighbours.entries ??
      []) {
      // REACHABLE turns into STALE when somebody looks.
      const shown = state === 'REACHABLE' && now >= usableUntil ? 'STALE' : state
      const age = mac === null ? '-' : `${seconds(now - confirmedAt)} ago`
      rows.push([formatIp(address), mac ?? '-', shown, age])
    }
  }
  return table(rows)
}

export function routeTable(h: HostState): readonly string[] {
  const rows: Row[] = [['destination', 'gateway', 'interface']]
  for (const { prefixLength, table: routes } of h.routes.levels) {
    for (const { destination, gateway, port } of routes.values()) {
      const via = gateway === null ? 'on the link' : formatIp(gateway)
      rows.push([`${formatIp(destination)}/${prefixLength}`, via, String(port)])
    }
  }
  for (const { prefixLength, table: routes } of h.ipv6.routes.levels) {
    for (const { destination, gateway, port } of routes.values()) {
      rows.push([`${destination}/${prefixLength}`, gateway ?? 'on the link', String(port)])
    }
  }
  for (const [port, { ipv6 }] of h.interfaces.entries()) {
    for (const { address } of ipv6?.discovery?.routers ?? []) {
      rows.push(['::/0', address, String(port)])
    }
  }
  return table(rows)
}

export function interfaceTable(h: HostState): readonly string[] {
  const rows: Row[] = [['interface', 'mac', 'mtu', 'addresses']]
  for (const [index, { mac, mtu }] of h.interfaces.entries()) {
    const own = [...h.addresses].flatMap(([address, port]) => (port === index ? address : []))
    rows.push([String(index), mac, String(mtu), own.map(formatIp).join(', ') || 'none'])
  }
  return table(rows)
}

export function tcpTable(h: HostState): readonly string[] {
  const rows: Row[] = [['state', 'local', 'remote', 'unacked', 'cwnd', 'srtt']]
  for (const socket of h.sockets) {
    if (socket?.kind === 'listener') {
      const { address, port } = socket
      rows.push(['LISTEN', `${address === null ? '*' : formatIp(address)}:${port}`, '', '', '', ''])
    } else if (socket?.kind === 'connection') {
      const { state, localAddress, localPort, remoteAddress, remotePort, snd, cc, rto } = socket
      rows.push([
        state,
        `${formatIp(localAddress)}:${localPort}`,
        `${formatIp(remoteAddress)}:${remotePort}`,
        String((snd.nxt - snd.una) | 0),
        String(cc.cwnd),
        rto.srtt > 0 ? `${(rto.srtt / 1e6).toFixed(3)} ms` : '-',
      ])
    }
  }
  return table(rows)
}

export function udpTable(h: HostState): readonly string[] {
  const rows: Row[] = [['local', 'remote']]
  for (const socket of h.sockets) {
    if (socket?.kind !== 'udp' || socket.port === 0) continue
    const { address, port, remote } = socket
    const local = `${address === null ? '*' : formatIp(address)}:${port}`
    rows.push([local, remote === null ? '*' : `${formatIp(remote.address)}:${remote.port}`])
  }
  return table(rows)
}
