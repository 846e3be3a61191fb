import { expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

// Segments that leave as one: the last of several carries PSH, as Linux has it.

const policy = { sendsChunks: true }

test('on a slow path they leave two by two; what is less than a segment has its own PSH', () => {
  const script = `
    1    send 6500
    1.1  < . 1:1(0) ack 6001
    1.2  < . 1:1(0) ack 6501`
  expect(established(script, { policy })).toMatchInlineSnapshot(`
    "   1      > . 1:1001(1000) ack 1 win 65535
       1      > P. 1001:2001(1000) ack 1 win 65535
       1      > . 2001:3001(1000) ack 1 win 65535
       1      > P. 3001:4001(1000) ack 1 win 65535
       1      > . 4001:5001(1000) ack 1 win 65535
       1      > P. 5001:6001(1000) ack 1 win 65535
       1.1    > P. 6001:6501(500) ack 1 win 65535"
  `)
})

test('no more than half of the window, and what the peer has room for', () => {
  const script = `
    1    send 9000
    1.1  < . 1:1(0) ack 3001 win 1000
    1.2  < . 1:1(0) ack 4001 win 9000
    1.3  < . 1:1(0) ack 8001
    1.4  < . 1:1(0) ack 9001`
  expect(established(script, { policy: { ...policy, initialWindow: 3 } })).toMatchInlineSnapshot(`
    "   1      > . 1:1001(1000) ack 1 win 65535
       1      > . 1001:2001(1000) ack 1 win 65535
       1      > . 2001:3001(1000) ack 1 win 65535
       1.1    > . 3001:4001(1000) ack 1 win 65535
       1.2    > . 4001:5001(1000) ack 1 win 65535
       1.2    > P. 5001:6001(1000) ack 1 win 65535
       1.2    > . 6001:7001(1000) ack 1 win 65535
       1.2    > P. 7001:8001(1000) ack 1 win 65535
       1.3    > P. 8001:9001(1000) ack 1 win 65535"
  `)
})

test('on a fast path more of them', () => {
  const script = `
    0    connect
    0.001 < S. 0:0(0) ack 1 win 65535 <mss 1000>
    0.001 send 12000
    0.002 < . 1:1(0) ack 10001`
  expect(plain(script, { policy, until: '1s' })).toMatchInlineSnapshot(`
    "   0      = SYN-SENT
       0      > S 0:0(0) win 65535 <mss 1460>
       0.001  = ESTABLISHED
       0.001  = connected
       0.001  > . 1:1(0) ack 1 win 65535
       0.001  > . 1:1001(1000) ack 1 win 65535
       0.001  > . 1001:2001(1000) ack 1 win 65535
       0.001  > . 2001:3001(1000) ack 1 win 65535
       0.001  > . 3001:4001(1000) ack 1 win 65535
       0.001  > P. 4001:5001(1000) ack 1 win 65535
       0.001  > . 5001:6001(1000) ack 1 win 65535
       0.001  > . 6001:7001(1000) ack 1 win 65535
       0.001  > . 7001:8001(1000) ack 1 win 65535
       0.001  > . 8001:9001(1000) ack 1 win 65535
       0.001  > P. 9001:10001(1000) ack 1 win 65535
       0.002  > . 10001:11001(1000) ack 1 win 65535
       0.002  > P. 11001:12001(1000) ack 1 win 65535"
  `)
})
