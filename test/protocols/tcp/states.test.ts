import { expect, test } from 'vitest'
import { plain } from '../../timeline.ts'

// RFC 9293 figure 5, played: every state, and every arrow that leads from one to another.

const OPEN = '0 connect\n 0.1 < S. 0:0(0) ack 1 win 9000\n'
const SYN = '0 < S 0:0(0) win 9000\n'

interface Story {
  readonly script: string
  readonly passive?: boolean
  readonly path: string
}
const STORIES: { readonly [name: string]: Story } = {
  'active open and close': {
    script: `${OPEN} 1 close\n 2 < . 1:1(0) ack 2\n 3 < F. 1:1(0) ack 2`,
    path: 'CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED',
  },
  'passive open and close': {
    script: `${SYN} 1 < . 1:1(0) ack 1\n 2 < F. 1:1(0) ack 1\n 3 close\n 4 < . 2:2(0) ack 2`,
    passive: true,
    path: 'LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED',
  },
  'simultaneous open': {
    script: '0 connect\n 1 < S 0:0(0) win 9000\n 2 < . 1:1(0) ack 1',
    path: 'CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED',
  },
  'simultaneous close': {
    script: `${OPEN} 1 close\n 2 < F. 1:1(0) ack 1\n 3 < . 2:2(0) ack 2`,
    path: 'CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED',
  },
  'close while opening': {
    script: `${SYN} 1 close\n 2 < . 1:1(0) ack 1`,
    passive: true,
    path: 'LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSED', // nobody acknowledges the FIN
  },
  'FIN with the handshake': {
    script: `${SYN} 1 < F. 1:1(0) ack 1`,
    passive: true,
    path: 'LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT',
  },
  'close before an answer': { script: '0 connect\n 1 close', path: 'CLOSED SYN-SENT CLOSED' },
  refused: { script: '0 connect\n 1 < R. 0:0(0) ack 1', path: 'CLOSED SYN-SENT CLOSED' },
  'reset while opening': {
    script: `${SYN} 1 < R 1:1(0)`,
    passive: true,
    path: 'LISTEN SYN-RECEIVED CLOSED',
  },
}

const walk = ({ script, passive = false }: Story): string => {
  const lines = plain(script, { passive, until: '2000s' }).split('\n')
  const entered = lines.flatMap((line) => /= ([A-Z][A-Z0-9-]+)$/.exec(line)?.[1] ?? [])
  return [passive ? 'LISTEN' : 'CLOSED', ...entered].join(' ')
}

test.each(Object.keys(STORIES))('%s', (name) => {
  const story = STORIES[name]!
  expect(walk(story)).toBe(story.path)
})

test('all eleven states are reached', () => {
  const reached = new Set(Object.values(STORIES).flatMap((story) => walk(story).split(' ')))
  expect([...reached].sort()).toEqual([
    'CLOSE-WAIT',
    'CLOSED',
    'CLOSING',
    'ESTABLISHED',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'LAST-ACK',
    'LISTEN',
    'SYN-RECEIVED',
    'SYN-SENT',
    'TIME-WAIT',
  ])
})
