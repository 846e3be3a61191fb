import { afterAll, expect, test } from 'vitest'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

const GOOD = `0 < S 0:0(0) win 65535 <mss 1000>
+0 > R. 0:0(0) ack PORT win 0
`
desk.write('good.pkt', GOOD)
desk.write('bad.pkt', '0 < S 0:0(0) win 65535\n+.1 > S. 0:0(0) ack 1 win 1\n')
desk.write('unknown.pkt', '--ip_version=ipv5\n0 < S 0:0(0) win 65535\n')

test('scripts that pass', () => {
  const { code, out, err } = desk.run('packetdrill', 'good.pkt', '--define', 'PORT=1', '-v')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')).toEqual([
    'good.pkt: 0.000000  < S 0:0(0) win 65535 <mss 1000>',
    'good.pkt: 0.000000  > R. 0:0(0) ack 1 win 0',
    'good.pkt: passed',
    '1 passed, 0 failed, 0 unsupported',
    '',
  ])
})

test('a folder: what fails and what is not supported, with their lines, and exit code 1', () => {
  const { code, out } = desk.run('packetdrill', '.', '-D', 'PORT=1')
  expect(code).toBe(1)
  expect(out.split('\n')).toEqual([
    'bad.pkt:2: failed: flags',
    '  expected    0.100000 s  > S. 0:0(0) ack 1 win 1',
    '  actual      0.000000 s  > R. 0:0(0) ack 1 win 0',
    'good.pkt: passed',
    'unknown.pkt:1: unsupported: --ip_version=ipv5',
    '1 passed, 1 failed, 1 unsupported',
    '',
  ])
})

test('as JSON', () => {
  const { code, out } = desk.run('packetdrill', 'bad.pkt', '--json')
  expect(code).toBe(1)
  expect(JSON.parse(out)).toEqual({
    schema: 1,
    passed: 0,
    failed: 1,
    unsupported: 0,
    scripts: [
      {
        file: 'bad.pkt',
        verdict: 'failed',
        line: 2,
        reason: 'flags',
        expected: { at: 0.1, text: '> S. 0:0(0) ack 1 win 1' },
        actual: { at: 0, text: '> R. 0:0(0) ack 1 win 0' },
      },
    ],
  })
})

test.each([
  [['nowhere.pkt'], 'nowhere.pkt: there is no such file; name a script or a folder'],
  [['good.pkt', '--profile', 'rfcs'], "--profile: there is no profile 'rfcs'; did you mean 'rfc'?"],
  [['good.pkt', '-D', '1=2'], "--define: '1=2' is no name with a value; write --define NAME=VALUE"],
])('wrong usage: %j', (args, line) => {
  expect(desk.run('packetdrill', ...args)).toEqual({ code: 2, out: '', err: `error: ${line}\n` })
})
