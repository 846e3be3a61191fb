import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PERFECT_LINK } from '../../sim/link.ts'
import type { LinkSpec } from '../../sim/scenario.ts'
import { type TcPlace, tcLines } from '../../sim/tc-lines.ts'
import { readLinkSpec } from '../../sim/topology-links.ts'

const lines = (spec: LinkSpec, place: TcPlace = { device: 'eth0' }): string[] =>
  tcLines({ ...PERFECT_LINK, ...readLinkSpec(spec, 'link') }, place)

const NETEM = 'tc qdisc add dev eth0 root handle 1: netem limit 2147483647'

const NETEM_ONLY: [LinkSpec, string][] = [
  [{}, ''],
  [{ delay: '10ms' }, ' delay 10ms'],
  [{ delay: '1.5ms', rate: '10Mbit' }, ' delay 1.5ms rate 10mbit'],
  [
    { delay: '10ms', jitter: '2ms 25%', distribution: 'normal', keepOrder: false },
    ' delay 10ms 2ms 25% distribution normal',
  ],
  [
    { delay: '10ms', jitter: '2ms', distribution: 'paretonormal' },
    ' delay 10ms 2ms distribution paretonormal rate 1tbit',
  ],
  [{ jitter: '1us', rate: '1Gbit' }, ' delay 0s 1us rate 1gbit'],
  [{ loss: '1% 25%' }, ' loss random 1% 25%'],
  [{ loss: 'gemodel 1% 10% 70% 0.1%' }, ' loss gemodel 1% 10% 70% 0.1%'],
  [{ loss: 'gemodel 10%' }, ' loss gemodel 10% 90% 100% 0%'],
  [{ loss: 'state 1% 20% 30% 40% 2%' }, ' loss state 1% 20% 30% 40% 2%'],
  [{ loss: 'state 1%' }, ' loss state 1% 99% 0% 100% 0%'],
  [{ corrupt: '0.1% 5%', duplicate: '2% 30%' }, ' corrupt 0.1% 5% duplicate 2% 30%'],
  [{ delay: '10ms', reorder: '25% 50% gap 5' }, ' delay 10ms reorder 25% 50% gap 5'],
  [{ delay: '7ms', reorder: '25%' }, ' delay 7ms reorder 25%'],
  [{ slot: '800us 1ms packets 5 bytes 3000' }, ' slot 800us 1ms packets 5 bytes 3000'],
  [
    { slot: 'distribution pareto 20ms 5ms packets 3' },
    ' slot distribution pareto 20ms 5ms packets 3',
  ],
  [{ slot: 'distribution uniform 20ms 5ms' }, ' slot 15ms 25ms'],
]

const TBF = 'tc qdisc add dev eth0 root handle 1: tbf rate 10mbit burst 1514b limit 4294967295b'
const SHAPED: [LinkSpec, string[]][] = [
  [
    // (2 × 5 + 15) / 3 frames of a typical size make tc's burst.
    { rate: '10Mbit', queue: 'red limit 100 frames ecn' },
    [
      '# RED: tc derives the weight of the average from burst, here 0.002',
      '# RED: tc has no gentle mode',
      TBF,
      'tc qdisc add dev eth0 parent 1:1 handle 2: red limit 100000 min 5000 max 15000 avpkt 1000 ' +
        'burst 9 probability 0.1 bandwidth 10mbit ecn',
    ],
  ],
  [
    { rate: '10Mbit', queue: 'codel limit 500 target 5ms interval 100ms' },
    [
      TBF,
      'tc qdisc add dev eth0 parent 1:1 handle 2: codel limit 500 target 5ms interval 100ms noecn',
    ],
  ],
  [
    { rate: '10Mbit', queue: 'fq_codel limit 500 target 5ms interval 100ms ecn' },
    [
      TBF,
      'tc qdisc add dev eth0 parent 1:1 handle 2: fq_codel limit 500 memory_limit 33554432 ' +
        'flows 1024 quantum 1514 drop_batch 64 target 5ms interval 100ms ecn',
    ],
  ],
  [
    { rate: '10Mbit', queue: 'pie limit 500 target 15ms' },
    [
      TBF,
      'tc qdisc add dev eth0 parent 1:1 handle 2: pie limit 500 target 15ms tupdate 15ms alpha 2 ' +
        'beta 20 noecn',
    ],
  ],
  [
    { rate: '10Mbit', queue: '64KiB' },
    ['tc qdisc add dev eth0 root handle 1: tbf rate 10mbit burst 1514b limit 65536b'],
  ],
  [
    { rate: '1.5Mbit', queue: '100 frames', delay: '10ms', loss: '1%' },
    [
      `${NETEM} delay 10ms loss random 1%`,
      'tc qdisc add dev eth0 parent 1:1 handle 2: tbf rate 1.5mbit burst 1514b limit 151400b',
      'tc qdisc add dev eth0 parent 2:1 handle 3: pfifo limit 100',
    ],
  ],
  [
    { rate: '10Mbit', delay: '10ms', jitter: '5ms', keepOrder: false },
    [
      `${NETEM} delay 10ms 5ms`,
      'tc qdisc add dev eth0 parent 1:1 handle 2: tbf rate 10mbit burst 1514b limit 4294967295b',
    ],
  ],
]

describe('what a link says of itself', () => {
  test.each(NETEM_ONLY)('%j', (spec, words) => {
    expect(lines(spec)).toEqual([NETEM + words])
  })
  test.each(SHAPED)('%j', (spec, expected) => {
    expect(lines(spec)).toEqual(expected)
  })

  test('a namespace, an MTU', () => {
    expect(lines({ mtu: 1400 }, { device: 'eth3', namespace: 'r1' })).toEqual([
      'ip -n r1 link set dev eth3 mtu 1400',
      'tc -n r1 qdisc add dev eth3 root handle 1: netem limit 2147483647',
    ])
  })

  test('a schedule runs beside', () => {
    const schedule = [
      { at: '1.5s', delay: '20ms' },
      { at: '4s', loss: '100%' },
    ]
    const netem = '  tc qdisc replace dev eth0 root handle 1: netem limit 2147483647'
    expect(lines({ delay: '10ms', schedule })).toEqual([
      `${NETEM} delay 10ms`,
      '(',
      '  sleep 1.5',
      `${netem} delay 20ms`,
      '  sleep 2.5',
      `${netem} delay 20ms loss random 100%`,
      ') &',
    ])
  })

  test('a table of one own is written first', () => {
    expect(
      lines({ delay: '10ms', jitter: '1ms', distribution: [5, -5], keepOrder: false }),
    ).toEqual([
      "cat > twinwire.dist <<'END'",
      '# table: the inverse of a distribution function, 1 is 8192',
      '-5 5',
      'END',
      `TC_LIB_DIR=. ${NETEM} delay 10ms 1ms distribution twinwire`,
    ])
  })

  test('what tc cannot say stands in a comment', () => {
    expect(lines({ trace: [1], drop: [3], reorder: '5%' })).toEqual([
      '# its rate follows a delivery trace, 12Mbit on average: see mm-link(1)',
      '# forced drops: tc has no word for them',
      '# reordering without a delay has no effect',
      NETEM,
    ])
  })
})

/*
 * The real tc(8) reads every line. It checks words, units and tables itself and ends with 1 where
 * it does not understand; what it has understood goes to the kernel, which may lack netem: 2.
 */
const NAMESPACE = `twinwire-tc-${process.pid}`
const ip = (...args: string[]) => spawnSync('ip', args, { encoding: 'utf8' })
const able = process.getuid?.() === 0 && ip('netns', 'add', NAMESPACE).status === 0

describe.runIf(able)('the real tc', () => {
  let directory = ''
  beforeAll(() => {
    ip('-n', NAMESPACE, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
    directory = mkdtempSync(join(tmpdir(), 'twinwire-tc-'))
  })
  afterAll(() => {
    ip('netns', 'del', NAMESPACE)
    if (directory !== '') rmSync(directory, { recursive: true })
  })
  const shell = (script: string) => {
    const args = ['netns', 'exec', NAMESPACE, 'sh', '-ec', script]
    return spawnSync('ip', args, { encoding: 'utf8', cwd: directory })
  }
  const NO_NETEM = /qdisc kind is unknown/
  const hasNetem = () => !NO_NETEM.test(shell('tc qdisc replace dev eth0 root netem').stderr)

  const ALL = [...NETEM_ONLY, ...SHAPED].map(([spec]) => spec)
  ALL.push({ delay: '10ms', jitter: '1ms', distribution: [5, -5] })
  test.each(ALL)('understands %j', (spec) => {
    const kernel = hasNetem()
    shell('tc qdisc del dev eth0 root 2>&1 || true')
    const made = lines(spec)
    const script = kernel ? made.join('\n') : withoutNetem(made)
    const { status, stderr } = shell(script)
    // Without netem in the kernel its line is refused by the kernel, not by tc.
    if (!kernel && NO_NETEM.test(stderr)) expect([status, stderr]).toEqual([2, NO_NETEM_ERROR])
    else expect([status, stderr]).toEqual([0, ''])
  })

  test.each(['delay 10foo', 'lost 5%', 'loss state 1% x', 'reorder 5%'])(
    'and would not understand %s',
    (words) => {
      const { status, stderr } = shell(`tc qdisc add dev eth0 root netem ${words}`)
      expect(status).toBe(1)
      expect(stderr).not.toMatch(NO_NETEM)
    },
  )
})

const NO_NETEM_ERROR = 'Error: Specified qdisc kind is unknown.\n'

/** The rest of the tree hangs at the root, and the netem line comes last. */
function withoutNetem(made: readonly string[]): string {
  const netem = made.filter((line) => line.includes(' netem '))
  const rest = made.filter((line) => !line.includes(' netem '))
  if (netem.length === 0) return rest.join('\n')
  const hung = rest.map((line) => line.replace('parent 1:1 ', 'root '))
  return [...hung, 'tc qdisc del dev eth0 root 2>/dev/null || true', ...netem].join('\n')
}

test.runIf(!able)('tc is not asked: it takes root and network namespaces', () => {
  expect(able).toBe(false)
})
