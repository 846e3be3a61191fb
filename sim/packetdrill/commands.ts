import { isIpv4 } from '../../protocols/address.ts'
import type { FastOpenChoices } from '../../protocols/tcp/fast-open-choices.ts'
import type { Descriptors } from './descriptors.ts'
import type { Stage } from './stage.ts'
import type { Association } from './security-associations.ts'
import { settingsOf, stateWord } from './sysctl.ts'

/**
 * What a shell command of a script does to the host.
 *
 * @returns what does not hold, or `null`
 */
export function runCommand(
  text: string,
  line: number,
  stage: Stage,
  files: Descriptors,
): string | null {
  for (const setting of settingsOf(text, line)) {
    if (setting.kind === 'policy') stage.change(setting.changes)
    else if (setting.kind === 'keys') addKeys(stage, setting.added)
    else if (setting.kind === 'fast-open') changeFastOpen(stage, setting.changes)
    else if (setting.kind === 'forget') stage.forgetPeers()
    else if (setting.kind === 'drop') drop(stage, setting.state)
    else if (setting.kind === 'count') {
      const { state, expected } = setting
      const actual = state === 'CLOSED' ? files.gone : count(stage, state)
      if (actual !== expected) return `${actual} sockets are in ${state}, not ${expected}`
    }
  }
  return null
}

/** They are the host's: its sockets say whether they sign. */
function addKeys(stage: Stage, added: readonly Association[]): void {
  const keys = added.map(({ source, destination, key }) => {
    const peer = source === stage.local ? destination : source
    return { address: peer, prefixLength: isIpv4(peer) ? 32 : 128, key }
  })
  stage.change({ signingKeys: [...stage.policy.signingKeys, ...keys] })
}

/** A host that is no client any more forgets what servers have given to it, as FreeBSD does. */
function changeFastOpen(stage: Stage, changes: Partial<FastOpenChoices>): void {
  const { policy } = stage
  stage.change({ fastOpen: { ...policy.fastOpen, ...changes } })
  if (changes.client === false) stage.forgetPeers()
}

function count({ state }: Stage, word: string): number {
  return state.sockets.filter(
    (each) =>
      (each?.kind === 'connection' && stateWord(each.state) === word) ||
      (each?.kind === 'listener' && word === 'LISTEN'),
  ).length
}

function drop(stage: Stage, word: string): void {
  for (const socket of stage.state.sockets) {
    if (socket?.kind !== 'connection' || stateWord(socket.state) !== word) continue
    stage.call({ kind: 'abort', socket: socket.id })
  }
}
