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
  tcp('no Nagle', 'transmit', '!s.policy.nagle || ', 'true || '),
  tcp(
    'a delayed ACK never sent',
    'text-arrives',
    'timers.delayedAck = now + policy.delayedAck',
    'timers.delayedAck = NEVER',
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
  tcp(
    'a reset unchecked',
    'segment-arrives',
    'seg.seq !== s.rcv.nxt && !s.policy.insecureReset',
    'false',
  ),
  tcp('no TIME-WAIT', 'lifecycle', 'now + 2 * s.policy.msl', 'now'),
  tcp(
    'the MSS of the peer ignored',
    'negotiate',
    'Math.min(s.peerMss, s.pathMss',
    'Math.min(s.pathMss',
  ),
  tcp('no persist timer', 'transmit', 'timers.persist = now + s.rto.rto', 'timers.persist = NEVER'),
  tcp(
    'no challenge ACK',
    'segment-arrives',
    'if (mayChallenge(s, now)) sendBareAck(s, now, out)\n',
    '\n',
  ),
  tcp(
    'no limit on challenge ACKs',
    'segment-arrives',
    'rcv.challenges <= policy.challengeAcks',
    'true',
  ),
  tcp('an ACK of unsent data obeyed', 'ack-arrives', 'seqGt(seg.ack, snd.max) ||', ''),
  tcp('the window moved by old segments', 'ack-arrives', 'seqLeq(snd.wl1, seg.seq)', 'true'),
  tcp('ECE ignored', 'ecn', 'control.lost(s, now, seqDiff(snd.max, snd.una))', ''),
  tcp('marks not echoed', 'ecn', 'ecn.echo = true', 'ecn.echo = false'),
  tcp('no SWS avoidance by the sender', 'transmit', 'length >= snd.maxWnd / 2', 'true'),
  tcp('no SWS avoidance by the receiver', 'window', 'free - offered >= enough', 'free > offered'),
  tcp(
    'no restart after idle',
    'congestion/new-reno',
    'if (idle && policy.idleRestart)',
    'if (false)',
  ),
  tcp('the window opened though nobody used it', 'ack-arrives', 'if (s.cc.limited && ', 'if ('),
  tcp(
    'the initial window ten times too large',
    'lifecycle',
    '1 : policy.initialWindow)',
    '1 : 10 * policy.initialWindow)',
  ),
  tcp(
    'no slow start after a timeout',
    'congestion/new-reno',
    'cc.cwnd = mss\n',
    'cc.cwnd = cc.ssthresh\n',
  ),
  tcp('PSH never set', 'transmit', 'flags |= PSH', 'flags |= 0'),
  tcp(
    'unread data closed without a reset',
    'calls',
    's.receiveQueue.bytes > 0) return abort(s, out)',
    's.receiveQueue.bytes < 0) return abort(s, out)',
  ),
  tcp(
    'duplicate ACKs: two are enough',
    'reno-recovery',
    'recovery.dupAcks < policy.dupAckThreshold',
    'recovery.dupAcks < 2',
  ),
  tcp('no fast retransmit', 'reno-recovery', 'recovery.dupAcks < policy.dupAckThreshold', 'true'),
  tcp('no limited transmit', 'reno-recovery', 'if (policy.limitedTransmit)', 'if (false)'),
  tcp(
    'partial ACKs ignored',
    'reno-recovery',
    'if (seqLt(snd.una, recovery.recover)) return partialAck(s, now, acked, out)',
    '',
  ),
  tcp(
    'SACK blocks ignored',
    'sack-recovery',
    'const said = takeBlocks(s, now, seg)',
    'const said = 0 && takeBlocks(s, now, seg)',
  ),
  tcp(
    'SACK never agreed on',
    'negotiate',
    's.sackPermitted = offers && policy.sackPermitted',
    's.sackPermitted = false',
  ),
  tcp(
    'the window not reduced by a loss',
    'episode',
    'if (control.prr) s.cc.cwnd = s.cc.ssthresh',
    '',
  ),
  tcp('no PRR', 'sack-recovery', 'cc.cwnd = pipe + (e.force', 'cc.cwnd = cc.cwnd + 0 * (e.force'),
  tcp(
    'no reordering window',
    'rack',
    'return Math.min(Math.floor((r.reoWndMult * r.minRtt) / 4), s.rto.srtt)',
    'return 0',
  ),
  tcp('reordering never seen', 'rack', 'r.reorderingSeen = true', 'r.reorderingSeen = false'),
  tcp(
    'RACK never gives up a segment',
    'rack',
    'if (remaining <= 0) markLost(b, i)',
    'if (false) markLost(b, i)',
  ),
  tcp(
    'a tail probe of the first segment',
    'tlp',
    'resendLast(s, board, now, out)',
    'void resendLast',
  ),
  tcp(
    'losses that were none not undone',
    'undo',
    'controlOf(s).undone(s, now, cwnd, ssthresh)',
    '',
  ),
  tcp('F-RTO never finds a spurious timeout', 'episode', 'frto ? 1 : 0', '0'),
  tcp(
    'Eifel ignores timestamps',
    'undo',
    'if (!seqLt(seg.options.timestampEcho, rto.retransmitTs)) return NEVER',
    'return NEVER',
  ),
  tcp(
    'DSACK never sent',
    'policy',
    'constructor(choices: TcpChoices) {\n    Object.assign(this, choices)',
    'constructor(choices: TcpChoices) {\n    Object.assign(this, choices, { dsack: false })',
  ),
  tcp(
    'no keep-alive probe',
    'keep-alive',
    's.policy.keepAlive ? now + s.policy.keepIdle : NEVER',
    'NEVER',
  ),
  tcp('CUBIC reduces as Reno does', 'congestion/cubic', 'const BETA = 0.7', 'const BETA = 0.5'),
  tcp(
    'a FIN never sent again',
    'transmit',
    'if (fin) flags |= FIN\n',
    "if (fin && cause !== 'rto' && s.rto.retransmits === 0) flags |= FIN\n",
  ),
  tcp('a wrong ISN', 'transmit', 'emit(s, s.iss, flags', 'emit(s, s.iss + 1, flags'),
]
