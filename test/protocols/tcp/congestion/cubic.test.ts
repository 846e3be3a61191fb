import { describe, expect, test } from 'vitest'
import { cubeRoot } from '../../../../protocols/tcp/congestion/cube-root.ts'
import { cubic, cubicK, cubicWindow } from '../../../../protocols/tcp/congestion/cubic.ts'
import type { TcpState } from '../../../../protocols/tcp/state.ts'
import { ms, s as seconds } from '../../../../protocols/time.ts'
import { connection, cwnd, established } from '../../../timeline.ts'

const MSS = 1000

describe('the cube root, from + - * / alone', () => {
  test.each([0, 1, 8, 27, 1000, 1e9, 0.001, 0.125, 2 ** 30, 2 ** -30])('of %f', (x) => {
    expect(Math.abs(cubeRoot(x) - Math.cbrt(x))).toBeLessThanOrEqual(4e-16 * Math.cbrt(x))
  })

  test('between two and four thousand places', () => {
    for (let x = 1e-6; x < 1e12; x *= 1.0173) {
      expect(Math.abs(cubeRoot(x) / Math.cbrt(x) - 1)).toBeLessThan(5e-16)
    }
  })
})

describe('the window as a function of time (RFC 9438 §4.2)', () => {
  // W_max 100, left at 70: K = cbrt(30 / 0.4) = 4.217 s.
  test('it starts where it was left, and is back at W_max after K', () => {
    const k = cubicK(100, 70)
    expect(k).toBeCloseTo(4.2172, 4)
    expect(cubicWindow(100, k, 0)).toBeCloseTo(70, 9)
    expect(cubicWindow(100, k, k)).toBe(100)
    expect(cubicWindow(100, k, 2 * k)).toBeCloseTo(130, 9)
  })
})

/** One flow over a path without a queue: one ACK for each segment, spread over the round trip. */
function grow(
  s: TcpState,
  from: number,
  until: number,
  rtt: number,
): { at: number; cwnd: number }[] {
  const seen: { at: number; cwnd: number }[] = []
  let now = from
  s.rto.srtt = rtt
  while (now < until) {
    const acks = Math.floor(s.cc.cwnd / MSS)
    for (let i = 0; i < acks && now < until; i++) {
      cubic.acked(s, Math.round(now), MSS)
      now += rtt / acks
    }
    seen.push({ at: now - from, cwnd: s.cc.cwnd / MSS })
  }
  return seen
}

/**
 * The same by the formulas alone, in segments and seconds, with the platform's cube root: an
 * independent computation, step by step.
 */
function reference(
  start: number,
  wMax: number,
  from: number,
  until: number,
  rtt: number,
): number[] {
  const seen: number[] = []
  const k = Math.cbrt(Math.max(wMax - start, 0) / 0.4)
  const w = (t: number) => 0.4 * (t - k) ** 3 + Math.max(wMax, start)
  let window = start
  let estimate = start
  let now = from
  while (now < until) {
    const acks = Math.floor(window)
    for (let i = 0; i < acks && now < until; i++) {
      const t = (Math.round(now) - from) / 1e9
      estimate += (estimate < wMax ? 0.9 / 1.7 : 1) / window
      if (w(t) < estimate) window = Math.max(window, estimate)
      else {
        const target = Math.min(Math.max(w(t + rtt / 1e9), window), 1.5 * window)
        window += (target - window) / window
      }
      now += rtt / acks
    }
    seen.push(window)
  }
  return seen
}

describe('growth, step by step against the formulas', () => {
  test.each([
    ['a long path: cubic', 200, 100],
    ['a short path: Reno-friendly', 40, 10],
  ])('%s', (_, window, rtt) => {
    const s = connection({ mss: MSS, cwnd: window * MSS, ssthresh: window * MSS })
    cubic.lost(s, seconds(1), window * MSS)
    s.cc.cwnd = s.cc.ssthresh
    expect(s.cc.ssthresh).toBe(0.7 * window * MSS)
    const ours = grow(s, seconds(1), seconds(9), ms(rtt)).map((each) => each.cwnd)
    const theirs = reference(0.7 * window, window, seconds(1), seconds(9), ms(rtt))
    expect(ours.length).toBe(theirs.length)
    // Ours counts whole bytes, and keeps what is left over.
    for (const [i, each] of ours.entries()) expect(Math.abs(each - theirs[i]!)).toBeLessThan(0.05)
    expect(ours.at(-1)).toBeGreaterThan(window)
  })

  test('a plateau at W_max, then convex: concave before K, slowest at K, faster after', () => {
    const s = connection({ mss: MSS, cwnd: 1000 * MSS, ssthresh: 1000 * MSS })
    cubic.lost(s, 0, 1000 * MSS)
    s.cc.cwnd = s.cc.ssthresh
    const seen = grow(s, 0, seconds(20), ms(100))
    const at = (t: number) => seen.find((each) => each.at >= t * 1e9)!.cwnd
    const k = Math.cbrt(300 / 0.4) // 9.09 s
    expect(at(k)).toBeGreaterThan(995)
    expect(at(k)).toBeLessThan(1005)
    expect(at(2) - at(1)).toBeGreaterThan(40)
    expect(at(k + 0.5) - at(k - 0.5)).toBeLessThan(2)
    expect(at(18) - at(17)).toBeGreaterThan(80)
  })

  test('time in which the window was not used does not count (§5.8)', () => {
    const used = connection({ mss: MSS, cwnd: 100 * MSS, ssthresh: 100 * MSS })
    const paused = connection({ mss: MSS, cwnd: 100 * MSS, ssthresh: 100 * MSS })
    for (const s of [used, paused]) {
      cubic.lost(s, 0, 100 * MSS)
      s.cc.cwnd = s.cc.ssthresh
      grow(s, 0, seconds(1), ms(100))
    }
    grow(used, seconds(1), seconds(2), ms(100))
    grow(paused, seconds(61), seconds(62), ms(100))
    expect(Math.abs(paused.cc.cwnd - used.cc.cwnd)).toBeLessThan(2 * MSS)
  })
})

describe('a congestion event', () => {
  test('70 % of what was in flight, two segments at least (§4.6)', () => {
    const s = connection({ mss: MSS, cwnd: 100 * MSS, ssthresh: 50 * MSS })
    cubic.lost(s, 0, 80 * MSS)
    expect(s.cc.ssthresh).toBe(56 * MSS)
    cubic.lost(s, 0, MSS)
    expect(s.cc.ssthresh).toBe(2 * MSS)
  })

  test('fast convergence: a window that has not come back makes room (§4.7)', () => {
    const s = connection({ mss: MSS, cwnd: 100 * MSS, ssthresh: 50 * MSS })
    cubic.lost(s, 0, 100 * MSS)
    expect(s.cc.own).toMatchObject({ wMax: 100, cwndPrior: 100 })
    s.cc.cwnd = 90 * MSS
    cubic.lost(s, 0, 90 * MSS)
    expect(s.cc.own).toMatchObject({ wMax: 76.5, cwndPrior: 90 })
  })

  test('after a timeout the curve starts anew where congestion avoidance does (§4.8)', () => {
    const s = connection({ mss: MSS, cwnd: 100 * MSS, ssthresh: 50 * MSS })
    cubic.timedOut(s, 0, 100 * MSS, true)
    expect([s.cc.ssthresh, s.cc.cwnd]).toEqual([70 * MSS, MSS])
    cubic.timedOut(s, 0, MSS, false)
    expect(s.cc.ssthresh).toBe(70 * MSS)
    s.cc.cwnd = s.cc.ssthresh
    cubic.acked(s, seconds(1), MSS)
    expect(s.cc.own).toMatchObject({ wMax: 70, k: 0, epochStart: seconds(1) })
  })

  test('what was none is taken back (§4.9)', () => {
    const s = connection({ mss: MSS, cwnd: 100 * MSS, ssthresh: 50 * MSS })
    cubic.lost(s, 0, 100 * MSS)
    s.cc.cwnd = s.cc.ssthresh
    cubic.acked(s, seconds(1), MSS)
    const before = { ...s.cc.own, prior: null }
    const [window, threshold] = [s.cc.cwnd, s.cc.ssthresh]
    cubic.timedOut(s, seconds(2), 70 * MSS, true)
    cubic.undone(s, seconds(3), window, threshold)
    expect([s.cc.cwnd, s.cc.ssthresh]).toEqual([window, threshold])
    expect(s.cc.own).toMatchObject({ ...before, fraction: 0 })
  })
})

test('in a connection: an exact window after every ACK', () => {
  const script = `
    0.2  set TCP_CONGESTION cubic
    1    send 60000
    2.1  < . 1:1(0) ack 10001    # after a timeout: ssthresh 7000, cwnd 1000 + 1000
    2.2  < . 1:1(0) ack 12001
    2.3  < . 1:1(0) ack 15001
    2.4  < . 1:1(0) ack 19001
    2.5  < . 1:1(0) ack 24001
    2.6  < . 1:1(0) ack 30001
    2.7  < . 1:1(0) ack 37001    # 7000: avoidance; K = 0, the curve begins
    2.8  < . 1:1(0) ack 44001`
  const lines = established(script, { until: '2.9s', watch: cwnd }).split('\n')
  expect(lines.filter((line) => line.includes('*'))).toEqual([
    '   2      * cwnd 1000 ssthresh 7000',
    '   2.1    * cwnd 2000 ssthresh 7000',
    '   2.2    * cwnd 3000 ssthresh 7000',
    '   2.3    * cwnd 4000 ssthresh 7000',
    '   2.4    * cwnd 5000 ssthresh 7000',
    '   2.5    * cwnd 6000 ssthresh 7000',
    '   2.6    * cwnd 7000 ssthresh 7000',
    // So short a path is Reno's: 7 + 0.5294 * 7 / 7, then 0.5294 * 7 / 7.5294 more.
    '   2.7    * cwnd 7529 ssthresh 7000',
    '   2.8    * cwnd 8021 ssthresh 7000',
  ])
})
