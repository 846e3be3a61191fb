import { history, join, leave, listRooms, say } from './rooms.ts'
import {
  type ChatState,
  forget,
  type Link,
  linkOf,
  pairOf,
  remember,
  sayTo,
  tell,
  type User,
  userOf,
} from './state.ts'

/*
 * The line protocol: what a command does and what is said to whom. OK and ERR answer the one who
 * asked; INFO and FROM come by themselves.
 */

export const WELCOME = 'INFO Welcome! Please login: HELLO <name>'

/** One line of a connection, without its end. */
export function obey(state: ChatState, link: Link, line: string): void {
  const text = line.trim()
  if (text === '') return
  const space = text.indexOf(' ')
  const command = (space < 0 ? text : text.slice(0, space)).toUpperCase()
  const rest = space < 0 ? '' : text.slice(space + 1)
  if (command === 'HELLO') return hello(state, link, rest.trim())
  const user = userOf(state, link.name)
  if (user === undefined) return sayTo(link, 'ERR You must login first: HELLO <name>')
  switch (command) {
    case 'CHAT':
      return chat(state, link, user, rest.trim())
    case 'MSG':
      return message(state, link, user, rest)
    case 'END':
      return end(state, link, user)
    case 'LIST': {
      const names = state.users.map(({ name, partner }) => (partner === null ? name : `${name}*`))
      return sayTo(link, `OK ${names.length} online: ${names.join(', ')}`)
    }
    case 'QUIT':
      sayTo(link, 'OK Bye')
      link.leaving = 'quit'
      return
    default:
  }
  if (!state.policy.extended || !extra(state, link, user, command, rest.trim())) {
    sayTo(link, `ERR Unknown command: ${command}`)
  }
}

/** What goes beyond the six commands; `false` for what is none of it. */
function extra(state: ChatState, link: Link, user: User, command: string, rest: string): boolean {
  switch (command) {
    case 'JOIN':
      join(state, link, user, rest)
      return true
    case 'SAY':
      say(state, link, user, rest)
      return true
    case 'LEAVE':
      leave(state, link, user)
      return true
    case 'ROOMS':
      listRooms(state, link)
      return true
    case 'HISTORY':
      history(state, link, user, rest)
      return true
    default:
      return false
  }
}

/** One word of letters, digits and a few marks, in any script. */
export const isName = (text: string): boolean => /^[\p{L}\p{N}._-]{1,32}$/u.test(text)

function hello(state: ChatState, link: Link, rest: string): void {
  const { extended } = state.policy
  const [first = '', key = ''] = extended ? rest.split(/\s+/) : [rest]
  if (first === '') return sayTo(link, 'ERR Missing name. Usage: HELLO <name>')
  if (extended && !isName(first)) {
    return sayTo(link, 'ERR Bad name. Use up to 32 letters, digits, dots, - or _')
  }
  if (extended && link.name !== null) {
    return sayTo(link, `ERR You are already logged in as ${link.name}`)
  }
  const known = userOf(state, first)
  if (known !== undefined) {
    if (key === '' || known.key !== key) return sayTo(link, 'ERR Name already taken')
    return comeBack(state, link, known)
  }
  if (link.name !== null) part(state, link.name)
  link.name = first
  const { socket } = link
  state.users.push({
    name: first,
    key,
    socket,
    partner: null,
    room: null,
    missed: [],
    awayUntil: Infinity,
  })
  sayTo(link, `OK Logged in as ${first}`)
}

/** Its owner has the key: what was cut off, or is about to be found out to be, goes on. */
function comeBack(state: ChatState, link: Link, user: User): void {
  const before = linkOf(state, user.socket)
  if (before !== undefined) {
    sayTo(before, 'INFO You have logged in elsewhere')
    before.name = null
    before.leaving = 'replaced'
  } else {
    const partner = userOf(state, user.partner)
    if (partner !== undefined) tell(state, partner, `INFO ${user.name} is back`)
  }
  link.name = user.name
  user.socket = link.socket
  user.awayUntil = Infinity
  sayTo(link, `OK Welcome back, ${user.name}`)
  for (const line of user.missed) sayTo(link, line)
  user.missed = []
}

function chat(state: ChatState, link: Link, user: User, name: string): void {
  if (name === '') return sayTo(link, 'ERR Usage: CHAT <target>')
  const target = userOf(state, name)
  if (target === undefined) return sayTo(link, 'ERR User not found')
  if (target === user) return sayTo(link, 'ERR Cannot chat with yourself')
  if (user.partner !== null) {
    return sayTo(link, 'ERR You are already in a chat. Use END first.')
  }
  if (target.partner !== null) return sayTo(link, `ERR ${name} is already in a chat`)
  user.partner = name
  target.partner = user.name
  sayTo(link, `OK Chat started with ${name}`)
  tell(state, target, `INFO ${user.name} started a chat with you`)
}

function message(state: ChatState, link: Link, user: User, text: string): void {
  if (text === '') return sayTo(link, 'ERR Usage: MSG <text>')
  const partner = userOf(state, user.partner)
  if (partner === undefined) {
    return sayTo(link, 'ERR No active chat. Use CHAT <name> first.')
  }
  tell(state, partner, `FROM ${user.name} ${text}`)
  remember(state, pairOf(user.name, partner.name), `${user.name}: ${text}`)
  sayTo(link, 'OK sent')
}

function end(state: ChatState, link: Link, user: User): void {
  if (user.partner === null) return sayTo(link, 'ERR No active chat')
  const partner = userOf(state, user.partner)
  unpair(state, user)
  sayTo(link, 'OK Chat ended')
  if (partner !== undefined) tell(state, partner, `INFO ${user.name} ended the chat`)
}

/** What two have said to each other is nobody's business after that. */
function unpair(state: ChatState, user: User): void {
  const partner = userOf(state, user.partner)
  if (user.partner !== null) forget(state, pairOf(user.name, user.partner))
  user.partner = null
  if (partner !== undefined) partner.partner = null
}

/** Somebody is gone for good: whoever was with it hears of it. */
export function part(state: ChatState, name: string): void {
  const user = userOf(state, name)
  if (user === undefined) return
  const partner = userOf(state, user.partner)
  unpair(state, user)
  if (partner !== undefined) tell(state, partner, `INFO ${name} disconnected. Chat ended.`)
  if (user.room !== null) leave(state, null, user)
  state.users = state.users.filter((each) => each.name !== name)
}
