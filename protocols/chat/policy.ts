import { type Nanos, s } from '../time.ts'

/** What a chat server may choose. Data: no engine asks for a profile's name. */
export interface ChatPolicy {
  readonly port: number
  readonly clientsMax: number
  /** Bytes of a line without its end. */
  readonly lineMax: number
  /** Lines that may come at once, and then so many a second; others wait. */
  readonly burst: number
  readonly linesPerSecond: number
  /** A peer that has so many bytes to read makes those wait who write to it. */
  readonly highWater: number
  /** One that reads nothing of them for so long, or lets twice as many pile up, is let go. */
  readonly patience: Nanos
  /** JOIN, SAY, LEAVE, ROOMS, HISTORY; a key behind the name; names of one word. */
  readonly extended: boolean
  /** Lines that are remembered of a conversation, and for whoever was cut off. */
  readonly historyMax: number
  /** How long a name with a key is kept for its owner to come back. */
  readonly grace: Nanos
}

/** Sound limits, and everything there is. */
export const CHAT_DEFAULT: ChatPolicy = {
  port: 5000,
  clientsMax: 1000,
  lineMax: 4096,
  burst: 20,
  linesPerSecond: 10,
  highWater: 64 * 1024,
  patience: s(30),
  extended: true,
  historyMax: 100,
  grace: s(30),
}

/** As students' servers are: six commands, no limits that anybody meets. */
export const CHAT_SEED: ChatPolicy = {
  port: 5000,
  clientsMax: 10_000,
  lineMax: 1 << 20,
  burst: 1_000_000,
  linesPerSecond: 1_000_000,
  highWater: 1 << 24,
  patience: s(3600),
  extended: false,
  historyMax: 0,
  grace: 0,
}
