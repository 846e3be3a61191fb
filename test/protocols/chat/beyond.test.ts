import { expect, test } from 'vitest'
import { CHAT_DEFAULT } from '../../../protocols/chat/policy.ts'
import { s } from '../../../protocols/time.ts'
import { Hall } from './hall.ts'

test('rooms: everybody in one hears what is said there, nobody else does', () => {
  const hall = new Hall(CHAT_DEFAULT)
  const [anna, ben, carl] = [hall.login('anna'), hall.login('ben'), hall.login('carl')]
  expect(hall.ask(anna, 'SAY hi', 'LEAVE', 'JOIN', 'JOIN #tea', 'JOIN x', 'ROOMS')).toEqual([
    'ERR You are in no room. Use JOIN <room> first.',
    'ERR You are in no room',
    'ERR Usage: JOIN <room>',
    'OK Joined #tea (1 here)',
    'ERR You are already in #tea. Use LEAVE first.',
    'OK 1 rooms: #tea (1)',
  ])
  expect(hall.ask(ben, 'JOIN tea', 'SAY', 'SAY hello all')).toEqual([
    'OK Joined #tea (2 here)',
    'ERR Usage: SAY <text>',
    'OK sent',
  ])
  expect(hall.heard(anna)).toEqual(['INFO ben joined #tea', 'FROM ben@tea hello all'])
  hall.break(ben)
  expect(hall.heard(anna)).toEqual(['INFO ben left #tea'])
  expect(hall.heard(carl)).toEqual([])
})

test('history: of one’s own conversation, and gone with it', () => {
  const hall = new Hall(CHAT_DEFAULT)
  const [anna, ben, carl] = [hall.login('anna'), hall.login('ben'), hall.login('carl')]
  expect(hall.ask(anna, 'HISTORY')).toEqual(['ERR No chat and no room'])
  hall.ask(anna, 'CHAT ben', 'MSG one', 'MSG two')
  hall.ask(ben, 'MSG three')
  expect(hall.ask(ben, 'HISTORY 2', 'HISTORY x', 'HISTORY 0')).toEqual([
    'INFO | anna: two',
    'INFO | ben: three',
    'OK 2 lines',
    'ERR Usage: HISTORY [<lines>]',
    'OK 0 lines',
  ])
  hall.ask(anna, 'END')
  hall.ask(carl, 'CHAT ben')
  expect(hall.ask(carl, 'HISTORY')).toEqual(['OK 0 lines'])
  hall.ask(ben, 'END', 'CHAT anna')
  expect(hall.ask(ben, 'HISTORY').at(-1)).toBe('OK 0 lines')
})

test('whoever has a key comes back to its chat, and hears what it missed', () => {
  const hall = new Hall(CHAT_DEFAULT)
  const anna = hall.login('anna k3y')
  const ben = hall.login('ben')
  hall.ask(anna, 'CHAT ben')
  hall.heard(ben)
  hall.break(anna)
  expect(hall.ask(ben, 'MSG are you there?')).toEqual(['INFO anna lost the connection', 'OK sent'])
  const thief = hall.connect()
  expect(hall.ask(thief, 'HELLO anna', 'HELLO anna guess').slice(1)).toEqual([
    'ERR Name already taken',
    'ERR Name already taken',
  ])
  const again = hall.connect()
  expect(hall.ask(again, 'HELLO anna k3y', 'MSG yes').slice(1)).toEqual([
    'OK Welcome back, anna',
    'FROM ben are you there?',
    'OK sent',
  ])
  expect(hall.heard(ben)).toEqual(['INFO anna is back', 'FROM anna yes'])
})

test('a key takes over from a connection that is dead and does not know it', () => {
  const hall = new Hall(CHAT_DEFAULT)
  const old = hall.login('anna k3y')
  const again = hall.connect()
  expect(hall.ask(again, 'HELLO anna k3y').at(-1)).toBe('OK Welcome back, anna')
  expect(hall.heard(old)).toEqual(['INFO You have logged in elsewhere'])
  expect(hall.calls).toEqual([`shutdown ${old}`])
  expect(hall.ask(again, 'LIST')).toEqual(['OK 1 online: anna'])
})

test('who does not come back in time is gone', () => {
  const hall = new Hall(CHAT_DEFAULT)
  const [anna, ben] = [hall.login('anna k3y'), hall.login('ben')]
  hall.ask(anna, 'CHAT ben')
  hall.break(anna)
  hall.heard(ben)
  hall.until(s(29.9))
  expect(hall.heard(ben)).toEqual([])
  hall.until(s(30))
  expect(hall.heard(ben)).toEqual(['INFO anna disconnected. Chat ended.'])
  expect(hall.state.users.map(({ name }) => name)).toEqual(['ben'])
})

test('names are one word, and kept', () => {
  const hall = new Hall(CHAT_DEFAULT)
  const anna = hall.connect()
  hall.heard(anna)
  expect(
    hall.ask(anna, `HELLO ${'x'.repeat(33)}`, 'HELLO a\u001b[2J', 'HELLO anna', 'HELLO b'),
  ).toEqual([
    'ERR Bad name. Use up to 32 letters, digits, dots, - or _',
    'ERR Bad name. Use up to 32 letters, digits, dots, - or _',
    'OK Logged in as anna',
    'ERR You are already logged in as anna',
  ])
})

test('a line that is too long is passed over, up to its end', () => {
  const hall = new Hall({ ...CHAT_DEFAULT, lineMax: 20 })
  const anna = hall.login('anna')
  hall.send(anna, `MSG ${'x'.repeat(50)}`, 'x'.repeat(50), 'y\nLIST\n')
  expect(hall.heard(anna)).toEqual(['ERR Line too long: at most 20 bytes', 'OK 1 online: anna'])
  expect(hall.ask(anna, 'x'.repeat(21), 'L')).toEqual([
    'ERR Line too long: at most 20 bytes',
    'ERR Unknown command: L',
  ])
})

test('lines beyond the rate wait, and none is lost', () => {
  const hall = new Hall({ ...CHAT_DEFAULT, burst: 3, linesPerSecond: 2 })
  const anna = hall.login('anna') // one of the three
  hall.send(anna, 'LIST\n'.repeat(6))
  expect(hall.heard(anna)).toHaveLength(2)
  hall.until(s(0.49))
  expect(hall.heard(anna)).toHaveLength(0)
  hall.until(s(0.5))
  expect(hall.heard(anna)).toHaveLength(1)
  hall.until(s(2))
  expect(hall.heard(anna)).toHaveLength(3)
})

test('who writes to somebody that reads nothing waits; others do not', () => {
  const policy = { ...CHAT_DEFAULT, highWater: 100, burst: 1000 }
  const hall = new Hall(policy)
  const [anna, ben, carl] = [hall.login('anna'), hall.login('ben'), hall.login('carl')]
  hall.ask(anna, 'CHAT ben')
  hall.heard(ben)
  hall.stuck.add(ben)
  hall.send(anna, `MSG ${'x'.repeat(40)}\n`.repeat(10))
  const before = hall.heard(anna).length
  expect(before).toBeLessThan(4)
  expect(hall.ask(carl, 'LIST')).toHaveLength(1)
  hall.take(ben)
  expect(before + hall.heard(anna).length).toBe(10)
  expect(hall.heard(ben)).toHaveLength(10)
})

test('who reads nothing for too long is let go', () => {
  const policy = { ...CHAT_DEFAULT, highWater: 100, burst: 1000 }
  const hall = new Hall(policy)
  const [anna, ben] = [hall.login('anna'), hall.login('ben')]
  hall.ask(anna, 'CHAT ben')
  hall.stuck.add(ben)
  hall.send(anna, `MSG ${'x'.repeat(40)}\n`.repeat(10))
  hall.until(s(29))
  expect(hall.calls).toEqual([])
  hall.until(s(31))
  expect(hall.calls).toEqual([`abort ${ben}`])
  expect(hall.heard(anna).at(-1)).toBe('ERR No active chat. Use CHAT <name> first.')
})

test('one too many is told so', () => {
  const hall = new Hall({ ...CHAT_DEFAULT, clientsMax: 2 })
  hall.login('anna')
  hall.login('ben')
  expect(hall.heard(hall.connect())).toEqual(['ERR The server is full'])
})
