export const EXIT_OK = 0
/** The run came to its end, and something expected of it does not hold. */
export const EXIT_EXPECTATION = 1
/** Wrong usage, or input that cannot be used. */
export const EXIT_USER = 2
/** A defect of ours, or two runs that should be equal and are not. */
export const EXIT_INTERNAL = 3
/** The machine does not allow it. */
export const EXIT_ENVIRONMENT = 4
export const EXIT_INTERRUPTED = 130
