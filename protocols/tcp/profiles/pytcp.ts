import { ms, s } from '../../time.ts'
import { RFC } from './rfc.ts'

/** PyTCP 2.7 (`pytcp/config.py`, `pytcp/protocols/tcp/session.py`): its timings, not its limits. */
export const PYTCP = RFC.with({
  rtoInitial: s(1), // PACKET_RETRANSMIT_TIMEOUT
  rtoMin: s(1),
  rtoAdaptive: false,
  synRetries: 3, // PACKET_RETRANSMIT_MAX_COUNT: given up after 1 + 2 + 4 + 8 s
  synAckRetries: 3,
  dataRetries: 3,
  dupAckThreshold: 2,
  delayedAck: ms(100), // DELAYED_ACK_DELAY
  msl: s(15), // TIME_WAIT_DELAY is 30 s
  initialWindow: 1,
  congestion: 'reno',
  slowStartLimit: 1,
  hystart: false,
  ecn: 'off',
  synCookies: false,
  receiveBuffer: 65_535,
  mss: 1460,
  limitedTransmit: false,
  prr: false,
  frto: false,
  sackPermitted: false,
  timestamps: false,
})
