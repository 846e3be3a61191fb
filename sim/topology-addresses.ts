import { type IpAddress, formatIp, isIpv4 } from '../protocols/address.ts'
import {
  type InterfaceAddress,
  formatSubnet,
  isSameSubnet,
  sameFamily,
  subnetOf,
} from './subnet.ts'
import type { Domain, LinkEnd } from './topology-domains.ts'
import type { Domains } from './topology-vlans.ts'
import { UserError } from './user-error.ts'

/** What the check needs to know of a node. */
export interface AddressedNode {
  readonly name: string
  readonly bridging: boolean
  /** Whether it finds out by itself whether its addresses are taken: IPv4, not `null`; IPv6. */
  readonly claim: object | null
  readonly ipv6: { readonly detectDuplicates: boolean }
  readonly ports: readonly {
    readonly addresses: readonly InterfaceAddress[]
    readonly link: number
    readonly end: 'a' | 'b'
  }[]
}

/**
 * Whoever is in one broadcast domain shares a network; nobody else has it, and nobody's address is
 * taken.
 *
 * @throws UserError for the first address that cannot be right.
 */
export function checkAddresses(
  nodes: readonly AddressedNode[],
  links: readonly { readonly a: LinkEnd; readonly b: LinkEnd }[],
  domains: Domains,
): void {
  const owners = new Map<IpAddress, AddressedNode>()
  const subnets = new Map<string, { readonly domain: Domain; readonly name: string }>()
  const linkName = ({ a, b }: { readonly a: LinkEnd; readonly b: LinkEnd }) =>
    `link ${nodes[a.node]!.name}-${nodes[b.node]!.name}`
  const complete = new Map<number, Domain[]>()
  for (const domain of domains.all) {
    const last = lastLink(nodes, domain)
    complete.set(last, [...(complete.get(last) ?? []), domain])
  }
  links.forEach((link, index) => {
    const name = linkName(link)
    for (const { node, port, addresses } of interfacesOf(nodes, link, index)) {
      const owner = nodes[node]!
      const domain = domains.of({ node, port })
      const where = `${name}: ${owner.name}`
      if (owner.bridging && addresses.length > 0) {
        throw new UserError(`${owner.name} is a switch or a hub: its ports have no addresses`, {
          where,
          word: formatIp(addresses[0]!.address),
          hint: `write ${owner.name}: null`,
        })
      }
      for (const own of addresses) {
        takeAddress(owners, own, owner, where)
        takeSubnet(subnets, own, { domain, name }, where)
      }
    }
    // Once all links of the domain have been seen, so that the places are those of the links.
    for (const domain of complete.get(index) ?? []) {
      checkSharedSubnet(nodes, domain, (member) => {
        const { link: of } = nodes[member.node]!.ports[member.port]!
        return `${linkName(links[of]!)}: ${nodes[member.node]!.name}`
      })
    }
  })
}

const lastLink = (nodes: readonly AddressedNode[], { members }: Domain): number =>
  Math.max(...members.map(({ node, port }) => nodes[node]!.ports[port]!.link))

/** Those at either end of a link. */
const interfacesOf = (
  nodes: readonly AddressedNode[],
  { a, b }: { readonly a: LinkEnd; readonly b: LinkEnd },
  link: number,
) =>
  [
    { node: a.node, side: 'a' },
    { node: b.node, side: 'b' },
  ].flatMap(({ node, side }) =>
    nodes[node]!.ports.flatMap((each, port) =>
      each.link === link && each.end === side ? [{ node, port, addresses: each.addresses }] : [],
    ),
  )

function takeAddress(
  owners: Map<IpAddress, AddressedNode>,
  { address }: InterfaceAddress,
  owner: AddressedNode,
  where: string,
): void {
  const taken = owners.get(address)
  // A conflict that one of the two looks for is what the scenario is about.
  const looksFor = ({ claim, ipv6 }: AddressedNode) =>
    isIpv4(address) ? claim !== null : ipv6.detectDuplicates
  const settled = taken !== undefined && taken !== owner && (looksFor(taken) || looksFor(owner))
  if (taken !== undefined && !settled) {
    const text = formatIp(address)
    throw new UserError(`${text} is already an address of ${taken.name}`, { where, word: text })
  }
  owners.set(address, owner)
}

function takeSubnet(
  subnets: Map<string, { readonly domain: Domain; readonly name: string }>,
  own: InterfaceAddress,
  place: { readonly domain: Domain; readonly name: string },
  where: string,
): void {
  const subnet = formatSubnet(subnetOf(own))
  const before = subnets.get(subnet)
  if (before !== undefined && before.domain !== place.domain) {
    throw new UserError(`${subnet} is already the network of ${before.name}`, {
      where,
      word: formatIp(own.address),
      hint: 'give each link a network of its own, or join them with a switch',
    })
  }
  if (before === undefined) subnets.set(subnet, place)
}

/** Nobody is alone in a network: each member with addresses shares one with another, by family. */
function checkSharedSubnet(
  nodes: readonly AddressedNode[],
  { members }: Domain,
  whereOf: (member: LinkEnd) => string,
): void {
  const addressesOf = ({ node, port }: LinkEnd) => nodes[node]!.ports[port]!.addresses
  // The first one counts as right for as long as others can be wrong.
  for (const member of [...members.slice(1), ...members.slice(0, 1)]) {
    checkOneInterface(nodes, members, member, whereOf)
    for (const here of addressesOf(member)) {
      const ofFamily = (end: LinkEnd) =>
        addressesOf(end).filter(({ address }) => sameFamily(address, here.address))
      const mine = ofFamily(member)
      const others = members.filter((end) => end !== member && ofFamily(end).length > 0)
      const shared = (end: LinkEnd) =>
        ofFamily(end).some((x) => mine.some((y) => isSameSubnet(subnetOf(x), subnetOf(y))))
      const first = others[0]
      if (first === undefined || others.some(shared)) continue
      const written = `${formatIp(here.address)}/${here.prefixLength}`
      const theirs = formatSubnet(subnetOf(ofFamily(first)[0]!))
      const message = `${written} is outside ${theirs}, the network of ${nodes[first.node]!.name}`
      throw new UserError(message, {
        where: whereOf(member),
        word: written,
        hint:
          members.length === 2
            ? 'the two ends of a link need addresses of one network'
            : 'whoever is behind one switch needs addresses of one network',
      })
    }
  }
}

/** Two interfaces of one node in one network: which one would a packet leave by? */
function checkOneInterface(
  nodes: readonly AddressedNode[],
  members: readonly LinkEnd[],
  member: LinkEnd,
  whereOf: (member: LinkEnd) => string,
): void {
  const subnetsOf = ({ node, port }: LinkEnd) => nodes[node]!.ports[port]!.addresses.map(subnetOf)
  const twins = members.filter((end) => end.node === member.node && end.port < member.port)
  for (const subnet of subnetsOf(member)) {
    if (!twins.some((end) => subnetsOf(end).some((other) => isSameSubnet(other, subnet)))) continue
    const name = nodes[member.node]!.name
    throw new UserError(`${name} has two interfaces in ${formatSubnet(subnet)}`, {
      where: whereOf(member),
      hint: 'give one of them another network, or no address',
    })
  }
}
