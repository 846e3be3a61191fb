import { describe, expect, test } from 'vitest'
import { CHAT_DEFAULT, CHAT_SEED } from '../../../protocols/chat/policy.ts'
import { Hall } from './hall.ts'

/** The reply table: a state of the asker, what it says, what it hears, what the others hear. */
interface Case {
  readonly given: 'stranger' | 'anna' | 'anna with ben' | 'anna beside ben and carl'
  readonly says: string
  readonly hears: readonly string[]
  readonly ben?: readonly string[]
}

const TABLE: readonly Case[] = [
  { given: 'stranger', says: 'HELLO dora', hears: ['OK Logged in as dora'] },
  { given: 'stranger', says: 'hello dora', hears: ['OK Logged in as dora'] },
  { given: 'stranger', says: 'HELLO', hears: ['ERR Missing name. Usage: HELLO <name>'] },
  { given: 'stranger', says: 'HELLO  ', hears: ['ERR Missing name. Usage: HELLO <name>'] },
  { given: 'stranger', says: 'HELLO anna', hears: ['ERR Name already taken'] },
  ...['CHAT anna', 'MSG hi', 'END', 'LIST', 'QUIT', 'NONSENSE'].map((says): Case => {
    return { given: 'stranger', says, hears: ['ERR You must login first: HELLO <name>'] }
  }),
  { given: 'stranger', says: '   ', hears: [] },
  { given: 'anna', says: 'CHAT', hears: ['ERR Usage: CHAT <target>'] },
  { given: 'anna', says: 'CHAT nobody', hears: ['ERR User not found'] },
  { given: 'anna', says: 'CHAT anna', hears: ['ERR Cannot chat with yourself'] },
  { given: 'anna', says: 'MSG hi', hears: ['ERR No active chat. Use CHAT <name> first.'] },
  { given: 'anna', says: 'MSG', hears: ['ERR Usage: MSG <text>'] },
  { given: 'anna', says: 'END', hears: ['ERR No active chat'] },
  { given: 'anna', says: 'dance now', hears: ['ERR Unknown command: DANCE'] },
  { given: 'anna', says: 'QUIT', hears: ['OK Bye'], ben: [] },
  { given: 'anna', says: 'LIST', hears: ['OK 2 online: anna, ben'] },
  {
    given: 'anna',
    says: 'CHAT ben',
    hears: ['OK Chat started with ben'],
    ben: ['INFO anna started a chat with you'],
  },
  {
    given: 'anna with ben',
    says: 'CHAT ben',
    hears: ['ERR You are already in a chat. Use END first.'],
    ben: [],
  },
  {
    given: 'anna with ben',
    says: 'MSG  how are you? ',
    hears: ['OK sent'],
    ben: ['FROM anna  how are you?'],
  },
  {
    given: 'anna with ben',
    says: 'END',
    hears: ['OK Chat ended'],
    ben: ['INFO anna ended the chat'],
  },
  {
    given: 'anna with ben',
    says: 'QUIT',
    hears: ['OK Bye'],
    ben: ['INFO anna disconnected. Chat ended.'],
  },
  { given: 'anna with ben', says: 'LIST', hears: ['OK 2 online: anna*, ben*'], ben: [] },
  {
    given: 'anna beside ben and carl',
    says: 'CHAT ben',
    hears: ['ERR ben is already in a chat'],
    ben: [],
  },
]

describe.each([
  ['seed', CHAT_SEED],
  ['default', CHAT_DEFAULT],
])('the reply table, profile %s', (_, policy) => {
  test('whoever connects is welcomed', () => {
    const hall = new Hall(policy)
    expect(hall.heard(hall.connect())).toEqual(['INFO Welcome! Please login: HELLO <name>'])
  })

  test.each(TABLE.map((each) => [each.given, each.says, each] as const))(
    '%s: %s',
    (given, says, { hears, ben: benHears }) => {
      const hall = new Hall(policy)
      const anna = hall.login('anna')
      const ben = hall.login('ben')
      if (given === 'anna with ben') hall.ask(anna, 'CHAT ben')
      if (given === 'anna beside ben and carl') {
        const carl = hall.login('carl')
        hall.ask(carl, 'CHAT ben')
      }
      const asker = given === 'stranger' ? hall.connect() : anna
      hall.heard(asker)
      hall.heard(ben)
      expect(hall.ask(asker, says)).toEqual(hears)
      expect(hall.heard(ben)).toEqual(benHears ?? [])
    },
  )

  test('a connection that breaks ends the chat for the other', () => {
    const hall = new Hall(policy)
    const [anna, ben] = [hall.login('anna'), hall.login('ben')]
    hall.ask(anna, 'CHAT ben')
    hall.heard(ben)
    hall.send(anna, 'MSG half a li')
    hall.break(anna)
    expect(hall.heard(ben)).toEqual(['INFO anna disconnected. Chat ended.'])
    expect(hall.ask(ben, 'END', 'CHAT anna')).toEqual(['ERR No active chat', 'ERR User not found'])
    expect(hall.reports.at(-1)).toMatchObject({ kind: 'disconnected', name: 'anna', why: 'broken' })
    // The name is free again.
    expect(hall.ask(hall.connect(), 'HELLO anna').at(-1)).toBe('OK Logged in as anna')
  })

  test('of two that want a name at the same time, one gets it', () => {
    const hall = new Hall(policy)
    const [first, second] = [hall.connect(), hall.connect()]
    hall.send(first, 'HELLO a')
    hall.send(second, 'HELLO anna\n')
    hall.send(first, 'nna\n')
    expect(hall.heard(second).at(-1)).toBe('OK Logged in as anna')
    expect(hall.heard(first).at(-1)).toBe('ERR Name already taken')
    expect(hall.ask(first, 'HELLO anne')).toEqual(['OK Logged in as anne'])
  })

  test('lines are lines, however they come', () => {
    const hall = new Hall(policy)
    const anna = hall.connect()
    hall.heard(anna)
    hall.send(anna, 'HEL', 'LO an', 'na\n')
    expect(hall.heard(anna)).toEqual(['OK Logged in as anna'])
    hall.send(anna, 'END\r\nLIST\r\n\nMSG x\n')
    expect(hall.heard(anna)).toEqual([
      'ERR No active chat',
      'OK 1 online: anna',
      'ERR No active chat. Use CHAT <name> first.',
    ])
  })

  test('characters may be cut, and bytes that are none are marked', () => {
    const hall = new Hall(policy)
    const [anna, ben] = [hall.login('anna'), hall.login('ben')]
    hall.ask(anna, 'CHAT ben')
    hall.heard(ben)
    const bytes = new TextEncoder().encode('MSG grüße ✓\n')
    for (const byte of bytes) hall.send(anna, Uint8Array.of(byte))
    hall.send(anna, Uint8Array.of(0x4d, 0x53, 0x47, 0x20, 0xff, 0x0a))
    expect(hall.heard(ben)).toEqual(['FROM anna grüße ✓', 'FROM anna \ufffd'])
  })

  test('a third one never sees what two say to each other', () => {
    const hall = new Hall(policy)
    const [anna, ben, carl] = [hall.login('anna'), hall.login('ben'), hall.login('carl')]
    hall.ask(anna, 'CHAT ben')
    for (let i = 0; i < 10; i++) {
      hall.ask(anna, `MSG secret ${i}`)
      hall.ask(ben, `MSG answer ${i}`)
    }
    hall.ask(anna, 'END')
    expect(hall.heard(carl)).toEqual([])
    expect(hall.ask(carl, 'CHAT anna')).toEqual(['OK Chat started with anna'])
    expect(hall.heard(anna).at(-1)).toBe('INFO carl started a chat with you')
  })

  test('the end of a stream is a goodbye, once its lines are answered', () => {
    const hall = new Hall(policy)
    const anna = hall.login('anna')
    hall.send(anna, 'LIST\n')
    hall.end(anna)
    expect(hall.heard(anna)).toEqual(['OK 1 online: anna'])
    expect(hall.calls).toEqual([`close ${anna}`])
    expect(hall.state.users).toEqual([])
  })
})

test('the seed takes any text for a name, and lets one log in again', () => {
  const hall = new Hall(CHAT_SEED)
  const anna = hall.connect()
  hall.heard(anna)
  expect(hall.ask(anna, 'HELLO anna maria', 'HELLO anna', 'LIST')).toEqual([
    'OK Logged in as anna maria',
    'OK Logged in as anna',
    'OK 1 online: anna',
  ])
  expect(hall.ask(anna, 'JOIN tea')).toEqual(['ERR Unknown command: JOIN'])
})
