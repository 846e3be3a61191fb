import type { SocketId } from '../protocols/host/socket.ts'
import type { Seq } from '../protocols/sequence.ts'
import { FlowEnd } from './flows.ts'
import type { FrameSent, HostSaid, NodeEvent } from './record.ts'

/**
 * Which end of which flow a socket is. Before its handshake is over nobody says so: until then its
 * figures wait in an end of their own.
 */
export class SocketTable {
  readonly #nodes = new Map<string, Map<SocketId, FlowEnd>>()
  /** A retransmission whose segment shows, in the same queue event, which flow it is. */
  #unknown: { node: string; event: number; socket: SocketId; seq: Seq } | null = null

  said(record: HostSaid, said: NodeEvent): void {
    switch (said.kind) {
      case 'retransmit': {
        const end = this.#endOf(record.node, said.socket)
        end.again[said.cause] += 1
        if (end.port === WAITING) {
          const { node, event } = record
          this.#unknown = { node, event, socket: said.socket, seq: said.seq }
        }
        return
      }
      case 'spurious':
        this.#endOf(record.node, said.socket).spurious += 1
        return
      case 'rtt':
        this.#endOf(record.node, said.socket).rtt.add(said.rtt)
        return
      case 'received': {
        if (said.bytes === 0) return
        const end = this.#endOf(record.node, said.socket)
        end.receivedBytes += said.bytes
        end.lastReceivedAt = record.at
        return
      }
      case 'closed':
        this.#nodes.get(record.node)?.delete(said.socket)
        return
      default:
        return
    }
  }

  sent(record: FrameSent, seq: Seq, end: FlowEnd): void {
    const unknown = this.#unknown
    if (unknown === null) return
    const same = unknown.event === record.event && unknown.node === record.node
    if (same && unknown.seq === seq) this.attach(record.node, unknown.socket, end)
    if (!same || unknown.seq === seq) this.#unknown = null
  }

  attach(node: string, socket: SocketId, end: FlowEnd): void {
    const sockets = this.#socketsOf(node)
    const waited = sockets.get(socket)
    sockets.set(socket, end)
    if (waited === undefined || waited === end || waited.port !== WAITING) return
    end.again.rto += waited.again.rto
    end.again.fast += waited.again.fast
    end.again.probe += waited.again.probe
    end.again.mtu += waited.again.mtu
    end.spurious += waited.spurious
    end.receivedBytes += waited.receivedBytes
    end.lastReceivedAt = Math.max(end.lastReceivedAt, waited.lastReceivedAt)
    end.rtt.merge(waited.rtt)
  }

  #endOf(node: string, socket: SocketId): FlowEnd {
    const sockets = this.#socketsOf(node)
    let end = sockets.get(socket)
    if (end === undefined) {
      end = new FlowEnd(0, WAITING)
      sockets.set(socket, end)
    }
    return end
  }

  #socketsOf(node: string): Map<SocketId, FlowEnd> {
    let sockets = this.#nodes.get(node)
    if (sockets === undefined) {
      sockets = new Map()
      this.#nodes.set(node, sockets)
    }
    return sockets
  }
}

/** The port of an end that belongs to no flow yet. */
const WAITING = -1
