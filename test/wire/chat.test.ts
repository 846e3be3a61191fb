import { afterAll, describe, expect, test } from 'vitest'
import { PROGRAM } from './live.ts'
import { type Child, Namespace, needs } from './namespace.ts'

// The chat across a cable: the server in one namespace, five people with nc in another.

const able = needs('nc')

describe.skipIf(!able)('five people with nc, in a namespace of their own', () => {
  const spaces = able ? [new Namespace(), new Namespace()] : []
  afterAll(() => {
    for (const each of spaces) each.remove()
  })

  test('talk in pairs; one leaves by force; nobody hears what is not meant for it', async () => {
    const [far, near] = spaces as [Namespace, Namespace]
    far.ip(`link add c0 type veth peer name c0 netns ${near.name}`)
    for (const [i, each] of spaces.entries()) {
      each.ip(`addr add 10.82.0.${i + 1}/24 dev c0`)
      each.ip('link set c0 up')
    }
    const server = far.start(PROGRAM, 'chat', 'server', '--listen', '10.82.0.1')
    await server.says(/Listening on 10\.82\.0\.1:5000/)
    const people = new Map<string, Child>()
    const say = (name: string, line: string) => people.get(name)!.process.stdin!.write(`${line}\n`)
    const hears = (name: string, line: string) =>
      people.get(name)!.says(new RegExp(`^${line}$`, 'm'))
    for (const name of ['anna', 'ben', 'carl', 'dora', 'emil']) {
      people.set(name, near.start('nc', '10.82.0.1', '5000'))
      say(name, `HELLO ${name}`)
      await hears(name, `OK Logged in as ${name}`)
    }
    say('anna', 'CHAT ben')
    await hears('ben', 'INFO anna started a chat with you')
    say('carl', 'CHAT dora')
    await hears('dora', 'INFO carl started a chat with you')
    say('emil', 'CHAT anna')
    await hears('emil', 'ERR anna is already in a chat')
    say('ben', 'MSG over the cable')
    await hears('anna', 'FROM ben over the cable')
    say('dora', 'MSG another one')
    await hears('carl', 'FROM dora another one')
    people.get('ben')!.signal('SIGKILL')
    await hears('anna', 'INFO ben disconnected. Chat ended.')
    say('emil', 'LIST')
    await hears('emil', 'OK 4 online: anna, carl\\*, dora\\*, emil')
    expect(people.get('emil')!.out).not.toMatch(/cable|another/)
    server.signal('SIGINT')
    await server.ended
  }, 30_000)
})
