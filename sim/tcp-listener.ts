import { isPending } from '../protocols/tcp/fast-open.ts'
import type { SocketEvent } from '../protocols/host/socket.ts'
import type { Held } from './readiness.ts'
import { Socket, SocketError, type Waiting } from './socket.ts'
import { TcpSocket } from './tcp-socket.ts'

/** A listening TCP socket: connections come out in the order in which they were made. */
export class TcpListener extends Socket {
  #ready: TcpSocket[] = []
  #accepting: Waiting<TcpSocket>[] = []

  protected override hear(event: SocketEvent): void {
    if (event.kind === 'rejected') this.rejected = event.error
    if (event.kind !== 'accepted') return
    const { socket, local, remote } = event
    const connection = new TcpSocket(this.node, this.settle, socket, local, remote, 'connected')
    const accepting = this.#accepting.shift()
    if (accepting === undefined) {
      this.#ready.push(connection)
      return
    }
    this.#taken(connection)
    accepting.resolve(connection)
  }

  listen(port: number, backlog: number): void {
    this.call({ kind: 'bind', socket: this.id, address: null, port })
    this.call({ kind: 'listen', socket: this.id, backlog, queues: true })
  }

  /** Connections that nobody accepted are reset, and nobody waits for one any more. */
  override close(): void {
    super.close()
    const ready = this.#ready
    this.#ready = []
    for (const connection of ready) connection.abort()
    const accepting = this.#accepting
    this.#accepting = []
    for (const each of accepting) each.reject(new SocketError('ECONNABORTED', 'listener closed'))
  }

  /** One less waits: there is room for another. */
  #taken(connection: TcpSocket): void {
    if (this.closed) return
    const { id } = connection
    const s = this.node.state.sockets[id]
    // One that has gone is not to be taken for who has its number now.
    const isEarly = s?.kind === 'connection' && isPending(s) && s.listener === this.id
    const early = isEarly ? { connection: id } : null
    this.call({ kind: 'accept', socket: this.id, ...early })
  }

  protected override held(): Held {
    return { error: false, waiting: this.#ready.length }
  }

  /** The next connection. @throws SocketError EAGAIN where none waits. */
  tryAccept(): TcpSocket {
    if (this.closed) throw new SocketError('EBADF', 'listener closed')
    const ready = this.#ready.shift()
    if (ready === undefined) throw new SocketError('EAGAIN', 'no connection waits')
    this.#taken(ready)
    return ready
  }

  /** The next connection. As many as the backlog wait for this; more are not let in. */
  accept(): Promise<TcpSocket> {
    const ready = this.#ready.shift()
    if (ready !== undefined) {
      this.#taken(ready)
      return Promise.resolve(ready)
    }
    if (this.closed) return Promise.reject(new SocketError('EBADF', 'listener closed'))
    return this.waitFor<TcpSocket>((waiting) => this.#accepting.push(waiting))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TcpSocket, void> {
    for (;;) yield await this.accept()
  }
}
