import { formatIp, type Ipv4Address, maskOf } from '../protocols/address.ts'
import type { Conversation } from '../protocols/encapsulation/conversations.ts'
import { createPlayer, playerEngine } from '../protocols/encapsulation/player.ts'
import {
  defineScenario,
  type LinkBetween,
  type NodeSpec,
  type Program,
  type Scenario,
} from './scenario.ts'

interface Station {
  readonly name: string
  readonly address: Ipv4Address
}

/** Nothing is lost here: a probe of the tail would only show a message twice. */
const QUIET = { tlp: false }

/** Of each cable. */
const DELAY = '100us'
/** Bits: how networks are told apart. */
const NETWORK = 24

/**
 * A scenario in which hosts with the addresses of the conversations hold them: on one cable, behind
 * a switch, or, where they are in different networks, behind a router. Notes say what failed.
 */
export function encapsulationScenario({
  name,
  about,
  conversations,
}: {
  readonly name: string
  readonly about: string
  readonly conversations: readonly Conversation[]
}): Scenario {
  const stations = stationsOf(conversations)
  const networks = networksOf(stations)
  const topology: { [node: string]: NodeSpec } = {}
  const links: LinkBetween[] = []
  const routed = networks.length > 1
  if (routed) topology['router'] = 'router'
  for (const [index, members] of networks.entries()) {
    const gateway = routed ? gatewayOf(members) : null
    for (const { name: host } of members) {
      topology[host] = {
        kind: 'host',
        tcp: QUIET,
        ...(gateway === null ? {} : { gateway: formatIp(gateway) }),
      }
    }
    const ends = members.map(({ name: host, address }) => [host, prefixed(address)] as const)
    if (gateway !== null) ends.push(['router', prefixed(gateway)])
    if (ends.length === 2) {
      links.push({ ends: Object.fromEntries(ends), delay: DELAY })
      continue
    }
    const hub = `switch${index + 1}`
    topology[hub] = 'switch'
    for (const [node, address] of ends) {
      links.push({ ends: { [node]: address, [hub]: null }, delay: DELAY })
    }
  }
  const programs: { [node: string]: Program } = {}
  for (const { name: host, address } of stations) {
    programs[host] = (on) => {
      on.run(playerEngine, createPlayer(address, conversations), ({ line, call, error }) => {
        on.note(`line ${line}`, call === null ? error : `${call}: ${error}`)
      })
    }
  }
  return defineScenario({
    name,
    about,
    topology,
    links,
    programs,
    expect: ({ notes }) => [
      {
        that: 'every conversation comes about',
        holds: Object.keys(notes).length === 0,
        actual: Object.entries(notes)
          .map(([where, what]) => `${where}: ${what}`)
          .join(', '),
      },
    ],
  })
}

/** Hosts are named h1, h2, … in the order in which they appear. */
function stationsOf(conversations: readonly Conversation[]): readonly Station[] {
  const addresses = new Set(
    conversations.flatMap(({ client, server }) => [client.address, server.address]),
  )
  return [...addresses].map((address, i) => ({ name: `h${i + 1}`, address }))
}

/** Stations of one network together. */
function networksOf(stations: readonly Station[]): readonly (readonly Station[])[] {
  const groups = new Map<number, Station[]>()
  for (const station of stations) {
    const network = station.address & maskOf(NETWORK)
    const members = groups.get(network)
    if (members === undefined) groups.set(network, [station])
    else members.push(station)
  }
  return [...groups.values()]
}

/** An address of their network that nobody has. */
function gatewayOf(members: readonly Station[]): Ipv4Address {
  const network = members[0]!.address & maskOf(NETWORK)
  for (let host = 254; host > 0; host--) {
    const address = network | host
    if (members.every((member) => member.address !== address)) return address
  }
  return network | 1
}

const prefixed = (address: Ipv4Address): string => `${formatIp(address)}/${NETWORK}`
