import type { Endpoint } from '../address.ts'
import type { ApplicationOut } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketId } from '../host/socket.ts'
import type { Nanos } from '../time.ts'
import type { FolderEntry } from './pages.ts'
import type { Request } from './request.ts'

/** What stands under a path. */
export type Found =
  | ({ readonly kind: 'file' } & FileFacts)
  | {
      readonly kind: 'folder'
      readonly entries: readonly FolderEntry[]
      /** Of its index.html, which is then sent in its place. */
      readonly index: FileFacts | null
    }

export interface FileFacts {
  readonly size: number
  /** Seconds since 1970. */
  readonly modified: number
}

export type HttpReport =
  /** What is there? Answer with `found`. */
  | { readonly kind: 'look'; readonly id: number; readonly path: readonly string[] }
  /** Bytes of a file, please. Answer with `data`. */
  | {
      readonly kind: 'read'
      readonly id: number
      readonly path: readonly string[]
      readonly from: number
      readonly length: number
    }
  /** A request was answered. */
  | {
      readonly kind: 'answered'
      readonly remote: Endpoint
      readonly method: string
      readonly target: string
      readonly status: number
    }
  | { readonly kind: 'refused'; readonly error: Errno }

export type HttpCommand =
  /** `null`: nothing is there. */
  | { readonly kind: 'found'; readonly id: number; readonly entry: Found | null }
  /** `null`: it cannot be read any more. */
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Bytes | null }

/** What is being sent from a file. */
export interface Sending {
  readonly path: readonly string[]
  at: number
  readonly to: number
  /** A `read` was reported and not answered. */
  asked: boolean
}

export interface HttpConnection {
  readonly socket: SocketId
  readonly remote: Endpoint
  /** Received, not yet understood. */
  inbox: Bytes
  readable: boolean
  ended: boolean
  /** Bytes of a body that nobody wants. */
  skip: number
  /** Of the request that is being answered; -1: none is. */
  id: number
  request: Request | null
  sending: Sending | null
  /** What is to be sent, not yet taken by the socket. */
  pending: Bytes[]
  waiting: boolean
  /** Behind what is pending, nothing more is said. */
  last: boolean
  shut: boolean
  gone: boolean
  deadline: Nanos
}

export interface HttpState {
  readonly port: number
  /** Seconds since 1970 at time 0; for the Date field. */
  readonly startSeconds: number
  listener: SocketId
  nextId: number
  connections: HttpConnection[]
}

export type HttpOut = ApplicationOut<HttpReport>

export const answered = (
  { remote }: HttpConnection,
  method: string,
  target: string,
  status: number,
): HttpReport => ({
  kind: 'answered',
  remote: { address: remote.address, port: remote.port },
  method,
  target,
  status,
})
