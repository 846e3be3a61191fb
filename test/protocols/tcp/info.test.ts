import { expect, test } from 'vitest'
import { established } from '../../timeline.ts'

/** The figures of the last `info` of a script. */
function figures(script: string, policy = {}): { readonly [name: string]: number } {
  const line = established(script, { until: '60s', policy })
    .split('\n')
    .filter((each) => each.includes('= info'))
    .at(-1)!
  const pairs = line.split(/\s+/).filter((word) => word.includes('='))
  return Object.fromEntries(
    pairs.slice(1).map((pair) => [pair.split('=')[0]!, Number(pair.split('=')[1])]),
  )
}

test('TCP_INFO: what was sent, what came back, and when', () => {
  const script = `1 send 2500
    1.1 < . 1:1(0) ack 2001
    1.3 < P. 1:301(300) ack 2501
    2 send 700
    2.05 info`
  expect(figures(script)).toMatchObject({
    state: Number.NaN,
    ca_state: 0,
    options: 0,
    snd_mss: 1000,
    advmss: 1460,
    pmtu: 1500,
    rcv_mss: 300,
    unacked: 1,
    data_segs_out: 4,
    data_segs_in: 1,
    segs_in: 3,
    segs_out: 7, // the SYN, its ACK, four with data, and an ACK of the 300
    bytes_sent: 3200,
    bytes_acked: 2500,
    bytes_received: 300,
    bytes_retrans: 0,
    last_data_sent: 50,
    last_data_recv: 750,
    last_ack_recv: 750,
    rcv_space: 4 * 2 ** 20 - 300,
  })
})

test('TCP_INFO: retransmissions and the state of loss recovery', () => {
  const script = `1 send 1000
    4.5 info`
  expect(figures(script)).toMatchObject({
    ca_state: 4,
    retransmits: 2,
    backoff: 2,
    total_retrans: 2,
    bytes_retrans: 2000,
    rto: 4_000_000,
    snd_cwnd: 1,
  })
})

test('TCP_INFO: probes of a closed window, and of an idle peer', () => {
  const closed = `1 < . 1:1(0) ack 1 win 0
    1 send 10
    4.5 info`
  expect(figures(closed)).toMatchObject({ probes: 2, retransmits: 0, backoff: 2, snd_wnd: 0 })
  const idle = { keepAlive: true, keepIdle: 5e9, keepInterval: 5e9 }
  expect(figures('12 info', idle)).toMatchObject({ probes: 2 })
})
