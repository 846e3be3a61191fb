import type { Endpoint } from '../address.ts'

/** A value of its own: what goes out is no part of the state. */
export const endpointOf = ({ address, port }: Endpoint): Endpoint => ({ address, port })
