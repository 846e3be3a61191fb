import { type Endpoint, formatIp, type Ipv4Address, ip } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'
import type { Message, Party, TableError } from './table.ts'

/** A message within its conversation. */
export interface Line {
  readonly line: number
  readonly at: Nanos
  readonly fromClient: boolean
  readonly payload: Bytes
}

/** Two ends and what they say to each other: one TCP connection, or datagrams between two ports. */
export interface Conversation {
  readonly transport: 'tcp' | 'udp'
  /** Who speaks first. Port 0: whichever the host gives it. */
  readonly client: Endpoint & { readonly address: Ipv4Address }
  readonly server: Endpoint & { readonly address: Ipv4Address }
  readonly lines: readonly Line[]
}

/** Ports that a protocol's name stands for, where the table has none (IANA). */
const WELL_KNOWN: { readonly [protocol: string]: number } = {
  FTP: 21,
  SSH: 22,
  TELNET: 23,
  SMTP: 25,
  DNS: 53,
  HTTP: 80,
  POP3: 110,
  NTP: 123,
  IMAP: 143,
  SNMP: 161,
  IRC: 194,
  HTTPS: 443,
  TLS: 443,
  SIP: 5060,
  MQTT: 1883,
  CHAT: 5000,
}
const OTHER_PORT = 12_345

/** So many names get an address of their own: 10.0.0.1 to 10.0.0.253. */
const NAMES_MAX = 253

interface Draft {
  readonly key: string
  readonly reverse: string
  readonly conversation: Conversation & { readonly lines: Line[] }
}

/**
 * Sorts messages into conversations. Whoever sends a conversation's first message is its client;
 * what goes the other way between the same ends belongs to it. An application without an address
 * gets one: 10.0.0.1, 10.0.0.2, … in the order in which names appear.
 */
export function conversationsOf(
  messages: readonly Message[],
): readonly Conversation[] | TableError {
  const drafts: Draft[] = []
  const names = new Names()
  const inTime = [...messages].sort((a, b) => a.at - b.at)
  for (const message of inTime) {
    const { line, at, payload, transport } = message
    const [from, to] = names.ends(message)
    if (from === to) {
      return { line, error: `${formatIp(from)} to itself: that crosses no link` }
    }
    if (names.count > NAMES_MAX) {
      return { line, error: `more than ${NAMES_MAX} applications without an address` }
    }
    if (transport === 'udp' && payload.length > DATAGRAM_MAX) {
      return {
        line,
        error: `a message of ${payload.length} bytes does not fit one datagram`,
        hint: `at most ${DATAGRAM_MAX}`,
      }
    }
    const here = `${formatIp(from)} ${message.from.port ?? message.protocol}`
    const there = `${formatIp(to)} ${message.to.port ?? message.protocol}`
    const key = `${transport} ${here} ${there}`
    const known = drafts.find((draft) => draft.key === key || draft.reverse === key)
    if (known !== undefined) {
      known.conversation.lines.push({ line, at, payload, fromClient: known.key === key })
      continue
    }
    const client = { address: from, port: message.from.port ?? 0 }
    const server = { address: to, port: message.to.port ?? portOf(message.protocol) }
    const lines = [{ line, at, payload, fromClient: true }]
    const reverse = `${transport} ${there} ${here}`
    drafts.push({ key, reverse, conversation: { transport, client, server, lines } })
  }
  return drafts.map(({ conversation }) => conversation)
}

const portOf = (protocol: string): number => WELL_KNOWN[protocol.toUpperCase()] ?? OTHER_PORT

/** Addresses for ends that have only a name, or not even that. */
class Names {
  readonly #addresses = new Map<string, Ipv4Address>()
  /** Ports that a client without a name has spoken from, and to. */
  readonly #spoken = new Set<string>()

  get count(): number {
    return this.#addresses.size
  }

  ends({ from, to }: Message): [Ipv4Address, Ipv4Address] {
    // Without names, only the ports tell an answer from a request.
    const answers = this.#spoken.has(`${to.port} ${from.port}`)
    if (!answers) this.#spoken.add(`${from.port} ${to.port}`)
    const [first, second] = answers ? [SERVER, CLIENT] : [CLIENT, SERVER]
    return [this.#of(from, first), this.#of(to, second)]
  }

  #of({ app, address }: Party, anonymous: string): Ipv4Address {
    // Loopback crosses no link, so the two ends are put on hosts of their own.
    if (address !== null && address >>> 24 !== 127) return address
    const name = app ?? anonymous
    const known = this.#addresses.get(name)
    if (known !== undefined) return known
    const given = ip(`10.0.0.${Math.min(this.#addresses.size + 1, 254)}`) as Ipv4Address
    this.#addresses.set(name, given)
    return given
  }
}

/** No application is called like this: names have no blank in front. */
const CLIENT = ' client'
const SERVER = ' server'
/** RFC 768 over IPv4. */
const DATAGRAM_MAX = 65_507
