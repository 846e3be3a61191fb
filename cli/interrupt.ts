import { EXIT_INTERRUPTED } from './exit-codes.ts'

/** Set by the first Ctrl-C; a run looks at it between two turns. */
export interface Interrupt {
  aborted: boolean
}

/** Watches for Ctrl-C while `act` runs. The second one does not wait for the run to notice. */
export async function interruptible<T>(
  leaving: () => void,
  act: (interrupt: Interrupt) => Promise<T>,
): Promise<T> {
  const interrupt: Interrupt = { aborted: false }
  const onSignal = () => {
    if (interrupt.aborted) {
      leaving()
      process.exit(EXIT_INTERRUPTED)
    }
    interrupt.aborted = true
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await act(interrupt)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
