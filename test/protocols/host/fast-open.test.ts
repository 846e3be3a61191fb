import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { fromHex, NO_BYTES, toHex } from '../../../protocols/bytes.ts'
import {
  FAST_OPEN_PEERS_MAX,
  fastOpenFrom,
  fastOpenSaid,
  fastOpenTo,
} from '../../../protocols/host/fast-open.ts'
import { createHost, type HostState, type Listener } from '../../../protocols/host/state.ts'
import { clientFastOpen, type FastOpenOutcome } from '../../../protocols/tcp/fast-open.ts'
import { OPTION_FAST_OPEN } from '../../../protocols/tcp/fast-open-option.ts'
import { TcpOptions } from '../../../protocols/tcp/options.ts'
import type { TcpPolicy } from '../../../protocols/tcp/policy.ts'
import { FREEBSD } from '../../../protocols/tcp/profiles/freebsd.ts'
import { LINUX } from '../../../protocols/tcp/profiles/linux.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'
import { createTcp } from '../../../protocols/tcp/state.ts'
import { NEVER, type Nanos, s } from '../../../protocols/time.ts'

// RFC 7413 §4.1, §5.1: what hosts remember of each other. Connections are played in scripts.

const KEY = fromHex('a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4')

const using = (policy: TcpPolicy, changes: Partial<TcpPolicy['fastOpen']> = {}): TcpPolicy =>
  policy.with({
    fastOpen: { ...policy.fastOpen, client: true, server: true, key: KEY, ...changes },
  })

const host = (policy: TcpPolicy): HostState =>
  createHost({ forwarding: false, policy, seed: 'x', interfaces: [], routes: [], now: 0 })

const endpoint = (address: string, port = 8080) => ({ address: ip(address), port })

function listenerOf(policy: TcpPolicy): Listener {
  const nobody = { queues: false, waiting: 0, cookieAt: -NEVER, opening: 0 }
  const fastOpen = { waiting: 0, resets: [] }
  return { kind: 'listener', policy, address: null, port: 8080, backlog: 3, ...nobody, fastOpen }
}

const syn = (cookie: Uint8Array | null, text = 0): TcpSegment => {
  const layout = cookie === null ? [] : [OPTION_FAST_OPEN]
  const options = new TcpOptions(layout, -1, -1, 0, 0, [], cookie === null ? [] : [cookie])
  return new TcpSegment(40_000, 8080, 0, 0, SYN, 1000, 0, options, new Uint8Array(text))
}

describe('a cookie', () => {
  const given = (policy: TcpPolicy, remote: string, local: string): string => {
    const ends = { remote: endpoint(remote), local: endpoint(local) }
    const listener = listenerOf(policy)
    const answer = fastOpenFrom(host(policy), 0, listener, ends, syn(new Uint8Array(0)))
    return toHex(answer?.option?.cookie ?? NO_BYTES)
  }
  const linux = using(LINUX, { pending: 1 })

  // What Linux 6.18 gives with this key, asked over its loopback.
  test('is what Linux gives with the same key', () => {
    expect(given(linux, '192.0.2.1', '192.168.0.1')).toBe('3021b9d889017eeb')
    expect(given(linux, 'fd3d:fa7b:d17d::1', 'fd3d:a0b:17d6::1')).toBe('c1d1e9742a47a9bc')
  })

  test('of Linux is for two addresses, of FreeBSD for one', () => {
    expect(given(linux, '192.0.2.1', '192.168.0.2')).not.toBe('3021b9d889017eeb')
    const freebsd = using(FREEBSD, { pending: 1 })
    const one = given(freebsd, '192.0.2.1', '192.168.0.1')
    expect(given(freebsd, '192.0.2.1', '192.168.0.2')).toBe(one)
    expect(given(freebsd, '192.0.2.2', '192.168.0.1')).not.toBe(one)
  })

  test('without a key of its own is made with a secret that differs from host to host', () => {
    const own = using(LINUX, { pending: 1, key: null })
    expect(given(own, '192.0.2.1', '192.168.0.1')).toMatch(/^[0-9a-f]{16}$/)
    expect(given(own, '192.0.2.1', '192.168.0.1')).not.toBe('3021b9d889017eeb')
  })

  test('cut short, changed or lengthened is none', () => {
    const ends = { remote: endpoint('192.0.2.1'), local: endpoint('192.168.0.1') }
    const takes = (cookie: string): boolean | undefined =>
      fastOpenFrom(host(linux), 0, listenerOf(linux), ends, syn(fromHex(cookie), 10))?.early
    expect(takes('3021b9d889017eeb')).toBe(true)
    expect(takes('3021b9d88901')).toBe(false)
    expect(takes('3021b9d889017eeb00')).toBeUndefined() // an odd number of bytes: no option at all
    expect(takes('3021b9d889017eeb0000')).toBe(false)
    for (let bit = 0; bit < 64; bit++) {
      const wrong = fromHex('3021b9d889017eeb')
      wrong[bit >> 3]! ^= 1 << (bit & 7)
      expect(takes(toHex(wrong))).toBe(false)
    }
  })
})

describe('a client', () => {
  const remote = endpoint('192.0.2.1')
  const connection = (policy: TcpPolicy, to = remote) =>
    createTcp({
      id: 0,
      policy,
      local: endpoint('192.168.0.1', 50_000),
      remote: to,
      iss: 0,
      pathMss: 1460,
      listener: -1,
      fastOpen: clientFastOpen({ cookie: NO_BYTES, experimental: false }, true, false),
    })
  const said = (
    h: HostState,
    now: Nanos,
    outcome: FastOpenOutcome,
    cookie = '',
    to = remote,
    mss = 1000,
  ): void =>
    fastOpenSaid(h, now, connection(h.policy, to), {
      kind: 'fast-open',
      socket: 0,
      outcome,
      cookie: fromHex(cookie),
      mss,
      local: endpoint('192.168.0.1', 50_000),
      remote: to,
    })
  const attempt = (h: HostState, now: Nanos, to = remote): string => {
    const found = fastOpenTo(h, now, h.policy, to, true)
    if (found === null) return 'none'
    return `${toHex(found.fastOpen.option?.cookie ?? NO_BYTES) || 'asks'} ${found.peerMss}`
  }

  test('asks a stranger, and remembers cookie and MSS, of this server alone', () => {
    const h = host(using(RFC))
    expect(attempt(h, 0)).toBe('asks 0')
    said(h, 0, 'cookie', '01020304')
    expect(attempt(h, 0)).toBe('01020304 1000')
    expect(attempt(h, 0, endpoint('192.0.2.2'))).toBe('asks 0')
    said(h, 1, 'cookie', '05060708', remote, 900)
    expect(attempt(h, 1)).toBe('05060708 900')
  })

  test('leaves a port in peace that has refused, for a while, and keeps the cookie for others', () => {
    const h = host(using(RFC))
    said(h, 0, 'cookie', '01020304')
    said(h, s(10), 'not taken')
    expect(attempt(h, s(609))).toBe('none')
    expect(attempt(h, s(609), endpoint('192.0.2.1', 443))).toBe('01020304 1000')
    expect(attempt(h, s(610))).toBe('01020304 1000')
  })

  test('does not hold it against a server that gives another cookie in place of what it took', () => {
    const h = host(using(RFC))
    said(h, 0, 'cookie', '01020304')
    said(h, 0, 'not taken', '01020304')
    expect(attempt(h, 0)).toBe('01020304 1000')
  })

  test('pauses after timeouts, twice as long each time, 64 times at most, until something is taken', () => {
    const h = host(using(LINUX, { pausedFor: s(10) }))
    let now = 0
    for (const times of [1, 2, 4, 8, 16, 32, 64, 64]) {
      said(h, now, 'lost')
      expect(attempt(h, now + s(10) * times - 1)).toBe('none')
      now += s(10) * times
      expect(attempt(h, now)).toBe('asks 0')
    }
    said(h, now, 'taken')
    said(h, now, 'lost')
    expect(attempt(h, now + s(10))).toBe('asks 1000')
  })

  test('remembers so many servers, and lets go of the oldest', () => {
    const h = host(using(RFC))
    for (let i = 0; i <= FAST_OPEN_PEERS_MAX; i++) {
      said(h, 0, 'cookie', '01020304', { address: 0x0a00_0000 + i, port: 80 })
    }
    expect(h.fastOpen.peers.size).toBe(FAST_OPEN_PEERS_MAX)
    expect(attempt(h, 0, { address: 0x0a00_0000, port: 80 })).toBe('asks 0')
    expect(attempt(h, 0, { address: 0x0a00_0001, port: 80 })).toBe('01020304 1000')
  })

  test('switched off asks nobody', () => {
    expect(attempt(host(using(RFC, { client: false })), 0)).toBe('none')
  })
})
