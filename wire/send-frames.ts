import { NEVER, type Nanos } from '../protocols/time.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import { errorName } from './device.ts'
import { PacketSocket } from './packet-socket.ts'
import { RealClock } from './real-clock.ts'

/** One frame, and when it leaves. */
export interface TimedFrame {
  readonly at: Nanos
  readonly bytes: Uint8Array
}

/**
 * Puts frames onto an interface, each at its time behind the first; never early. Ends early where
 * `signal` says so. The kernel's own stack hears nothing of them, but for loopback's own.
 *
 * @returns how many were sent.
 * @throws EnvironmentError where the interface takes none.
 */
export async function sendFrames(
  name: string,
  frames: readonly TimedFrame[],
  signal: { readonly aborted: boolean },
): Promise<number> {
  const device = new PacketSocket(name)
  const clock = new RealClock()
  const first = frames[0]?.at ?? NEVER
  let sent = 0
  try {
    for (const { at, bytes } of frames) {
      await new Promise<void>((resolve) => clock.at(at - first, resolve))
      if (signal.aborted) break
      const taken = device.send(bytes, bytes.length)
      if (taken < 0) {
        const hint = 'ip link shows its state and its MTU'
        throw new EnvironmentError(`${name} takes no frame: ${errorName(taken)}`, hint)
      }
      sent += 1
    }
  } finally {
    await device.close()
  }
  return sent
}
