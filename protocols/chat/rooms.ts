import {
  type ChatState,
  forget,
  type Link,
  pairOf,
  remember,
  roomOf,
  sayTo,
  tell,
  type User,
} from './state.ts'

/* Rooms: everybody in one hears what is said there. A user is in one at most. */

const isRoom = (text: string): boolean => /^#?[\p{L}\p{N}._-]{1,32}$/u.test(text)

const membersOf = (state: ChatState, room: string): User[] =>
  state.users.filter((user) => user.room === room)

function tellOthers(state: ChatState, room: string, user: User, text: string): void {
  for (const each of membersOf(state, room)) if (each.name !== user.name) tell(state, each, text)
}

export function join(state: ChatState, link: Link, user: User, written: string): void {
  if (!isRoom(written)) return sayTo(link, 'ERR Usage: JOIN <room>')
  const room = written.replace(/^#/, '')
  if (user.room !== null) {
    return sayTo(link, `ERR You are already in #${user.room}. Use LEAVE first.`)
  }
  user.room = room
  sayTo(link, `OK Joined #${room} (${membersOf(state, room).length} here)`)
  tellOthers(state, room, user, `INFO ${user.name} joined #${room}`)
}

export function say(state: ChatState, link: Link, user: User, text: string): void {
  const { room } = user
  if (text === '') return sayTo(link, 'ERR Usage: SAY <text>')
  if (room === null) return sayTo(link, 'ERR You are in no room. Use JOIN <room> first.')
  tellOthers(state, room, user, `FROM ${user.name}@${room} ${text}`)
  remember(state, roomOf(room), `${user.name}: ${text}`)
  sayTo(link, 'OK sent')
}

/** `link`: who asked for it; `null` where nobody did. */
export function leave(state: ChatState, link: Link | null, user: User): void {
  const { room } = user
  if (room === null) {
    if (link !== null) sayTo(link, 'ERR You are in no room')
    return
  }
  user.room = null
  if (link !== null) sayTo(link, `OK Left #${room}`)
  tellOthers(state, room, user, `INFO ${user.name} left #${room}`)
  // An empty room is none.
  if (membersOf(state, room).length === 0) forget(state, roomOf(room))
}

export function listRooms(state: ChatState, link: Link): void {
  const rooms = new Set(state.users.flatMap(({ room }) => room ?? []))
  const shown = [...rooms].sort().map((room) => `#${room} (${membersOf(state, room).length})`)
  sayTo(link, `OK ${shown.length} rooms${shown.length > 0 ? `: ${shown.join(', ')}` : ''}`)
}

/** The last lines of the chat, or of the room where there is no chat. */
export function history(state: ChatState, link: Link, user: User, written: string): void {
  const count = written === '' ? 20 : /^\d{1,4}$/.test(written) ? Number(written) : -1
  if (count < 0) return sayTo(link, 'ERR Usage: HISTORY [<lines>]')
  const { name, partner, room } = user
  const of = partner !== null ? pairOf(name, partner) : room !== null ? roomOf(room) : null
  if (of === null) return sayTo(link, 'ERR No chat and no room')
  const lines = state.history.find((each) => each.of === of)?.lines ?? []
  const shown = count === 0 ? [] : lines.slice(-count)
  for (const line of shown) sayTo(link, `INFO | ${line}`)
  sayTo(link, `OK ${shown.length} lines`)
}
