import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { readCapture } from '../../trace/pcap-reader.ts'
import { Desk } from '../cli/program.ts'
import { PROGRAM } from './live.ts'
import { Namespace, needs } from './namespace.ts'

// tcpdump, at the far end of a cable, reads what `encapsulate --send` puts onto its near end.

const able = needs('tcpdump')
const desk = new Desk()
desk.write(
  'messages.csv',
  `app_protocol,src_port,dst_port,message,timestamp
HTTP,40000,80,GET /index.html HTTP/1.1,0.0
HTTP,80,40000,"HTTP/1.1 200 OK, at last",0.4
`,
)
const TABLE = `${desk.path}/messages.csv`
let namespace: Namespace | null = null
afterAll(() => {
  namespace?.remove()
  desk.clear()
})

const frames = (name: string) =>
  [...readCapture(desk.read(name))].flatMap((item) => (item.kind === 'frame' ? [item] : []))

/** Seconds behind the first. */
const since = (list: ReturnType<typeof frames>) =>
  list.map(({ seconds, nanos }) => seconds - list[0]!.seconds + (nanos - list[0]!.nanos) / 1e9)

test.skipIf(!able)('a table of messages on a cable, each frame at its time', async () => {
  namespace = new Namespace()
  namespace.ip('link add n0 type veth peer name f0')
  for (const name of ['n0', 'f0']) namespace.ip(`link set ${name} up`)
  const [told, heard] = ['told.pcapng', 'heard.pcap'].map((name) => join(desk.path, name))
  const tcpdump = ['tcpdump', '-i', 'f0', '-U', '-Z', 'root', '-w', heard!]
  const capture = namespace.start(...tcpdump)
  await capture.says(/listening on f0/)
  const sent = namespace.run(PROGRAM, 'encapsulate', TABLE, '-w', told!, '--send', 'n0')
  expect(sent).toMatchObject({ code: 0 })
  const expected = frames('told.pcapng')
  expect(sent.err).toContain(`sent ${expected.length} of ${expected.length}\n`)
  // With -U a frame is in the file soon after it is heard.
  for (let turn = 0; turn < 100 && frames('heard.pcap').length < expected.length; turn++) {
    await sleep(50)
  }
  capture.signal('SIGINT')
  await capture.ended
  const got = frames('heard.pcap')
  expect(got.map(({ bytes }) => bytes)).toEqual(expected.map(({ bytes }) => bytes))
  // Never early; the first, to which the others are held, may have been late itself.
  const early = since(expected).map((at, index) => at - since(got)[index]!)
  expect(Math.max(...early)).toBeLessThan(0.1)
  expect(since(got).at(-1)).toBeGreaterThan(0.3)
})

test.skipIf(!able)('an interface that is not there is one line', () => {
  namespace ??= new Namespace()
  const { code, err } = namespace.run(PROGRAM, 'encapsulate', TABLE, '--send', 'nope0')
  expect({ code, err }).toEqual({
    code: 4,
    err: expect.stringMatching(/error: there is no interface nope0.*\n$/) as string,
  })
})
