import type { Nanos } from '../../protocols/time.ts'
import type { Host } from '../../sim/programs.ts'

/** What the trace shows of one node's TCP. */
export class Watch {
  /** `'rto 1000'`: each retransmission with its time in milliseconds since the watch began. */
  readonly retransmits: string[] = []
  /** States that were entered, in order. */
  readonly states: string[] = []
  /** The sequence number of the last SYN that was sent. */
  syn = 0
  #timeWaitFrom: Nanos = 0
  /** How long TIME-WAIT lasted. */
  timeWait: Nanos = 0

  constructor(host: Host, node: string) {
    const start = host.now
    void host.when((record) => {
      if (record.node !== node) return false
      if (record.kind === 'sent') {
        const packet = record.frame.payload
        if (packet.kind !== 'ipv4' || packet.payload.kind !== 'tcp') return false
        if ((packet.payload.flags & 0x12) === 0x02) this.syn = packet.payload.seq >>> 0
      } else if (record.kind === 'event') {
        const { said } = record
        if (said.kind === 'retransmit') {
          this.retransmits.push(`${said.cause}@${Math.round((record.at - start) / 1e6)}`)
        } else if (said.kind === 'tcp-state') {
          this.states.push(said.to)
          if (said.to === 'TIME-WAIT') this.#timeWaitFrom = record.at
          if (said.from === 'TIME-WAIT') this.timeWait = record.at - this.#timeWaitFrom
        }
      }
      return false
    })
  }
}
