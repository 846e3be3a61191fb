/** One thing that the TCP does wrong. */
export interface Mutation {
  readonly name: string
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

const tcp = (name: string, file: string, find: string, replace: string): Mutation => ({
  name,
  file: `protocols/tcp/${file}.ts`,
  find,
  replace,
})

export const MUTATIONS: readonly Mutation[] = [
  tcp('no back-off', 'rto', '2 * (r.rto - slopped) + slop', 'r.rto'),
  tcp('no Karn', 'transmit', 'rto.timedAt = NEVER // Karn', '// Karn'),
  tcp('the floor of the RTO ignored', 'rto', 'Math.max(unclamped, policy.rtoMin)', 'unclamped'),
  tcp('the variation left out of the RTO', 'rto', '4 * r.rttvar', '0 * r.rttvar'),
  tcp(
    'the window not respected',
    'transmit',
    'Math.min(unsent, s.mss, usable)',
    'Math.min(unsent, s.mss)',
  ),
  tcp(
    'the window of the peer not scaled',
    'ack-arrives',
    'seg.window << snd.wndScale\n',
    'seg.window\n',
  ),
  tcp('no Nagle', 'transmit', '!s.nagle || ', 'true || '),
  tcp(
    'a delayed ACK never sent',
    'timers',
    'if (timers.delayedAck <= now)',
    'if (timers.delayedAck < 0)',
  ),
  tcp(
    'every segment acknowledged',
    'text-arrives',
    'rcv.unacked >= policy.ackEvery',
    'rcv.unacked >= 0 * policy.ackEvery',
  ),
  tcp(
    'no PAWS',
    'segment-arrives',
    'if (seqGeq(seg.options.timestampValue, s.tsRecent)) return true',
    'return true',
  ),
  tcp('a reset unchecked', 'segment-arrives', 'if (seg.seq !== s.rcv.nxt)', 'if (false)'),
  tcp('no TIME-WAIT', 'lifecycle', 'now + 2 * s.policy.msl', 'now'),
  tcp(
    'the MSS of the peer ignored',
    'negotiate',
    'Math.min(s.peerMss, s.pathMss',
    'Math.min(s.pathMss',
  ),
  tcp('no persist timer', 'transmit', 'timers.persist = now + s.rto.rto', 'timers.persist = NEVER'),
  tcp('a wrong ISN', 'transmit', 'emit(s, s.iss, flags', 'emit(s, s.iss + 1, flags'),
]
