import { describe, expect, test } from 'vitest'
import { packetdrill } from '../../../matchers/vitest.ts'

/** A connection whose buffer of 2000 bytes is full at 0.1 s. */
const FULL = `
  0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0   setsockopt(3, SOL_SOCKET, SO_RCVBUF, [2000], 4) = 0
  +0   bind(3, ..., ...) = 0
  +0   listen(3, 1) = 0
  +0   < S 0:0(0) win 65535 <mss 1000>
  +0   > S. 0:0(0) ack 1 win 2000 <mss 1460>
  +.1  < . 1:1(0) ack 1 win 65535
  +0   accept(3, ..., ...) = 4
  +0   < . 1:1001(1000) ack 1 win 65535
  +0   < . 1001:2001(1000) ack 1 win 65535
  +0   > . 1:1(0) ack 2001 win 0`

describe('a receive window that never reopens', () => {
  test('reading it empty tells the peer at once', () => {
    expect(packetdrill`${FULL}
      +9   read(4, ..., 2000) = 2000
      +0   > . 1:1(0) ack 2001 win 2000`).toPass()
  })

  test('where that news was lost, a probe is answered with the open window', () => {
    expect(packetdrill`${FULL}
      +9   read(4, ..., 2000) = 2000
      +0   > . 1:1(0) ack 2001 win 2000
      +1   < . 2000:2000(0) ack 1 win 65535
      +0   > . 1:1(0) ack 2001 win 2000`).toPass()
  })

  test('reading byte by byte opens it when it is worth a segment', () => {
    expect(packetdrill`${FULL}
      +1   read(4, ..., 999) = 999
      +1   read(4, ..., 1) = 1
      +0   > . 1:1(0) ack 2001 win 1000`).toPass()
  })
})
