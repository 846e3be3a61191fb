import { formatIp, isIpv4, maskOf } from '../protocols/address.ts'
import { formatSubnet, parsePrefixed, subnetOf } from './subnet.ts'
import { UserError, isRefusal, refused } from './user-error.ts'

/** A network of a pool, with its addresses as links are written with: `10.0.0.1/30`. */
export interface PoolNetwork {
  /** `10.0.0.0/30`. */
  readonly prefix: string
  /** The address number `index`, from 1. */
  address(index: number): string
}

/**
 * Gives out IPv4 networks, one behind the other: 4 addresses for two ends of a cable (/30), 256 for
 * up to 254 members (/24), the next power of two for more. The same calls give the same networks.
 */
export class AddressPool {
  readonly #text: string
  /** Unsigned; the end is the first address behind the pool. */
  #next: number
  readonly #end: number

  /** @throws UserError where `prefix` is no IPv4 network such as `10.0.0.0/8`. */
  constructor(prefix = '10.0.0.0/8') {
    const parsed = parsePrefixed(prefix)
    if (isRefusal(parsed)) throw refused(parsed, 'pool', prefix)
    const { address, prefixLength } = parsed
    if (!isIpv4(address) || subnetOf(parsed).network !== address) {
      throw new UserError(`'${prefix}' is not an IPv4 network`, {
        where: 'pool',
        word: prefix,
        hint: isIpv4(address) ? `did you mean '${formatSubnet(subnetOf(parsed))}'?` : undefined,
      })
    }
    this.#text = prefix
    this.#next = address >>> 0
    this.#end = this.#next + 2 ** (32 - prefixLength)
  }

  /**
   * The next free network with room for so many members.
   *
   * @throws UserError where the pool has no room left.
   */
  network(members: number): PoolNetwork {
    const prefixLength = prefixFor(members)
    const size = 2 ** (32 - prefixLength)
    const start = Math.ceil(this.#next / size) * size
    if (start + size > this.#end) {
      throw new UserError(`${this.#text} has no room for another network of ${members}`, {
        where: 'pool',
        word: this.#text,
        hint: "give a larger one, such as '10.0.0.0/8'",
      })
    }
    this.#next = start + size
    return {
      prefix: `${formatIp(start | 0)}/${prefixLength}`,
      address: (index) => {
        const host = ~maskOf(prefixLength) & index
        return `${formatIp(start | 0 | host)}/${prefixLength}`
      },
    }
  }
}

/** RFC 1122 §3.2.1.3: the lowest and the highest address of a network are nobody's. */
function prefixFor(members: number): number {
  if (members <= 2) return 30
  let prefixLength = 24
  while (2 ** (32 - prefixLength) - 2 < members) prefixLength -= 1
  return prefixLength
}
