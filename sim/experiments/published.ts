/*
 * What others have measured with the same course projects, in seconds. Sources: the spreadsheet and
 * the reports in the repositories named; each value is a mean of five runs.
 */

export interface Published {
  /** github.com/… */
  readonly source: string
  readonly bytes: number
  readonly timeoutMs: number
  /** Fitted: the reports do not say it for the runs themselves. */
  readonly roundTripMs: number
  /** Tasks 1, 2 and 3. */
  readonly tasks: readonly [readonly number[], readonly number[], readonly number[]]
}

/** P2MP-FTP. Size and round trip: least squares of the closed form over all 25 values. */
export const CVELLAI: Published = {
  source: 'cvellai/P2MP-File-Transfer-Protocol',
  bytes: 1_012_407,
  timeoutMs: 500,
  roundTripMs: 3.6,
  tasks: [
    [63.4102, 110.1826, 159.4488, 205.1918, 251.1704],
    [812.19, 391.7114, 270.4692, 197.4962, 157.4456, 137.1796, 108.2976, 95.438, 89.319, 82.7884],
    [
      36.7692, 69.2254, 98.2098, 129.3972, 157.7378, 195.7132, 223.2138, 249.2578, 288.286,
      312.3264,
    ],
  ],
}

/** Simple-FTP, Go-back-N. The round trip follows from the value at N = 1. */
export const SWEEKAR52: Published = {
  source: 'sweekar52/Simple-FTP',
  bytes: 1_049_268,
  timeoutMs: 1000,
  roundTripMs: 8.8,
  tasks: [
    [129.02, 113.94, 111.57, 124.9, 115.04, 115.39, 112.51, 107.47, 109.69, 108.38, 116.28],
    [548.21, 276.82, 184.46, 142.18, 116.23, 96.49, 87.09, 71.87, 65.28, 63.45],
    [22.39, 44.13, 65.17, 101.83, 117.02, 142.11, 172.09, 195.6, 228.41, 261.82],
  ],
}

/** Simple-FTP, Go-back-N; its report gives a round trip of 22.2 ms. */
export const VCHAWLA3: Published = {
  source: 'vchawla3/FTP',
  bytes: 1_204_631,
  timeoutMs: 100,
  roundTripMs: 22.2,
  tasks: [
    [69.14, 44.11, 32.16, 26.59, 21.72, 19.4, 20.18, 19.38, 20.52, 21.77, 26.87],
    [98.97, 49.71, 33.83, 25.05, 22.4, 18.09, 15.09, 13.15, 11.27, 11.45],
    [5.17, 10.28, 14.02, 19.33, 24.56, 27.21, 29.38, 35.2, 40.68, 44.41],
  ],
}
