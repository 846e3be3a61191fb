/** What a connection has sent and received, retransmissions included. TCP_INFO tells of it. */
export interface Counts {
  segmentsOut: number
  segmentsIn: number
  /** Those with text. */
  dataOut: number
  dataIn: number
  /** Of the stream: sent and sent again, acknowledged, received in order. */
  bytesSent: number
  bytesAgain: number
  bytesAcked: number
  bytesReceived: number
}

export const createCounts = (): Counts => ({
  segmentsOut: 0,
  segmentsIn: 0,
  dataOut: 0,
  dataIn: 0,
  bytesSent: 0,
  bytesAgain: 0,
  bytesAcked: 0,
  bytesReceived: 0,
})
