import { formatIp, parseIpText } from '../protocols/address.ts'
import { icmpName } from '../protocols/tcp-ping/icmp-names.ts'
import type { HostState } from '../protocols/host/state.ts'
import type { Host } from '../sim/programs.ts'
import type { TcpSocket } from '../sim/tcp-socket.ts'
import { SocketError } from '../sim/socket.ts'
import type { PacketCounters } from '../trace/packet-counters.ts'
import { arpTable, interfaceTable, routeTable, table, tcpTable, udpTable } from './stack-tables.ts'

export const CONSOLE_HELP = `show arp|routes|interfaces|tcp|udp|counters
ping HOST [COUNT]        ICMP echo requests, a second apart
connect HOST PORT        a TCP connection: lines are sent, '.' ends it
log CHANNEL …            what is shown as it happens: packets, tcp, arp, drops; 'log' for nothing
help, quit`

export const LOG_CHANNELS = ['packets', 'tcp', 'arp', 'drops'] as const
export type LogChannel = (typeof LOG_CHANNELS)[number]

/** What the console is about: a host that runs. */
export interface Watched {
  readonly host: Host
  /** Reads of it are of this instant. */
  state(): HostState
  readonly counters: PacketCounters
  /** Does something on the host, now. */
  act(work: () => void): void
  readonly log: Set<LogChannel>
}

/** Commands by lines of text; what they have to say goes to `say`. */
export class StackConsole {
  readonly #watched: Watched
  readonly #say: (line: string) => void
  readonly #quit: () => void
  /** Where lines go, once connected. */
  #socket: TcpSocket | null = null

  constructor(watched: Watched, say: (line: string) => void, quit: () => void) {
    this.#watched = watched
    this.#say = say
    this.#quit = quit
  }

  line(text: string): void {
    if (this.#socket !== null) return this.#type(this.#socket, text)
    const [command = '', ...words] = text.trim().split(/\s+/)
    switch (command) {
      case '':
        return
      case 'show':
        return this.#show(words[0] ?? '')
      case 'ping':
        return this.#ping(words)
      case 'connect':
        return this.#connect(words)
      case 'log':
        return this.#log(words)
      case 'help':
        return this.#say(CONSOLE_HELP)
      case 'quit':
        return this.#quit()
      default:
        this.#say(`there is no '${command}'; 'help' lists what there is`)
    }
  }

  #show(what: string): void {
    const { host, counters } = this.#watched
    const h = this.#watched.state()
    const tables: { readonly [name: string]: () => readonly string[] } = {
      arp: () => arpTable(h, host.now),
      routes: () => routeTable(h),
      interfaces: () => interfaceTable(h),
      tcp: () => tcpTable(h),
      udp: () => udpTable(h),
      counters: () =>
        table([['counter', 'value'], ...counters.sorted().map(([name, n]) => [name, String(n)])]),
    }
    const make = Object.hasOwn(tables, what) ? tables[what] : undefined
    if (make === undefined) return this.#say(`show ${Object.keys(tables).join('|')}`)
    for (const line of make()) this.#say(line)
  }

  #ping([text = '', countText = '3']: readonly string[]): void {
    const remote = parseIpText(text)
    const count = /^\d{1,4}$/.test(countText) ? Number(countText) : 0
    if (remote === null || count === 0) return this.#say('ping ADDRESS [COUNT]')
    const { host } = this.#watched
    this.#watched.act(() => {
      void (async () => {
        for (let sequence = 1; sequence <= count; sequence++) {
          if (sequence > 1) await host.sleep('1s')
          this.#say(await this.#pinged(host, remote, sequence))
        }
      })()
    })
  }

  async #pinged(host: Host, remote: string | number, sequence: number): Promise<string> {
    const to = formatIp(remote)
    try {
      const result = await host.ping(remote, { sequence })
      if (result === null) return `no answer from ${to}: seq=${sequence}`
      if (result.kind === 'error') {
        const { type, code, from } = result
        const version = typeof from === 'string' ? 6 : 4
        return `from ${formatIp(from)}: seq=${sequence} ${icmpName(version, type, code)}`
      }
      const { ttl, rtt } = result
      return `reply from ${to}: seq=${sequence} ttl=${ttl} time=${(rtt / 1e6).toFixed(3)} ms`
    } catch (error) {
      return `${to}: ${codeOf(error)}`
    }
  }

  #connect([text = '', portText = '']: readonly string[]): void {
    const remote = parseIpText(text)
    const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
    if (remote === null || port < 1 || port > 0xffff) return this.#say('connect ADDRESS PORT')
    const { host } = this.#watched
    this.#watched.act(() => {
      host.connect(remote, port).then(
        (socket) => {
          this.#socket = socket
          this.#say(`connected to ${formatIp(remote)}:${port}; '.' ends it`)
          void this.#listen(socket)
        },
        (error: unknown) => this.#say(`${formatIp(remote)}:${port}: ${codeOf(error)}`),
      )
    })
  }

  async #listen(socket: TcpSocket): Promise<void> {
    try {
      for await (const bytes of socket) {
        const text = new TextDecoder().decode(bytes as Uint8Array).replace(/\r?\n$/, '')
        for (const line of text.split(/\r?\n/)) this.#say(harmless(line))
      }
      this.#say('the other side has ended the connection')
    } catch (error) {
      this.#say(codeOf(error))
    }
    if (this.#socket === socket) this.#end(socket)
  }

  #type(socket: TcpSocket, text: string): void {
    if (text === '.') return this.#end(socket)
    this.#watched.act(() => {
      socket.send(`${text}\n`).catch((error: unknown) => this.#say(codeOf(error)))
    })
  }

  #end(socket: TcpSocket): void {
    this.#socket = null
    this.#watched.act(() => socket.close())
  }

  #log(words: readonly string[]): void {
    const channels = words.flatMap((word) => LOG_CHANNELS.find((each) => each === word) ?? [])
    if (channels.length < words.length) return this.#say(`log ${LOG_CHANNELS.join('|')}`)
    this.#watched.log.clear()
    for (const channel of channels) this.#watched.log.add(channel)
  }
}

// oxlint-disable-next-line no-control-regex
const harmless = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')

const codeOf = (error: unknown): string =>
  error instanceof SocketError ? error.code : error instanceof Error ? error.message : String(error)
