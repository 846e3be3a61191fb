import { describe, expect, test } from 'vitest'
import arpConflict from '../../scenarios/arp-conflict.ts'
import fragments from '../../scenarios/fragments.ts'
import pmtudBlackhole from '../../scenarios/pmtud-blackhole.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import type { Scenario } from '../../sim/scenario.ts'
import { PcapngWriter } from '../../trace/pcapng.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { has, judged, unless } from './judge.ts'

// Captures of runs with fragments, ICMP errors and address conflicts, as tshark sees them.

/** What one node hears. tshark would take the same packet on two links for one sent twice. */
async function captureOf(
  scenario: Scenario,
  node: string,
  settings: { [name: string]: string },
): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  const writer = new PcapngWriter((piece) => pieces.push(piece), { received: true })
  const files = new MemoryFiles()
  const observe = (record: TraceRecord) => {
    if (record.kind === 'received' && record.node === node) writer.observer(record)
  }
  await runScenario(scenario, { seed: '1', settings, files, observers: [observe] })
  writer.end()
  return pieces
}

const CHECKS = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`])

function tshark(pieces: readonly Uint8Array[], filter: string, ...fields: string[]): string[] {
  return judged(pieces, 'tshark', (file) => [
    '-n',
    '-r',
    file,
    ...CHECKS,
    '-Y',
    filter,
    '-T',
    'fields',
    ...['frame.number', ...fields].flatMap((name) => ['-e', name]),
  ])
}

const WRONG = [
  '_ws.malformed',
  'ip.checksum.status == "Bad"',
  // What an error quotes is cut off, and its checksum cannot be right.
  '!icmp && udp.checksum.status == "Bad"',
  '!icmp && tcp.checksum.status == "Bad"',
  'icmp.checksum.status == "Bad"',
  'ip.fragment.overlap',
  'ip.fragment.toolongfragment',
  'ip.fragment.error',
]
  .map((part) => `(${part})`)
  .join(' || ')

describe(`tshark${unless('tshark')}`, () => {
  test.skipIf(!has('tshark'))(
    'puts the same fragments together, and finds nothing wrong',
    async () => {
      const settings = { count: '30', reorder: '0%', duplicate: '0%', interval: '100ms' }
      const pieces = await captureOf(fragments, 'b', settings)
      expect(tshark(pieces, WRONG)).toEqual([])
      const atB = 'frame.interface_name == "b:0" && udp.dstport == 2049'
      const whole = tshark(pieces, atB, 'udp.length', 'udp.checksum.status', 'ip.fragment.count')
      expect(whole.map((line) => line.split('\t').slice(1).join(' '))).toEqual(
        Array.from({ length: 30 }, () => '8008 1 17'),
      )
    },
  )

  test.skipIf(!has('tshark'))('reads what is quoted in errors, and the next-hop MTU', async () => {
    const pieces = await captureOf(pmtudBlackhole, 'a', { icmp: 'allowed', bytes: '20kB' })
    expect(tshark(pieces, WRONG)).toEqual([])
    const atA = 'frame.interface_name == "a:0" && icmp'
    const errors = tshark(
      pieces,
      atA,
      'icmp.type',
      'icmp.code',
      'icmp.mtu',
      'ip.dst',
      'tcp.dstport',
    )
    expect(errors.length).toBeGreaterThan(0)
    for (const line of errors) {
      expect(line.split('\t').slice(1)).toEqual(['3', '4', '1280', '10.0.1.1,10.0.3.1', '8080'])
    }
  })

  test.skipIf(!has('tshark'))(
    'tells probes from announcements, and sees the duplicate',
    async () => {
      const pieces = await captureOf(arpConflict, 'b', { newcomer: 'announce' })
      expect(tshark(pieces, WRONG)).toEqual([])
      const sentBy = (mac: string, kind: string) =>
        tshark(pieces, `eth.src == ${mac} && ${kind}`).length
      const [a, c] = ['02:00:00:00:00:01', '02:00:00:00:00:03']
      // Three probes and two announcements, then one in defence; c announces and defends once.
      expect([sentBy(a, 'arp.isprobe'), sentBy(a, 'arp.isannouncement')]).toEqual([3, 3])
      expect([sentBy(c, 'arp.isprobe'), sentBy(c, 'arp.isannouncement')]).toEqual([0, 3])
      expect(tshark(pieces, 'arp.duplicate-address-detected').length).toBeGreaterThan(0)
    },
  )
})
