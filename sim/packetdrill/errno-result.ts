/** What a system call returned. */
export interface Outcome {
  readonly value: number
  /** Where the value is -1. */
  readonly errno: string | null
  /** What it wrote is not what the script expects: both, as text. */
  readonly differs?: { readonly expected: string; readonly actual: string }
}

export const returned = (value: number): Outcome => ({ value, errno: null })
export const failedWith = (errno: string): Outcome => ({ value: -1, errno })

/** Two names of one error. */
const plain = (errno: string): string => (errno === 'EWOULDBLOCK' ? 'EAGAIN' : errno)

export const sameErrno = (a: string, b: string): boolean => plain(a) === plain(b)

export const outcomeText = ({ value, errno }: Outcome): string =>
  errno === null ? String(value) : `${value} ${errno}`
