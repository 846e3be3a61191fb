import { chatClient, type ChatClientReport, createChatClient } from '../protocols/chat/client.ts'
import { CHAT_DEFAULT } from '../protocols/chat/policy.ts'
import { chatServer } from '../protocols/chat/server.ts'
import { createChatServer } from '../protocols/chat/state.ts'
import { ip } from '../protocols/address.ts'
import { count, duration, ratio } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario, type LinkBetween, type NodeSpec } from '../sim/scenario.ts'

const SERVER = '10.0.0.254'
const nameOf = (index: number): string => `c${index + 1}`
/** 10.0.0.1, …; 250 of them in each 10.0.x.0. */
const addressOf = (index: number): string =>
  `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}/16`

export default defineScenario({
  name: 'chat',
  about: `People in pairs talk over a chat server and a bad network: our TCP loses nothing, keeps the order,
    and nobody hears what was not meant for them. One without a partner listens in a room. Try
    --set clients=50 or --set loss=20%.`,
  params: {
    clients: count(5, 'people; those without a partner sit in a room'),
    lines: count(20, 'that each of a pair says to the other'),
    interval: duration('100ms', 'between two lines of one person'),
    loss: ratio('5%', 'of frames, each way, between each client and the switch'),
    delay: duration('5ms', 'of each link'),
  },
  topology: ({ clients }) => {
    const nodes: { [name: string]: NodeSpec } = { server: 'host', lan: 'switch' }
    for (let i = 0; i < clients; i++) nodes[nameOf(i)] = 'host'
    return nodes
  },
  links: ({ clients, loss, delay }) => {
    const links: LinkBetween[] = [{ ends: { server: `${SERVER}/16`, lan: null }, delay }]
    for (let i = 0; i < clients; i++) {
      links.push({ ends: { [nameOf(i)]: addressOf(i), lan: null }, delay, loss })
    }
    return links
  },
  programs: ({ clients, lines, interval }) => ({
    server: (host) => {
      let [connections, now] = [0, 0]
      host.run(chatServer, createChatServer(CHAT_DEFAULT), ({ kind }) => {
        if (kind === 'connected') now += 1
        if (kind === 'disconnected') now -= 1
        connections = Math.max(connections, now)
        host.note('connections at once', connections)
      })
    },
    ...Object.fromEntries(
      Array.from({ length: clients }, (_, i) => [
        nameOf(i),
        async (host: Host) =>
          talk(host, i, (i ^ 1) < clients ? nameOf(i ^ 1) : null, lines, interval),
      ]),
    ),
  }),
  expect: ({ notes }, { clients, lines }) => {
    const paired = Array.from({ length: clients - (clients % 2) }, (_, i) => nameOf(i))
    const wrong = paired.filter((name) => notes[`${name} heard`] !== lines)
    return [
      {
        that: 'each of a pair hears every line of the other, in order',
        holds: wrong.length === 0,
        actual: wrong.map((name) => `${name} heard ${notes[`${name} heard`] ?? 0}`).join(', '),
      },
      { that: 'nobody hears what is for others', holds: notes['strangers'] === undefined },
      {
        that: 'all are connected at once',
        holds: notes['connections at once'] === clients,
        actual: String(notes['connections at once']),
      },
    ]
  },
})

/** One person: logs in, finds its partner, says its lines, hears the other's, and leaves. */
async function talk(
  host: Host,
  index: number,
  partner: string | null,
  lines: number,
  interval: number,
): Promise<void> {
  const name = nameOf(index)
  const ear = new Ear()
  let heard = 0
  const client = host.run(
    chatClient,
    createChatClient({ server: { address: ip(SERVER), port: 5000 }, name, key: '' }),
    (report) => {
      ear.hear(report)
      if (report.kind !== 'line' || report.tag !== 'FROM') return
      if (report.text === `${partner} line ${heard + 1}`) host.note(`${name} heard`, ++heard)
      else host.note('strangers', `${name} heard '${report.text}'`)
    },
  )
  const type = (text: string) => client.command({ kind: 'typed', text })
  await ear.until(/^OK Logged in/)
  if (partner === null) {
    type('/join lobby')
    await host.at('60s')
    return type('/quit')
  }
  if (index % 2 === 0) {
    // The partner may not have come yet.
    for (type(`/chat ${partner}`); !(await ear.until(/^(OK Chat started|ERR User not)/));) {
      await host.sleep('500ms')
      type(`/chat ${partner}`)
    }
  } else await ear.until(/^INFO \S+ started a chat/)
  for (let i = 1; i <= lines; i++) {
    type(`line ${i}`)
    await host.sleep(interval)
  }
  await host.at('60s')
  type('/quit')
}

/** Waits for lines of the server. */
class Ear {
  #waiting: { readonly pattern: RegExp; readonly resolve: (good: boolean) => void } | null = null
  readonly #lines: string[] = []

  hear(report: ChatClientReport): void {
    if (report.kind !== 'line') return
    this.#lines.push(`${report.tag} ${report.text}`)
    this.#look()
  }

  /** The next line like this, whether it is good news or not. */
  until(pattern: RegExp): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting = { pattern, resolve }
      this.#look()
    })
  }

  #look(): void {
    const waiting = this.#waiting
    if (waiting === null) return
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      if (!waiting.pattern.test(line)) continue
      this.#waiting = null
      return waiting.resolve(!line.startsWith('ERR'))
    }
  }
}
