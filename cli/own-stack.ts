import { formatIp, isIpv4, parseIpText } from '../protocols/address.ts'
import { defineScenario, type Program, type Scenario } from '../sim/scenario.ts'
import {
  type InterfaceAddress,
  isInside,
  parseInterfaceAddress,
  sameFamily,
  subnetOf,
} from '../sim/subnet.ts'
import { isRefusal, refused, UserError } from '../sim/user-error.ts'
import { type Binding, readBinding } from '../wire/bind-device.ts'

/** Where a stack of our own stands: behind which device, with which addresses. */
export interface StackPlace {
  /** `tap:tap0`. */
  readonly bind: string
  /** `10.0.0.2/24`, one of each family. */
  readonly address: readonly string[]
  readonly gateway?: string
  /** Whose choices its TCP makes. */
  readonly tcp?: string
  /** IPv6 addresses come from router advertisements. */
  readonly slaac?: boolean
  /** It gets an IPv4 address once it runs. */
  readonly dhcp?: boolean
  /** What a device that is made for it gets, where it has no address itself. */
  readonly wireAddress?: string
}

/** The stack's node, and the place on the other side of its cable, where the device is. */
export const STACK = 'stack'
const WIRE = 'wire'

/**
 * A scenario of one host and a cable whose other end is the device.
 *
 * @throws UserError for addresses that do not fit.
 */
export function stackScenario(
  place: StackPlace,
  program: Program,
): { readonly scenario: Scenario; readonly binding: Binding } {
  const addresses = place.address.map((text) => {
    const parsed = parseInterfaceAddress(text)
    if (isRefusal(parsed)) throw refused(parsed, '--address', text)
    return parsed
  })
  const finds = place.slaac === true || place.dhcp === true
  if (addresses.length === 0 && !finds) {
    throw new UserError('the stack has no address', {
      where: '--address',
      hint: "write '--address 10.0.0.2/24', --dhcp or --slaac",
    })
  }
  const gateway = gatewayOf(place.gateway, addresses)
  const others = addresses.map((own) => neighbourOf(own, gateway))
  if (place.wireAddress !== undefined) {
    const parsed = parseInterfaceAddress(place.wireAddress)
    if (isRefusal(parsed)) throw refused(parsed, '--wire-address', place.wireAddress)
    others.splice(0, others.length, parsed)
  }
  const written = ({ address, prefixLength }: InterfaceAddress) =>
    `${formatIp(address)}/${prefixLength}`
  const scenario = defineScenario({
    name: 'stack',
    about: 'A host of our own on a device.',
    topology: {
      [STACK]: {
        kind: 'host',
        tcp: { profile: place.tcp ?? 'rfc' },
        ...(gateway === null ? {} : { gateway }),
        ...(place.slaac === true ? { ipv6: 'auto' } : {}),
      },
      [WIRE]: 'host',
    },
    links: [
      {
        ends: {
          [STACK]: addresses.length === 0 ? null : addresses.map(written),
          [WIRE]: others.length === 0 ? null : others.map(written),
        },
      },
    ],
    programs: { [STACK]: program },
  })
  return { scenario, binding: readBinding(`${WIRE}=${place.bind}`) }
}

function gatewayOf(
  text: string | undefined,
  addresses: readonly InterfaceAddress[],
): string | null {
  if (text === undefined) return null
  const gateway = parseIpText(text)
  if (gateway === null) throw new UserError(`'${text}' is no address`, { where: '--gateway' })
  if (!addresses.some((own) => isInside(gateway, subnetOf(own)))) {
    throw new UserError(`${text} is in none of the stack's networks`, { where: '--gateway' })
  }
  return formatIp(gateway)
}

/** Who stands at the other end: the gateway, or the first other address of the network. */
function neighbourOf(own: InterfaceAddress, gateway: string | null): InterfaceAddress {
  const { address, prefixLength } = own
  const via = gateway === null ? null : parseIpText(gateway)!
  if (via !== null && sameFamily(via, address)) return { address: via, prefixLength }
  const { network } = subnetOf(own)
  const nth = (n: number) =>
    isIpv4(network) ? network + n : parseIpText(`${network.replace(/::$/, '')}::${n}`)!
  const first = nth(1)
  return { address: first === address ? nth(2) : first, prefixLength }
}
