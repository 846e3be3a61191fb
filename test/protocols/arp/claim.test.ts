import { produce } from 'immer'
import { describe, expect, test } from 'vitest'
import { formatIp, type Ipv4Address, ip, type Mac } from '../../../protocols/address.ts'
import {
  type ClaimOut,
  type ClaimPolicy,
  type Claims,
  claimsHear,
  claimsNextDue,
  claimsTimer,
  createClaims,
} from '../../../protocols/arp/claim.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../../protocols/arp/packet.ts'
import { type Nanos, s } from '../../../protocols/time.ts'

const OWN_MAC: Mac = '02:00:00:00:00:01'
const OTHER_MAC: Mac = '02:00:00:00:00:02'
const NO_MAC: Mac = '00:00:00:00:00:00'
const OWN = ip('10.0.0.1') as Ipv4Address
const OTHER = ip('10.0.0.2') as Ipv4Address
/** Its draws are the three delays in the first timeline. */
const SEED = 5227

type Script = readonly (readonly [at: number, packet: ArpPacket])[]

const arp = (operation: number, mac: Mac, sender: Ipv4Address, target: Ipv4Address): ArpPacket =>
  new ArpPacket(operation, mac, sender, NO_MAC, target)
const claimOf = (mac: Mac) => arp(ARP_REQUEST, mac, OWN, OWN)
const probeOf = (mac: Mac, target = OWN) => arp(ARP_REQUEST, mac, 0, target)

/** Runs in place and recorded, compares the two, and lists every output with its time in seconds. */
function timeline(policy: Partial<ClaimPolicy>, script: Script = [], addresses = [OWN]): string {
  const full: ClaimPolicy = { method: 'probe', defend: 'once', from: 0, ...policy }
  const live = createClaims(full, addresses, SEED)
  let frozen = createClaims(full, addresses, SEED)
  const inPlace = run(
    script,
    () => live,
    (act) => act(live),
  )
  const recorded = run(
    script,
    () => frozen,
    (act) => {
      frozen = produce(frozen, (draft) => act(draft as Claims))
    },
  )
  expect(recorded).toEqual(inPlace)
  expect(frozen).toEqual(live)
  return inPlace
}

function run(
  script: Script,
  claims: () => Claims,
  step: (act: (claims: Claims) => void) => void,
): string {
  const lines: string[] = []
  let now: Nanos = 0
  const say = (text: string) => lines.push(`${(now / 1e9).toFixed(6).padStart(10)}  ${text}`)
  const out: ClaimOut = {
    sendArp(p, to) {
      expect([p.operation, p.senderMac, to]).toEqual([ARP_REQUEST, OWN_MAC, 'ff:ff:ff:ff:ff:ff'])
      say(`> who-has ${formatIp(p.targetIp)} tell ${formatIp(p.senderIp)}`)
    },
    event: (e) => say(`= ${e.kind} ${formatIp(e.address)} ${e.mac!.slice(-2)}`),
    usable: (address, usable) => say(`= ${formatIp(address)} ${usable ? 'is ours' : 'is not'}`),
  }
  let next = 0
  for (;;) {
    const due = claimsNextDue(claims())
    const at = Math.min(due, next < script.length ? s(script[next]![0]) : Infinity)
    if (at === Infinity) return lines.join('\n')
    now = at
    if (due === at) step((c) => claimsTimer(c, now, OWN_MAC, out))
    else {
      const packet = script[next++]![1]
      step((c) => {
        claimsHear(c, now, OWN_MAC, packet, out)
      })
    }
  }
}

test('three probes after a random wait, 2 s of silence, two announcements 2 s apart', () => {
  // PROBE_WAIT 0 to 1 s, then PROBE_MIN 1 s to PROBE_MAX 2 s between probes, ANNOUNCE_WAIT 2 s.
  expect(timeline({})).toMatchInlineSnapshot(`
    "  0.349104  > who-has 10.0.0.1 tell 0.0.0.0
      1.679629  > who-has 10.0.0.1 tell 0.0.0.0
      3.514082  > who-has 10.0.0.1 tell 0.0.0.0
      5.514082  > who-has 10.0.0.1 tell 10.0.0.1
      5.514082  = 10.0.0.1 is ours
      7.514082  > who-has 10.0.0.1 tell 10.0.0.1"
  `)
})

test('an announcement alone comes at once, when the interface is up', () => {
  expect(timeline({ method: 'announce', from: s(7) })).toMatchInlineSnapshot(`
    "  7.000000  > who-has 10.0.0.1 tell 10.0.0.1
      7.000000  = 10.0.0.1 is ours
      9.000000  > who-has 10.0.0.1 tell 10.0.0.1"
  `)
})

describe('while it probes', () => {
  const lost = (packet: ArpPacket, at = 2) =>
    timeline({}, [[at, packet]])
      .split('\n')
      .slice(-2)

  test.each([
    ['an answer', arp(ARP_REPLY, OTHER_MAC, OWN, 0)],
    ['a request by whoever has it', arp(ARP_REQUEST, OTHER_MAC, OWN, OTHER)],
    ['an announcement', claimOf(OTHER_MAC)],
    ['another probe for the same address', probeOf(OTHER_MAC)],
  ])('%s ends it for good', (_, packet) => {
    expect(lost(packet)).toEqual([
      '  2.000000  = address-conflict 10.0.0.1 02',
      '  2.000000  = 10.0.0.1 is not',
    ])
  })

  test.each([
    ['its own probe, from a loop', probeOf(OWN_MAC)],
    ['a probe for another address', probeOf(OTHER_MAC, OTHER)],
    ['a request for the address by somebody with one', arp(ARP_REQUEST, OTHER_MAC, OTHER, OWN)],
    ['a group address', claimOf('03:00:00:00:00:02')],
  ])('%s means nothing', (_, packet) => {
    expect(timeline({}, [[2, packet]])).toBe(timeline({}))
  })

  test('silence after the last probe counts too', () => {
    expect(lost(claimOf(OTHER_MAC), 5)).toEqual([
      '  5.000000  = address-conflict 10.0.0.1 02',
      '  5.000000  = 10.0.0.1 is not',
    ])
  })

  test('an interface that is not up hears nothing', () => {
    const late = timeline({ from: s(10) })
    expect(timeline({ from: s(10) }, [[9.9, claimOf(OTHER_MAC)]])).toBe(late)
  })
})

describe('an address in use is claimed at 20 s, 29.9 s and 40 s', () => {
  const script: Script = [20, 29.9, 40].map((at) => [at, claimOf(OTHER_MAC)])
  const from20 = (defend: ClaimPolicy['defend'], conflicts = script) =>
    timeline({ defend }, conflicts)
      .split('\n')
      .filter((line) => Number(line.slice(0, 10)) >= 20)

  test('never defended', () => {
    expect(from20('never')).toEqual([
      ' 20.000000  = address-conflict 10.0.0.1 02',
      ' 20.000000  = 10.0.0.1 is not',
    ])
  })

  test('defended once in 10 s', () => {
    expect(from20('once')).toEqual([
      ' 20.000000  = address-conflict 10.0.0.1 02',
      ' 20.000000  > who-has 10.0.0.1 tell 10.0.0.1',
      ' 29.900000  = address-conflict 10.0.0.1 02',
      ' 29.900000  = 10.0.0.1 is not',
    ])
  })

  test('a conflict 10 s after the first one is a first one again', () => {
    expect(from20('once', [script[0]!, [30, claimOf(OTHER_MAC)]])).toEqual([
      ' 20.000000  = address-conflict 10.0.0.1 02',
      ' 20.000000  > who-has 10.0.0.1 tell 10.0.0.1',
      ' 30.000000  = address-conflict 10.0.0.1 02',
      ' 30.000000  > who-has 10.0.0.1 tell 10.0.0.1',
    ])
  })

  test('always defended, no more often than every 10 s', () => {
    expect(from20('always')).toEqual([
      ' 20.000000  = address-conflict 10.0.0.1 02',
      ' 20.000000  > who-has 10.0.0.1 tell 10.0.0.1',
      ' 29.900000  = address-conflict 10.0.0.1 02',
      ' 40.000000  = address-conflict 10.0.0.1 02',
      ' 40.000000  > who-has 10.0.0.1 tell 10.0.0.1',
    ])
  })

  test('somebody who only probes for it claims nothing yet', () => {
    expect(from20('never', [[20, probeOf(OTHER_MAC)]])).toEqual([])
  })
})

test('addresses are claimed one by one, each in its own time', () => {
  const text = timeline({}, [[1, arp(ARP_REPLY, OTHER_MAC, OTHER, 0)]], [OWN, OTHER])
  expect(text.match(/is ours|is not/g)).toEqual(['is not', 'is ours'])
  expect(text.match(/who-has 10.0.0.1 tell 0/g)).toHaveLength(3)
})

test('every delay lies where the RFC wants it, and all of that range is used', () => {
  const policy: ClaimPolicy = { method: 'probe', defend: 'once', from: 0 }
  const waits: number[] = []
  const pauses: number[] = []
  const silent: ClaimOut = { sendArp() {}, event() {}, usable() {} }
  for (let seed = 0; seed < 1000; seed++) {
    const claims = createClaims(policy, [OWN], seed)
    let now = claimsNextDue(claims)
    waits.push(now / 1e9)
    for (let i = 0; i < 2; i++) {
      claimsTimer(claims, now, OWN_MAC, silent)
      pauses.push((claimsNextDue(claims) - now) / 1e9)
      now = claimsNextDue(claims)
    }
  }
  for (const [values, from, to] of [
    [waits, 0, 1],
    [pauses, 1, 2],
  ] as const) {
    expect(Math.min(...values)).toBeGreaterThanOrEqual(from)
    expect(Math.max(...values)).toBeLessThan(to)
    // Of n uniform values the mean is off by 5 σ = 5 / sqrt(12 n) at most, once in 1.7 million.
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length
    expect(Math.abs(mean - (from + to) / 2)).toBeLessThan(5 / Math.sqrt(12 * values.length))
  }
})
