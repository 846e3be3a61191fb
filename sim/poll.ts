import type { Nanos } from '../protocols/time.ts'
import type { Node } from './node.ts'
import type { Readiness } from './readiness.ts'
import { type Settle, type Socket, SocketError } from './socket.ts'
import type { World } from './world.ts'

/** `hangUp` and `error` are told whether asked for or not. */
export type PollEvent = 'readable' | 'writable' | 'priority' | 'readHangUp'

export interface Watched {
  readonly socket: Socket
  readonly events: readonly PollEvent[]
}

/** Of one socket, what was asked for. */
function found({ socket, events }: Watched): Readiness {
  const { readable, writable, priority, readHangUp, hangUp, error } = socket.readiness
  return {
    readable: readable && events.includes('readable'),
    writable: writable && events.includes('writable'),
    priority: priority && events.includes('priority'),
    readHangUp: readHangUp && events.includes('readHangUp'),
    hangUp,
    error,
  }
}

const isAny = (all: readonly Readiness[]): boolean =>
  all.some((each) => Object.values(each).some((ready) => ready === true))

/**
 * Resolves when one of the sockets is ready, at the very time, or when the time is up: then nothing is.
 * `timeout`: a span, or `Infinity`.
 */
export function poll(
  world: World,
  node: Node,
  settle: Settle,
  watched: readonly Watched[],
  timeout: Nanos,
): Promise<readonly Readiness[]> {
  for (const { socket } of watched) {
    if (socket.isClosed) return Promise.reject(new SocketError('EBADF', 'the socket is closed'))
  }
  const now = watched.map(found)
  if (isAny(now) || timeout === 0) return Promise.resolve(now)
  const { boots } = node
  return new Promise((resolve) => {
    let stopTimer = (): void => {}
    const end = (all: readonly Readiness[]): void => {
      stopTimer()
      settle()
      resolve(all)
    }
    const stop = node.watch(() => {
      const all = watched.map(found)
      if (!isAny(all)) return
      stop()
      end(all)
    })
    if (timeout === Infinity) return
    stopTimer = world.at(node.toWorld(node.now + timeout), () => {
      if (!node.up || node.boots !== boots) return
      node.whenRunning(() => {
        stop()
        end(watched.map(found))
      })
    })
  })
}
