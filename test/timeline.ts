import { parseIpText } from '../protocols/address.ts'
import { NO_THRESHOLD } from '../protocols/tcp/congestion/congestion.ts'
import type { TcpChoices } from '../protocols/tcp/policy.ts'
import { RFC } from '../protocols/tcp/profiles/rfc.ts'
import { createTcp, type TcpState } from '../protocols/tcp/state.ts'
import { timeline, type TimelineOptions } from '../sim/testing/timeline.ts'

/** No options but the MSS, Reno as RFC 5681 has it: nothing but what a test is about. */
export const PLAIN = {
  timestamps: false,
  windowScale: false,
  sackPermitted: false,
  congestion: 'reno',
  hystart: false,
  slowStartLimit: 1,
  limitedTransmit: false,
  prr: false,
  rack: false,
  tlp: false,
  frto: false,
} satisfies Partial<TcpChoices>

/** The common case: `PLAIN`, then what differs. */
export const plain = (
  script: string,
  options: Omit<TimelineOptions, 'until'> & { until?: string } = {},
): string =>
  timeline(script, { until: '1000s', ...options, policy: { ...PLAIN, ...options.policy } })

const HANDSHAKE = 0.1

/**
 * `plain` from an established connection on: opened at 0 s, the SYN answered at 0.1 s (so the first
 * RTT sample is 100 ms, the RTO 1 s), segments of 1000 bytes, a window of 65,535. The lines of the
 * handshake are left out.
 */
export function established(script: string, options: Parameters<typeof plain>[1] = {}): string {
  const open = `
    0           connect
    ${HANDSHAKE} < S. 0:0(0) ack 1 win 65535 <mss 1000>`
  return plain(`${open}\n${script}`, options)
    .split('\n')
    .filter((line) => Number(line.slice(0, 9)) > HANDSHAKE)
    .join('\n')
}

/** A connection for tables of what a congestion control does: the window in use, bytes. */
export function connection(given: {
  mss: number
  cwnd: number
  ssthresh?: number
  policy?: Partial<TcpChoices>
}): TcpState {
  const at = (address: string, port: number) => ({ address: parseIpText(address)!, port })
  const s = createTcp({
    id: 1,
    policy: RFC.with({ ...PLAIN, ...given.policy }),
    local: at('192.0.2.1', 40_000),
    remote: at('192.0.2.2', 80),
    iss: 0,
    pathMss: given.mss,
    listener: -1,
  })
  s.cc.cwnd = given.cwnd
  s.cc.ssthresh = given.ssthresh ?? s.cc.ssthresh
  s.cc.limited = true
  return s
}

/** `established` with a peer that takes SACK: RFC 6675 alone, unless a test asks for more. */
export function selective(script: string, options: Parameters<typeof plain>[1] = {}): string {
  const policy = { sackPermitted: true, ...options.policy }
  const open = `
    0           connect
    ${HANDSHAKE} < S. 0:0(0) ack 1 win 65535 <mss 1000,nop,nop,sackOK>`
  return plain(`${open}\n${script}`, { ...options, policy })
    .split('\n')
    .filter((line) => Number(line.slice(0, 9)) > HANDSHAKE)
    .join('\n')
}

/** Watches the congestion window, in bytes. */
export const cwnd = ({ cc }: TcpState): string =>
  `cwnd ${cc.cwnd} ssthresh ${cc.ssthresh === NO_THRESHOLD ? 'unset' : cc.ssthresh}`
