import { describe, expect, test } from 'vitest'
import { formatIp } from '../../../protocols/address.ts'
import { conversationsOf } from '../../../protocols/encapsulation/conversations.ts'
import { readTable } from '../../../protocols/encapsulation/table.ts'

/** Lines of a table with `|` between its fields; the first is the header. */
function table(lines: string) {
  const [header, ...rows] = lines
    .trim()
    .split('\n')
    .map((line) => line.trim().split('|'))
  return readTable(
    header!,
    rows.map((fields, i) => ({ line: i + 2, fields })),
  )
}
function messages(lines: string) {
  const read = table(lines)
  if ('error' in read) throw new Error(read.error)
  return read.messages
}
const words = (bytes: Iterable<number>) => new TextDecoder().decode(Uint8Array.from(bytes))
function conversations(lines: string) {
  const found = conversationsOf(messages(lines))
  if ('error' in found) return found
  const end = ({ address, port }: { address: number; port: number }) =>
    `${formatIp(address)}:${port}`
  return found.map(
    ({ transport, client, server, lines: said }) =>
      `${transport} ${end(client)} > ${end(server)}: ` +
      said.map((l) => `${l.fromClient ? '>' : '<'}${l.at / 1e6} ${words(l.payload)}`).join(', '),
  )
}

const NOBODY = { app: null, address: null, port: null }

describe('the three sets of columns', () => {
  test('applications by name', () => {
    const [first] = messages(`msg_id|app_protocol|src_app|dst_app|message|timestamp
      1|HTTP|client_browser|web_server|GET /index.html HTTP/1.1|0.100`)
    expect(first).toMatchObject({
      line: 2,
      protocol: 'HTTP',
      transport: 'tcp',
      from: { ...NOBODY, app: 'client_browser' },
      to: { ...NOBODY, app: 'web_server' },
      at: 100_000_000,
    })
    expect(words(first!.payload)).toBe('GET /index.html HTTP/1.1')
  })

  test('ports', () => {
    const [first] = messages(`app_protocol|src_port|dst_port|message|timestamp
      HTTP|50000|80|hello|0.5`)
    expect(first!.from).toEqual({ ...NOBODY, port: 50_000 })
    expect(first!.to).toEqual({ ...NOBODY, port: 80 })
  })

  test('addresses, transports and sizes', () => {
    const [first, second] =
      messages(`timestamp|src_ip|dst_ip|protocol|src_port|dst_port|app_protocol|payload_size|flags
      1.25|192.168.1.2|10.9.8.7|UDP|5353|53|DNS|20|
      1.5|10.9.8.7|192.168.1.2|TCP|443.0|50000|HTTPS|4|ACK`)
    expect(first).toMatchObject({ transport: 'udp', at: 1_250_000_000 })
    expect(words(first!.payload)).toBe('test message 0......')
    expect(words(second!.payload)).toBe('test')
    expect(second!.from.port).toBe(443)
  })
})

test('what a table leaves out has a value: text, and 0.1 s behind the row before', () => {
  const rows = messages(`app_protocol|src_port|dst_port|message|timestamp
    HTTP|1|2|NaN|2
    HTTP|1|2||nan
    HTTP|1|2| padded |`)
  expect(rows.map(({ payload }) => words(payload))).toEqual([
    'test message 0',
    'test message 1',
    ' padded ',
  ])
  expect(rows.map(({ at }) => at)).toEqual([2e9, 2.1e9, 2.2e9])
})

test('times count from 1970 or from the start, exactly', () => {
  const epoch = table(`app_protocol|src_port|dst_port|message|timestamp
    HTTP|1|2|x|1726146326.979706123
    HTTP|1|2|x|1726146325.5`)
  expect(epoch).toMatchObject({
    startSeconds: 1_726_146_325,
    messages: [{ at: 1_979_706_123 }, { at: 500_000_000 }],
  })
})

describe('one clear line with its row', () => {
  test.each(['app_protocol', 'dst_port', 'message', 'timestamp'])(
    'column %s is missing',
    (name) => {
      const header = ['app_protocol', 'src_port', 'dst_port', 'message', 'timestamp']
      expect(
        readTable(
          header.filter((each) => each !== name),
          [],
        ),
      ).toMatchObject({
        line: 1,
        error: `Missing expected column: ${name}`,
      })
    },
  )

  test.each([
    ['HTTP|0|80|x|1', "src_port '0' is no port"],
    ['HTTP|70000|80|x|1', "src_port '70000' is no port"],
    ['HTTP|http|80|x|1', "src_port 'http' is no port"],
    ['HTTP|1|80|x|soon', "timestamp 'soon' is no time"],
    ['HTTP|1|80|x|-1', "timestamp '-1' is no time"],
  ])('%s', (row, error) => {
    const read = table(`app_protocol|src_port|dst_port|message|timestamp
      HTTP|1|80|fine|0
      ${row}`)
    expect(read).toMatchObject({ line: 3, error })
  })

  test('addresses and transports', () => {
    const header = 'app_protocol|src_ip|dst_ip|protocol|payload_size|timestamp'
    const errors = [
      'X|10.0.0|1.2.3.4|TCP|1|0',
      'X|1.2.3.4|5.6.7.8|ICMP|1|0',
      'X|1.2.3.4|5.6.7.8|TCP|many|0',
    ]
    expect(errors.map((row) => table(`${header}\n${row}`))).toMatchObject([
      { line: 2, error: "src_ip '10.0.0' is no IPv4 address" },
      { line: 2, error: "protocol 'ICMP' is neither TCP nor UDP" },
      { line: 2, error: "payload_size 'many' is no number of bytes" },
    ])
  })
})

describe('conversations', () => {
  test('answers between two names belong to the question; names get addresses', () => {
    expect(
      conversations(`app_protocol|src_app|dst_app|message|timestamp
        HTTP|browser|web|GET|0.1
        HTTP|web|browser|OK|0.2
        DNS|browser|dns|where?|0.05`),
    ).toEqual([
      'tcp 10.0.0.1:0 > 10.0.0.2:53: >50 where?',
      'tcp 10.0.0.1:0 > 10.0.0.3:80: >100 GET, <200 OK',
    ])
  })

  test('with ports alone, they tell who answers', () => {
    expect(
      conversations(`app_protocol|src_port|dst_port|message|timestamp
        HTTP|50000|80|GET|0.1
        HTTP|80|50000|OK|0.2
        HTTP|50001|80|GET|0.3`),
    ).toEqual([
      'tcp 10.0.0.1:50000 > 10.0.0.2:80: >100 GET, <200 OK',
      'tcp 10.0.0.1:50001 > 10.0.0.2:80: >300 GET',
    ])
  })

  test('addresses are kept, loopback is not', () => {
    const header = 'app_protocol|src_ip|dst_ip|src_port|dst_port|message|timestamp'
    expect(conversations(`${header}\nX|192.168.1.2|10.1.1.1|7000|8000|a|0`)).toEqual([
      'tcp 192.168.1.2:7000 > 10.1.1.1:8000: >0 a',
    ])
    expect(conversations(`${header}\nX|127.0.0.1|127.0.0.1|7000|8000|a|0`)).toEqual([
      'tcp 10.0.0.1:7000 > 10.0.0.2:8000: >0 a',
    ])
    expect(conversations(`${header}\nX|10.1.1.1|10.1.1.1|7000|8000|a|0`)).toEqual({
      line: 2,
      error: '10.1.1.1 to itself: that crosses no link',
    })
  })
})
