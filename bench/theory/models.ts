// What theory says a TCP gets out of a path that loses a share `p` of its packets. Windows in segments,
// times in seconds, rates in segments a second.

/** b of the models: so many segments for each ACK. */
export interface Acks {
  readonly every: 1 | 2
}

/**
 * The full model of Padhye, Firoiu, Towsley, Kurose (SIGCOMM 1998, equation 32), the window not
 * limited by the receiver: Reno without SACK under losses that come in rounds.
 *
 * @param rtt round-trip time
 * @param timeout T0, of the first retransmission timeout
 */
export function pftk(p: number, rtt: number, timeout: number, { every: b }: Acks): number {
  const window = expectedWindow(p, b)
  const q = 1 - p
  // Q^: how likely a loss is found by a timeout.
  const alone = ((1 - q ** 3) * (1 + q ** 3 * (1 - q ** (window - 3)))) / (1 - q ** window)
  const byTimeout = Math.min(1, alone)
  const backOff = 1 + p + 2 * p ** 2 + 4 * p ** 3 + 8 * p ** 4 + 16 * p ** 5 + 32 * p ** 6
  const sent = q / p + window + byTimeout / q
  const time = rtt * ((b / 2) * window + 1) + (byTimeout * timeout * backOff) / q
  return sent / time
}

/** E[W] of the same, equation 13. */
function expectedWindow(p: number, b: number): number {
  const c = (2 + b) / (3 * b)
  return c + Math.sqrt((8 * (1 - p)) / (3 * b * p) + c ** 2)
}

/** Mathis, Semke, Mahdavi, Ott (1997): the average window of Reno with SACK under periodic loss. */
export const mathis = (p: number, { every: b }: Acks): number => Math.sqrt(3 / (2 * b * p))

/** RFC 9438 §5.1: the average window of CUBIC under periodic loss; on short paths that of Reno. */
export function cubicResponse(p: number, rtt: number): number {
  const [c, beta] = [0.4, 0.7]
  const cubic = ((c * (3 + beta)) / (4 * (1 - beta))) ** 0.25 * (rtt / p) ** 0.75
  return Math.max(1.2 / Math.sqrt(p), cubic)
}
