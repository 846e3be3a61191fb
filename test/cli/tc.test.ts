import { afterAll, describe, expect, test } from 'vitest'
import { Desk } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

test('each direction with its commands, in the namespace of the node that sends', () => {
  expect(desk.run('tc', 'ping', '--set', 'loss=20%')).toEqual({
    code: 0,
    err: '',
    out: `# a>r
tc -n a qdisc add dev eth0 root handle 1: netem limit 2147483647 delay 5ms

# r>a
tc -n r qdisc add dev eth0 root handle 1: netem limit 2147483647 delay 5ms

# r>c
tc -n r qdisc add dev eth1 root handle 1: netem limit 2147483647 delay 5ms loss random 20%

# c>r
tc -n c qdisc add dev eth0 root handle 1: netem limit 2147483647 delay 5ms loss random 20%
`,
  })
})

test('one direction for a device of here', () => {
  const { out } = desk.run('tc', 'ping', '--link', 'a>r', '--dev', 'enp3s0')
  expect(out).toBe(
    '# a>r\ntc qdisc add dev enp3s0 root handle 1: netem limit 2147483647 delay 5ms\n',
  )
})

test('a delivery trace of a rate, which a scenario can follow', () => {
  const args = ['--set', 'rate=12Mbit', '--link', 'a>b', '--mahimahi', '3ms']
  const { code, out } = desk.run('tc', 'file-transfer', ...args)
  expect([code, out]).toEqual([0, '1\n2\n3\n'])
  desk.write('steady.trace', out)
  const follow = ['--set', 'down=steady.trace', '--set', 'queue=5000 frames', '--set', 'time=2s']
  expect(desk.run('run', 'mobile-trace', ...follow)).toMatchObject({ code: 0, err: '' })
})

describe('one line says what is wrong', () => {
  test.each([
    [['ping', '--link', 'a>x'], "--link: there is no link 'a>x'; did you mean 'a>r'?"],
    [['ping', '--dev', 'eth0'], "--dev: it takes one direction; name it: --link 'a>r'"],
    [
      ['ping', '--link', 'a>r', '--mahimahi', '1s'],
      'link a>r: the link has no rate; a delivery trace is made from a rate',
    ],
    [
      ['ping', '--link', 'a>r', '--mahimahi', '10'],
      "--mahimahi: '10' has no unit; write '10ms' or '10s'",
    ],
    [['ping', '--set', 'los=1%'], "--set los: there is no parameter 'los'; did you mean 'loss'?"],
  ])('%j', (args, line) => {
    expect(desk.run('tc', ...args)).toEqual({ code: 2, out: '', err: `error: ${line}\n` })
  })

  test('a trace that is none names its line', () => {
    desk.write('bad.trace', '1\n2\nx\n')
    expect(desk.run('run', 'mobile-trace', '--set', 'down=bad.trace')).toMatchObject({
      code: 2,
      err:
        "error: link mast-phone: to phone: trace: line 3 of the trace is not a time: 'x'; " +
        'expected one whole number of milliseconds a line\n',
    })
  })
})
