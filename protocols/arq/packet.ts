/** A unit under way. What it carries is the business of whoever sends it. */
export interface ArqData {
  readonly kind: 'data'
  /** From 0; wire formats have their own numbers. */
  readonly unit: number
  /** How often it went to this peer before. */
  readonly again: number
}

/** What a receiver has. */
export interface ArqAck {
  readonly kind: 'ack'
  /** Every unit below this one. 0: none. */
  readonly below: number
  /** These as well, rising. */
  readonly units: readonly number[]
}

export type ArqPacket = ArqData | ArqAck
