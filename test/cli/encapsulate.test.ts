import { afterAll, describe, expect, test } from 'vitest'
import { readCapture } from '../../trace/pcap-reader.ts'
import { judged, unless, has } from '../trace/judge.ts'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

const MESSAGES = [
  'GET /index.html HTTP/1.1',
  'HTTP/1.1 200 OK, {"a": 1, "b": 2}',
  'שלום ✓',
  'test message 3',
]
const CSV = `\ufeffmsg_id,app_protocol,src_app,dst_app,message,timestamp\r
1,HTTP,client_browser,web_server,GET /index.html HTTP/1.1,0.100\r
2,HTTP,web_server,client_browser,"HTTP/1.1 200 OK, {""a"": 1, ""b"": 2}",0.200\r
3,CHAT,anna,ben,שלום ✓,0.300\r
4,CHAT,ben,anna,NaN,0.400\r
`
desk.write('messages.csv', CSV)

/** Payloads as tshark finds them, with the number of checksums that it finds bad. */
function payloads(capture: string): { texts: string[]; bad: number } {
  const lines = judged([desk.read(capture)], 'tshark', (file) => [
    ...'-n -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -Y tcp -T fields'.split(' '),
    ...'-e tcp.payload -e tcp.checksum.status -e ip.checksum.status -r'.split(' '),
    file,
  ])
  const fields = lines.map((line) => line.split('\t'))
  return {
    texts: fields.map(([hex]) => Buffer.from(hex!, 'hex').toString()).filter((text) => text !== ''),
    bad: fields.filter(([, tcp, ip]) => tcp !== '1' || ip !== '1').length,
  }
}

describe.each(['real', 'notebook'])('in mode %s', (mode) => {
  test(`each row is a payload with good checksums to tshark${unless('tshark')}`, (context) => {
    if (!has('tshark')) return context.skip()
    const { code, err } = desk.run(
      'encapsulate',
      'messages.csv',
      '--mode',
      mode,
      '-w',
      'out.pcapng',
    )
    expect({ code, err: err.split(':')[0] }).toEqual({ code: 0, err: 'wrote out.pcapng' })
    expect(payloads('out.pcapng')).toEqual({ texts: MESSAGES, bad: 0 })
  })
})

test('real conversations have handshake, times, numbers and end; the page holds itself', () => {
  const { code, out, err } = desk.run('encapsulate', 'messages.csv', '--explain', 'page.html')
  expect({ code, err }).toEqual({ code: 0, err: 'wrote page.html\n' })
  const flags = out.split('\n').flatMap((line) => {
    return /^(\S+) .*Flags (\[\S+\]).*length (\d+)/.exec(line)?.slice(1).join(' ') ?? []
  })
  expect(flags.slice(0, 9)).toEqual([
    '0.090400000 [S] 0',
    '0.090600000 [S.] 0',
    '0.090800000 [.] 0',
    '0.100000000 [P.] 24',
    '0.100200000 [.] 0',
    '0.200000000 [P.] 33',
    '0.210000000 [F.] 0',
    '0.210200000 [.] 0',
    '0.210200000 [F.] 0',
  ])
  const page = desk.read('page.html').toString()
  expect(page).not.toMatch(/https?:\/\/|<link|src=/)
  const json = /const frames = (.*)\n/.exec(page)![1]!
  expect((JSON.parse(json) as { layers: unknown[] }[]).at(-1)!.layers).toHaveLength(3)
})

test('the explanation says every field and sum in 100 columns', () => {
  const { code, out } = desk.run('encapsulate', '--mode', 'notebook', '--explain')
  expect(code).toBe(0)
  for (const words of ['TTL', 'pseudo-header: source 127.0.0.1', 'carry', 'complement']) {
    expect(out).toContain(words)
  }
  const indented = out.split('\n').filter((line) => line.startsWith(' '))
  expect(Math.max(...indented.map((line) => line.length))).toBeLessThanOrEqual(100)
  expect(out).not.toContain('BAD')
  expect(out.match(/Flags \[\S+\]/g)).toEqual(['S', 'P.', 'P.', 'P.'].map((f) => `Flags [${f}]`))
})

test('a capture on stdout, objects with --json', () => {
  const { out } = desk.shell('"$T" encapsulate messages.csv -w - | base64 -w0')
  const frames = [...readCapture(Buffer.from(out, 'base64'))].filter(({ kind }) => kind === 'frame')
  const objects = desk.run('encapsulate', 'messages.csv', '--json').out.trim().split('\n')
  expect(objects).toHaveLength(frames.length)
  expect(JSON.parse(objects[5]!)).toMatchObject({ schema: 1, number: 6, layers: { length: 4 } })
})

describe('one clear line', () => {
  const refused = (csv: string, ...args: string[]) => {
    desk.write('bad.csv', csv)
    const { code, out, err } = desk.run('encapsulate', 'bad.csv', ...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    return err
  }
  const HEADER = 'app_protocol,src_port,dst_port,message,timestamp'

  test('for a missing column', () => {
    expect(refused('app_protocol,src_port,dst_port,timestamp\nX,1,2,0\n')).toMatch(
      /^error: bad\.csv:1: Missing expected column: message; expected .*\n$/,
    )
  })
  test('for a message that is too long', () => {
    const csv = `${HEADER}\nX,1,2,short,0\nX,1,2,${'a'.repeat(65_496)},1\n`
    expect(refused(csv, '--mode', 'notebook')).toBe(
      'error: bad.csv:3: a message of 65496 bytes does not fit one packet; ' +
        "at most 65495; '--mode real' cuts it into segments\n",
    )
  })
  test('for a quote that never ends, and an unknown mode', () => {
    expect(refused(`${HEADER}\nX,1,2,"open,0\n`)).toMatch(/^error: bad\.csv:\d+: \S.*\n$/)
    expect(refused(CSV, '--mode', 'reel')).toBe(
      "error: --mode: there is no mode 'reel'; real or notebook\n",
    )
  })
})
