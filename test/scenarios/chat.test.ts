import { expect, test } from 'vitest'
import { chatClient, createChatClient } from '../../protocols/chat/client.ts'
import { CHAT_DEFAULT } from '../../protocols/chat/policy.ts'
import { chatServer } from '../../protocols/chat/server.ts'
import { createChatServer } from '../../protocols/chat/state.ts'
import { ip } from '../../protocols/address.ts'
import chat from '../../scenarios/chat.ts'
import { runScenario } from '../../sim/run.ts'
import { run, twoHosts } from '../sim/two-hosts.ts'

test('chat: over five seeds and 15 % loss nothing is lost, mixed up or overheard', async () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    const settings = { loss: '15%', lines: '10' }
    const outcome = await runScenario(chat, { seed, settings })
    const failed = outcome.expectations.filter(({ holds }) => !holds)
    expect(
      failed,
      `seed ${seed}: twinwire run chat --seed ${seed} --set loss=15% --set lines=10`,
    ).toEqual([])
    expect(outcome.failure).toBeNull()
  }
})

test('200 people at once', { timeout: 30_000 }, async () => {
  const settings = { clients: '200', lines: '3', loss: '2%' }
  const outcome = await runScenario(chat, { seed: '1', settings })
  expect(outcome.failure).toBeNull()
  expect(outcome.notes['connections at once']).toBe(200)
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
})

test('a client comes back by itself when the server was started anew, and to its room', async () => {
  const heard: string[] = []
  const scenario = twoHosts({
    a: (host) => {
      const config = { server: { address: ip('10.0.0.2'), port: 5000 }, name: 'anna', key: 'k3y' }
      const client = host.run(chatClient, createChatClient(config), (report, now) => {
        const at = Math.round(now / 1e8) / 10
        if (report.kind === 'line') heard.push(`${at} ${report.tag} ${report.text}`)
        else heard.push(`${at} ${report.kind}${report.kind === 'hint' ? ` ${report.text}` : ''}`)
      })
      client.command({ kind: 'typed', text: '/join tea' })
      void host.at('5s').then(() => client.command({ kind: 'typed', text: 'is anybody here?' }))
    },
    b: (host) => void host.run(chatServer, createChatServer(CHAT_DEFAULT)),
    faults: [{ at: '1s', restart: 'b' }],
    until: '20s',
  })
  await run(scenario)
  expect(heard).toEqual([
    '0 connected',
    '0.1 INFO Welcome! Please login: HELLO <name>',
    '0.1 OK Logged in as anna',
    '0.1 OK Joined #tea (1 here)',
    // What is said then is answered by a RST.
    '5 hint no answer to: SAY is anybody here?',
    '5 lost',
    '6.1 connected',
    '6.1 INFO Welcome! Please login: HELLO <name>',
    '6.1 OK Logged in as anna',
    '6.2 OK Joined #tea (1 here)',
  ])
})
