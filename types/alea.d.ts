declare module 'seedrandom/lib/alea.js' {
  /** The whole state of a generator: plain data, 53 bits or less in each field. */
  export interface AleaState {
    readonly c: number
    readonly s0: number
    readonly s1: number
    readonly s2: number
  }
  export interface Alea {
    /** The next draw: at least 0, less than 1, a multiple of 2^-32. */
    (): number
    int32(): number
    double(): number
  }
  export interface StatefulAlea extends Alea {
    state(): AleaState
  }
  export default function alea(seed: string): Alea
  export default function alea(seed: string, options: { state: true | AleaState }): StatefulAlea
}
