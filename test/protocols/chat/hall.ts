import { enableMapSet, produce } from 'immer'
import type { Application } from '../../../protocols/application.ts'
import { chatServer } from '../../../protocols/chat/server.ts'
import type { ChatPolicy } from '../../../protocols/chat/policy.ts'
import { type ChatReport, type ChatState, createChatServer } from '../../../protocols/chat/state.ts'
import type { SocketCall, SocketEvent } from '../../../protocols/host/socket.ts'
import { NEVER, type Nanos } from '../../../protocols/time.ts'

enableMapSet()

const LISTENER = 0

/** A chat server on sockets that the test holds, its states frozen between the steps. */
export class Hall {
  now: Nanos = 0
  wakes: Nanos = NEVER
  readonly reports: ChatReport[] = []
  /** Calls other than those that carry lines. */
  readonly calls: string[] = []
  state: ChatState
  readonly #inboxes = new Map<number, Uint8Array[]>()
  readonly #ended = new Set<number>()
  /** What came out for each socket and was not looked at yet. */
  readonly #heard = new Map<number, string>()
  /** Sockets whose peer takes nothing. */
  readonly stuck = new Set<number>()
  #next = 1

  constructor(policy: ChatPolicy) {
    this.state = createChatServer(policy)
    this.#step({ kind: 'start' })
  }

  connect(): number {
    const socket = this.#next++
    const end = { address: 0x7f000001, port: 40_000 + socket }
    this.#event({ kind: 'accepted', socket, listener: LISTENER, local: end, remote: end })
    return socket
  }

  /** Connects and logs in. */
  login(name: string): number {
    const socket = this.connect()
    this.send(socket, `HELLO ${name}\n`)
    this.heard(socket)
    return socket
  }

  /** Pieces as they come in: one event each. */
  send(socket: number, ...pieces: (string | Uint8Array)[]): void {
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece
      this.#inboxes.set(socket, [...(this.#inboxes.get(socket) ?? []), bytes])
      this.#event({ kind: 'readable', socket, available: bytes.length })
    }
  }

  end(socket: number): void {
    this.#ended.add(socket)
    this.#event({ kind: 'readable', socket, available: 0 })
  }

  break(socket: number): void {
    this.#event({ kind: 'failed', socket, error: 'ECONNRESET' })
    this.#event({ kind: 'closed', socket })
  }

  /** What its peer has heard since it was last asked, line by line. */
  heard(socket: number): string[] {
    const text = this.#heard.get(socket) ?? ''
    this.#heard.set(socket, '')
    return text === '' ? [] : text.replace(/\n$/, '').split('\n')
  }

  /** Sends lines and says what came back on the same connection. */
  ask(socket: number, ...lines: string[]): string[] {
    for (const line of lines) this.send(socket, `${line}\n`)
    return this.heard(socket)
  }

  /** Lets time pass, through every deadline. */
  until(time: Nanos): void {
    while (this.wakes <= time) {
      this.now = Math.max(this.now, this.wakes)
      this.wakes = NEVER
      this.#step({ kind: 'timer' })
    }
    this.now = time
  }

  take(socket: number): void {
    this.stuck.delete(socket)
    this.#event({ kind: 'writable', socket, space: 1 << 20 })
  }

  #event(event: SocketEvent): void {
    this.#step({ kind: 'socket', event })
  }

  #step(input: Parameters<Application<ChatState, never, ChatReport>['step']>[2]): void {
    const calls: SocketCall[] = []
    this.state = produce(this.state, (draft) => {
      chatServer.step(draft, this.now, input, {
        call: (call) => void calls.push(call),
        report: (report) => void this.reports.push(report),
        wake: (at) => (this.wakes = at),
      })
    })
    for (const call of calls) this.#carryOut(call)
  }

  #carryOut(call: SocketCall): void {
    switch (call.kind) {
      case 'open':
        return this.#event({ kind: 'opened', socket: LISTENER, protocol: 'tcp' })
      case 'send': {
        const { socket, bytes } = call
        const taken = this.stuck.has(socket) ? 0 : bytes.length
        const text = new TextDecoder().decode(bytes.subarray(0, taken) as Uint8Array)
        this.#heard.set(socket, (this.#heard.get(socket) ?? '') + text)
        return this.#event({ kind: 'queued', socket, bytes: taken })
      }
      case 'receive': {
        const { socket } = call
        const chunks = this.#inboxes.get(socket) ?? []
        this.#inboxes.set(socket, [])
        const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        return this.#event({
          kind: 'received',
          socket,
          chunks,
          bytes,
          ended: this.#ended.has(socket),
        })
      }
      default:
        if ('socket' in call && call.socket !== LISTENER)
          this.calls.push(`${call.kind} ${call.socket}`)
    }
  }
}
