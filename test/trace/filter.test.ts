import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../protocols/bytes.ts'
import { stream } from '../../sim/random.ts'
import { parseFilter } from '../../trace/filter.ts'
import { FilterError } from '../../trace/filter-tokens.ts'
import { readCapture } from '../../trace/pcap-reader.ts'

const FILE = join(import.meta.dirname, '..', 'data', 'mixed.pcapng')
const frames = [...readCapture(Uint8Array.from(readFileSync(FILE)))].filter(
  (item) => item.kind === 'frame',
)
const passing = (filter: string): number[] => {
  const passes = parseFilter(filter)
  return frames.filter(({ bytes, length }) => passes(bytes, length)).map(({ number }) => number)
}

/**
 * Each is fed to tcpdump, too, which must let the same frames through. It knows the bytes of TCP over
 * IPv4 alone, and does not look behind the hop-by-hop options of IPv6.
 */
const FILTERS = `
  tcp
  udp
  icmp
  icmp6 and ip6[6] != 0
  arp
  ip
  ip6
  igmp
  host 10.0.0.1
  src host 10.0.0.1
  dst 10.0.0.1
  host fd00::2
  src fd00::1
  ip host 10.0.0.2
  arp host 10.0.0.2
  ip6 host fd00::1
  src or dst host 10.0.0.1
  src and dst host 10.0.0.1
  net 10.0.0.0/8
  net 10
  net 10.0.0
  src net 10.0.0.0 mask 255.255.255.0
  net fe80::/10
  net 0.0.0.0/0
  net ::/0
  dst net ff00::/8
  port 8080
  tcp port 8080
  udp port 9
  src port 8080
  dst port 53000
  port domain
  portrange 9-9999
  tcp portrange 8000-9000
  udp dst portrange 53000-53000
  less 66
  greater 1000
  len > 1000
  len <= 66
  len - 14 = 28
  ether host 02:00:00:00:0a:01
  ether src 02:00:00:00:0b:01
  ether proto 0x86dd
  ether proto \\arp
  ether broadcast
  ether multicast
  broadcast
  multicast
  ip multicast
  ip proto 17
  ip6 proto 58 and ip6[6] != 0
  ip proto \\tcp
  proto 6
  tcp and host 10.0.0.1
  tcp and not port 8080
  tcp port 8080 and (host 10.0.0.1 or host fd00::1)
  not (tcp or udp)
  ! tcp && ! udp
  arp or icmp and host 10.0.0.2
  icmp or arp and port 8080
  udp port 9 or 9999 or 53000
  host 10.0.0.2 or fd00::2
  not host 10.0.0.2 and not fd00::2
  tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and ip
  tcp[tcpflags] == tcp-syn and ip
  tcp[13] & 2 != 0 and ip
  ip and (tcp[13] = 18 or tcp[13] = 17)
  (tcp[13] & 2) != 0 and ip
  ip[8] = 64
  ip[6:2] & 0x1fff > 0
  ip[6:2] & 0x2000 != 0
  icmp[icmptype] = icmp-unreach and icmp[icmpcode] = 3
  icmp[0] = 8 or icmp[0] = 0
  udp[4:2] > 100
  tcp[4:4] > 3000000000
  (ip[2:2] - ((ip[0] & 0xf) << 2)) - ((tcp[12] & 0xf0) >> 2) > 0 and tcp
  ip[2:2] * 2 > 3000 or ip[2:2] / 4 = 5
  ether[12:2] = 0x0806
`
  .trim()
  .split(/\n\s*/)

describe.runIf(spawnSync('tcpdump', ['--version']).status === 0)('beside tcpdump', () => {
  test.each(FILTERS)('%s', (filter) => {
    const args = ['-n', '-tt', '--time-stamp-precision=nano', '-r', FILE, filter]
    const { stdout, stderr } = spawnSync('tcpdump', args, { encoding: 'utf8' })
    const times = stdout.split('\n').flatMap((line) => /^\d+\.\d+/.exec(line)?.[0] ?? [])
    const own = passing(filter).map((number) => {
      const { seconds, nanos } = frames[number - 1]!
      return `${seconds}.${String(nanos).padStart(9, '0')}`
    })
    expect([own, stderr.includes('error')]).toEqual([times, false])
  })

  test('together they let some, not all and not nothing through', () => {
    const counts = FILTERS.map((filter) => passing(filter).length)
    expect(counts.filter((count) => count > 0 && count < frames.length).length).toBeGreaterThan(55)
  })
})

test('a filter without words lets everything through', () => {
  expect(passing('  ')).toHaveLength(frames.length)
})

test('VLAN tags are looked through, and asked for by number', () => {
  const tagged = fromHex(
    '020000000002 020000000001 8100 0005 0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002',
  )
  const results = ['arp', 'host 10.0.0.1', 'vlan', 'vlan 5', 'vlan 6', 'vlan 5 and arp'].map(
    (filter) => parseFilter(filter)(tagged, tagged.length),
  )
  expect(results).toEqual([true, true, true, true, false, true])
})

test.each([
  ['tpc', "'tpc' is unknown", 'tpc', 0],
  ['tcp and hots 10.0.0.1', "'hots' is unknown", 'hots', 8],
  ['host 10.0.0.300', "'10.0.0.300' is not an IP address", '10.0.0.300', 5],
  ['host www', "'www' is unknown", 'www', 5],
  ['net 10.0.0.1/8', "'10.0.0.1/8' has bits of a host", '10.0.0.1/8', 4],
  ['net 10.0.0.0/33', "'/33' is no prefix length", '10.0.0.0/33', 4],
  ['port 70000', "'70000' is not a port", '70000', 5],
  ['port 80-90', "'80-90' is a range", '80-90', 5],
  ['icmp port 7', "'icmp' has no ports", '7', 10],
  ['tcp host 10.0.0.1', "'tcp' has no addresses of its own", '10.0.0.1', 9],
  ['ip6 host 10.0.0.1', "'10.0.0.1' is no address of ip6", '10.0.0.1', 9],
  ['(tcp or udp', "a ')' is missing", '(', 0],
  ['tcp)', "there is a ')' too many", ')', 3],
  ['tcp and', 'something is missing at the end', '', 7],
  ['tcp udp', "'udp' cannot stand here", 'udp', 4],
  ['tcp[13', "a ']' is missing", '[', 3],
  ['tcp[13]', 'a comparison is missing', '', 7],
  ['tcp[13:3] = 1', "'3' is no size", '3', 7],
  ['tcp[13] & tcp-sin != 0', "'tcp-sin' is not a number", 'tcp-sin', 10],
  ['host', "a value for 'host' is missing", '', 4],
  ['less ten', "'ten' is not a length in bytes", 'ten', 5],
  ['tcp $ udp', "'$' has no meaning in a filter", '$', 4],
])('%s: %s', (filter, message, word, at) => {
  const refused = (): unknown => {
    try {
      return parseFilter(filter)
    } catch (e) {
      return e
    }
  }
  const error = refused()
  expect(error).toBeInstanceOf(FilterError)
  expect(error).toMatchObject({ message, word, at })
})

test('no text makes it fail in another way, and no frame makes a filter throw', () => {
  const words =
    'tcp udp ip host net port not and or ( ) ! [ ] : = != & | 10.0.0.1 fd00::/8 80 13 len ether src dst vlan - / 0x7'.split(
      ' ',
    )
  const draw = stream('filter', 'words')
  const pick = () => words[Math.floor(draw() * words.length)]!
  let valid = 0
  for (let round = 0; round < 20_000; round++) {
    const filter = Array.from({ length: 1 + Math.floor(draw() * 7) }, pick).join(
      draw() < 0.5 ? ' ' : '',
    )
    try {
      const passes = parseFilter(filter)
      valid += 1
      for (const { bytes } of frames.slice(10, 14)) {
        passes(bytes.subarray(0, Math.floor(draw() * 60)), bytes.length)
      }
    } catch (e) {
      if (!(e instanceof FilterError)) throw new Error(filter, { cause: e })
    }
  }
  expect(valid).toBeGreaterThan(100)
})
