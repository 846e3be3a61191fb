/**
 * One turn of the platform's event loop: every promise that could settle has settled after it, and
 * every program waits for the network again. This is the one thing the core needs a platform for;
 * `MessageChannel` is the same in browsers and in Node. It carries no time and no data.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
    const { port1, port2 } = (channel ??= open())
    port1.ref?.()
    port2.postMessage(null)
  })
}

interface Port {
  postMessage(message: null): void
  onmessage: (() => void) | null
  /** Node only: whether the port keeps the process alive. */
  ref?(): void
  unref?(): void
}
interface Channel {
  readonly port1: Port
  readonly port2: Port
}

let channel: Channel | null = null
const waiting: (() => void)[] = []

function open(): Channel {
  const opened = new MessageChannel() as unknown as Channel
  opened.port1.onmessage = () => {
    if (waiting.length === 1) opened.port1.unref?.()
    waiting.shift()?.()
  }
  opened.port2.unref?.()
  opened.port1.unref?.()
  return opened
}
