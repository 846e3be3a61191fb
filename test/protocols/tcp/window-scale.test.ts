import { describe, expect, test } from 'vitest'
import type { TcpState } from '../../../protocols/tcp/state.ts'
import { scaleFor } from '../../../protocols/tcp/window.ts'
import { timeline } from '../../../sim/testing/timeline.ts'
import { PLAIN } from '../../timeline.ts'

describe('window scaling (RFC 7323 §2)', () => {
  test.each([
    [65_535, 0],
    [65_536, 1],
    [131_071, 1],
    [131_072, 2],
    [4 << 20, 7],
    [2 ** 30 - 2 ** 14, 14],
    [2 ** 31 - 1, 14],
  ])('a buffer of %i bytes is offered with a shift of %i', (buffer, shift) => {
    expect(scaleFor(buffer)).toBe(shift)
  })

  test('the SYN is not scaled, everything after it is, both ways', () => {
    const script = `
      0     connect
      0.1   < S. 0:0(0) ack 1 win 100 <mss 1000,nop,wscale 5>
      1     send 5000                   # 100 bytes in the window of the SYN
      1.1   < . 1:1(0) ack 101 win 100  # 3200 now
      1.2   < . 1:1001(1000) ack 3101 win 100`
    const policy = { ...PLAIN, windowScale: true, receiveBuffer: 1 << 20 }
    expect(timeline(script, { until: '1.9s', policy })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460,nop,wscale 5>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 1 win 32768
         1      > . 1:101(100) ack 1 win 32768
         1.1    > . 101:1101(1000) ack 1 win 32768
         1.1    > . 1101:2101(1000) ack 1 win 32768
         1.1    > . 2101:3101(1000) ack 1 win 32768
         1.2    > . 3101:4101(1000) ack 1 win 32768
         1.24   > . 4101:4101(0) ack 1001 win 32736"
    `)
  })

  test('unless both offer it, nobody scales', () => {
    const script = `
      0     connect
      0.1   < S. 0:0(0) ack 1 win 100 <mss 1000>
      1     send 5000
      1.1   < . 1:1(0) ack 101 win 100`
    const policy = { ...PLAIN, windowScale: true }
    expect(timeline(script, { until: '1.9s', policy })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460,nop,wscale 7>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 1 win 65535
         1      > . 1:101(100) ack 1 win 65535
         1.1    > . 101:201(100) ack 1 win 65535"
    `)
  })

  test('a shift beyond 14 is taken for 14', () => {
    const script = `
      0     connect
      0.1   < S. 0:0(0) ack 1 win 100 <mss 1000,nop,wscale 15>
      1     < . 1:1(0) ack 1 win 1`
    const policy = { ...PLAIN, windowScale: true }
    const watch = ({ snd }: TcpState) => `wnd ${snd.wnd}`
    expect(timeline(script, { until: '1s', policy, watch }).split('\n').at(-1)).toBe(
      '   1      * wnd 16384',
    )
  })
})
