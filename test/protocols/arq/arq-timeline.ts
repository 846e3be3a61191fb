import { produce } from 'immer'
import { expect } from 'vitest'
import type { ArqPacket } from '../../../protocols/arq/packet.ts'
import type { ArqPolicy } from '../../../protocols/arq/policy.ts'
import { type ArqCall, type ArqEvent, arqSender } from '../../../protocols/arq/sender.ts'
import {
  type ArqSender,
  arqSenderNextDue,
  createArqSender,
} from '../../../protocols/arq/sender-state.ts'
import { ms } from '../../../protocols/time.ts'

/** What happens to a sender: `offer 3`, `end 5`, `ack 0 <2 4 5`, `skip 1 <4`, `drop 0`. */
export type Script = readonly (readonly [atMs: number, what: string])[]

/** Plays a sender in place and recorded, compares, and lists all it does with its time in ms. */
export function arqTimeline(
  policy: ArqPolicy,
  peers: number,
  script: Script,
  untilMs: number,
): string {
  const live = createArqSender(policy, peers)
  const inPlace = play(script, untilMs, (act) => {
    act(live)
    return live
  })
  let frozen = createArqSender(policy, peers)
  const recorded = play(script, untilMs, (act) => {
    frozen = produce(frozen, (draft) => act(draft as ArqSender))
    return frozen
  })
  expect(recorded).toEqual(inPlace)
  return inPlace.join('\n')
}

function play(
  script: Script,
  untilMs: number,
  step: (act: (s: ArqSender) => void) => ArqSender,
): string[] {
  const lines: string[] = []
  let [next, now, woken] = [0, 0, Infinity]
  const say = (text: string) => lines.push(`${String(now / 1e6).padStart(6)}  ${text}`)
  const out = {
    send: (packet: ArqPacket, port: number) => {
      if (packet.kind === 'data') say(`> ${packet.unit}${"'".repeat(packet.again)} to ${port}`)
    },
    event: (event: ArqEvent) => say(`= ${eventText(event)}`),
    wake: (_owner: number, at: number) => {
      woken = at
    },
  }
  for (;;) {
    const at = next < script.length ? ms(script[next]![0]) : Infinity
    now = Math.min(at, woken)
    if (now > ms(untilMs)) return lines
    const state = step((s) => {
      if (at <= woken) give(s, now, script[next]![1], out)
      else arqSender.step(s, now, { kind: 'timer', owner: 0 }, out)
    })
    if (at === now) next += 1
    // The deadline that was said is the one in the state, and what was due is done.
    expect(arqSenderNextDue(state)).toBe(woken)
    expect(woken > now || next <= script.length).toBe(true)
  }
}

function give(s: ArqSender, now: number, what: string, out: Parameters<typeof arqSender.step>[3]) {
  const [verb, ...words] = what.split(' ')
  const number = (word: string | undefined) => Number((word ?? '').replace('<', ''))
  if (verb === 'ack') {
    const [peer, below, ...units] = words.map(number)
    const packet = { kind: 'ack', below: below!, units } as const
    return arqSender.step(s, now, { kind: 'packet', packet, port: peer! }, out)
  }
  const call: ArqCall =
    verb === 'offer' || verb === 'end'
      ? { kind: 'offer', total: number(words[0]), closed: verb === 'end' }
      : verb === 'skip'
        ? { kind: 'skip', peer: number(words[0]), below: number(words[1]) }
        : { kind: 'drop', peer: number(words[0]) }
  arqSender.step(s, now, { kind: 'call', call }, out)
}

function eventText(event: ArqEvent): string {
  switch (event.kind) {
    case 'timeout':
      return `timeout ${event.unit}`
    case 'acknowledged':
      return `all below ${event.below}`
    case 'peer-lost':
      return `lost ${event.peer}`
    default:
      return event.kind
  }
}
