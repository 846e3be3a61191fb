import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Desk, TWO_HOSTS } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

const FILE = join(import.meta.dirname, '..', 'data', 'mixed.pcapng')
const lines = (text: string): string[] => text.trimEnd().split('\n')

test('a line a frame, as many as asked for, those that pass', () => {
  const { code, out, err } = desk.run('read', FILE, '--filter', 'udp and ip', '-c', '2')
  expect({ code, err, lines: lines(out) }).toEqual({
    code: 0,
    err: '',
    lines: [
      '1795255636.300888000 IP 10.0.0.1.37073 > 10.0.0.2.9: UDP, length 5',
      '1795255636.301129000 IP 10.0.0.1.37073 > 10.0.0.2.9999: UDP, length 2000',
    ],
  })
})

test('-v has the fields, within 100 columns, and --json the same as an object', () => {
  const filter = ['--filter', 'udp port 9 and ip', '-c', '1']
  const verbose = lines(desk.run('read', FILE, '-v', ...filter).out)
  expect(verbose.slice(1)).toEqual([
    '    ethernet: destination 02:00:00:00:0b:01, source 02:00:00:00:0a:01, type 0x0800',
    '    ipv4: header length 20, dscp 0, ecn 0, total length 33, identification 2029, dont fragment,',
    '        fragment offset 0, ttl 64, protocol 17, checksum 0x1edd, source 10.0.0.1,',
    '        destination 10.0.0.2',
    '    udp: source port 37073, destination port 9, length 13, checksum 0x1725, data length 5',
    '    frame 12: 47 bytes',
  ])
  expect(JSON.parse(desk.run('read', FILE, '--json', ...filter).out)).toMatchObject({
    schema: 1,
    number: 12,
    time: '1795255636.300888000',
    length: 47,
    defects: [],
    layers: [
      { protocol: 'ethernet' },
      { protocol: 'ipv4', fields: { ttl: 64 } },
      { fields: { destinationPort: 9 } },
    ],
  })
})

test('--tcp-in-udp wants a port', () => {
  for (const port of ['0', '65536', 'tcp']) {
    expect(desk.run('read', FILE, '--tcp-in-udp', port)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`'${port}' is not a port`) as string,
    })
  }
})

test('what is damaged is shown with its reason, and so is the end of a cut file', () => {
  const bytes = Uint8Array.from(readFileSync(FILE))
  // The datagram's last byte: 'o' of 'hello'.
  const at = Buffer.from(bytes).indexOf('hello') + 4
  bytes[at] = 0x6e
  desk.write('cut.pcapng', bytes.subarray(0, at + 40))
  const { code, out, err } = desk.run('read', 'cut.pcapng', '--filter', 'udp')
  expect(code).toBe(2)
  expect(lines(out).at(-1)).toMatch(
    /UDP, length 5 MALFORMED udp bad-checksum \(0x1725, should be 0x1825\)$/,
  )
  expect(err).toMatch(/^cut\.pcapng: byte \d+: a block has \d+ of its \d+ bytes\n$/)
})

test('our own captures: times, comments and interfaces', () => {
  desk.write('two.ts', TWO_HOSTS)
  expect(
    desk.run('run', 'two.ts', '--set', 'loss=20%', '--set', 'lines=20', '-w', 'two.pcapng').code,
  ).toBe(0)
  const { out } = desk.run('read', 'two.pcapng', '-v')
  expect(out).toMatch(/^0\.000000000 ARP, Request who-has 10\.0\.0\.2/)
  expect(out).toMatch(/ {4}frame 1: 42 bytes, interface a:0\n {4}comment: event \d+\n/)
  expect(out).toMatch(/ {4}comment: event \d+, drop loss on [ab]>[ab]\n/)
  expect(out).not.toContain('MALFORMED')
})

test.each([
  [['nowhere.pcap'], "error: cannot read 'nowhere.pcap': there is no such file or directory"],
  [['two.ts'], "error: 'two.ts' is not a capture; expected pcap or pcapng"],
  [[FILE, '-c', '0'], "error: -c: '0' is not a count; write -c 10"],
  [
    [FILE, '--filter', 'tcp and hots 10.0.0.1'],
    "error: --filter, character 9: 'hots' is unknown; did you mean 'host'?",
  ],
  [
    [FILE, '--filter', 'net 10.0.0.1/8'],
    "error: --filter, character 5: '10.0.0.1/8' has bits of a host; write a network such as '10.0.0.0/8'",
  ],
])('%j is refused in one line', (args, line) => {
  desk.write('two.ts', TWO_HOSTS)
  expect(desk.run('read', ...args)).toEqual({ code: 2, out: '', err: `${line}\n` })
})

describe.runIf(spawnSync('tcpdump', ['--version']).status === 0)('beside tcpdump', () => {
  test('-x and -S print the same', () => {
    const own = desk.shell(`$T read - -x -S < '${FILE}'`)
    const theirs = desk.shell(`tcpdump -n -tt --time-stamp-precision=nano -S -x -r '${FILE}' 2>&-`)
    const text = theirs.out.replaceAll(/(, length \d+): HTTP.*$/gm, '$1')
    expect(own).toEqual({ code: 0, out: text, err: '' })
  })
})
