import type { IpAddress } from '../protocols/address.ts'
import { DNS_PORT, DNS_TYPES, type DnsData, type DnsTypeName } from '../protocols/dns/message.ts'
import {
  createDnsResolver,
  type DnsResolverCommand,
  type DnsResolverState,
  type DnsResult,
  dnsResolver,
} from '../protocols/dns/resolver.ts'
import { hasIpv6, orderForHost } from '../protocols/host/destinations.ts'
import { murmur3 } from '../protocols/murmur3.ts'
import { ascii } from '../protocols/services/ascii.ts'
import { type RunningApplication, startApplication } from './application.ts'
import type { Node } from './node.ts'
import { type Settle, toIp, type Waiting } from './socket.ts'
import { UserError } from './user-error.ts'
import type { World } from './world.ts'

/** Why a name did not lead to what was asked for, in the words of getaddrinfo(3). */
export type ResolveCode = 'EAI_NONAME' | 'EAI_NODATA' | 'EAI_AGAIN' | 'EAI_FAIL'

/** A name that could not be resolved. */
export class ResolveError extends Error {
  override name = 'ResolveError'
  readonly code: ResolveCode
  constructor(code: ResolveCode, name: string) {
    super(`${code}: ${WORDS[code]}: ${name}`)
    this.code = code
  }
}

const WORDS: { readonly [code in ResolveCode]: string } = {
  EAI_NONAME: 'there is no such name',
  EAI_NODATA: 'the name has no such record',
  EAI_AGAIN: 'no server answered in time',
  EAI_FAIL: 'the servers could not answer',
}

/** The resolver of a simulated host. */
class Resolver {
  readonly #node: Node
  readonly #settle: Settle
  readonly #running: RunningApplication<DnsResolverState, DnsResolverCommand>
  readonly #waiting = new Map<number, { readonly name: string } & Waiting<readonly DnsData[]>>()
  #last = 0

  constructor(world: World, node: Node, settle: Settle, servers: readonly string[]) {
    this.#node = node
    this.#settle = settle
    const endpoints = servers.map((each) => ({ address: toIp(each), port: DNS_PORT }))
    const seed = murmur3(ascii(`${world.seed}/${node.name}/${node.boots}/dns`), 0)
    const state = createDnsResolver(endpoints, seed)
    this.#running = startApplication(world, node, dnsResolver, state, (report) => {
      if (report.kind === 'result') this.#answered(report.id, report.result)
    })
  }

  /** The records of one type, aliases followed; rejects with a `ResolveError`. */
  resolve(name: string, type: DnsTypeName): Promise<readonly DnsData[]> {
    this.#last += 1
    const id = this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { name, resolve, reject })
      this.#running.command({ kind: 'resolve', id, name, type: DNS_TYPES[type] })
    })
  }

  /**
   * Where to connect to: the best address by RFC 6724 §6. A host without IPv6 asks for IPv6 only where
   * there is nothing else.
   */
  async address(name: string): Promise<IpAddress> {
    const first = hasIpv6(this.#node.state) ? this.resolve(name, 'AAAA').then(addressesIn) : null
    const asked = await Promise.allSettled([this.resolve(name, 'A').then(addressesIn), first ?? []])
    const found = asked.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    if (found.length > 0) return orderForHost(this.#node.state, found)[0]!
    const why = asked.flatMap((each) =>
      each.status === 'rejected' ? [each.reason as unknown] : [],
    )
    // That there is no such record says the least.
    const error = why.find((each) => !isNoData(each))
    if (error !== undefined) throw error
    if (first === null)
      return orderForHost(this.#node.state, addressesIn(await this.resolve(name, 'AAAA')))[0]!
    throw why[0]
  }

  #answered(id: number, result: DnsResult): void {
    const waiting = this.#waiting.get(id)!
    this.#waiting.delete(id)
    this.#settle()
    if (result.kind === 'records') waiting.resolve(result.records.map(({ data }) => data))
    else waiting.reject(new ResolveError(CODES[result.kind], waiting.name))
  }
}

const CODES: { readonly [kind in Exclude<DnsResult['kind'], 'records'>]: ResolveCode } = {
  'no-name': 'EAI_NONAME',
  'bad-name': 'EAI_NONAME',
  'no-data': 'EAI_NODATA',
  'timed-out': 'EAI_AGAIN',
  'server-failure': 'EAI_FAIL',
}

const addressesIn = (found: readonly DnsData[]): readonly IpAddress[] =>
  found.flatMap((data) => (data.kind === 'A' || data.kind === 'AAAA' ? [data.address] : []))

const isNoData = (error: unknown): boolean =>
  error instanceof ResolveError && error.code === 'EAI_NODATA'

/** The names that the programs of a host can use, once it has servers to ask. */
export function namesOf(world: World, node: Node, settle: Settle) {
  let resolver: Resolver | null = null
  const known = (name: string): Resolver => {
    if (resolver === null) {
      throw new UserError(`${node.name} has no DNS server to ask for '${name}'`, {
        word: name,
        hint: `call useDns(['10.0.0.53']) first, or write an address`,
      })
    }
    return resolver
  }
  return {
    useDns(servers: readonly string[]) {
      resolver = new Resolver(world, node, settle, servers)
    },
    resolve: async (name: string, type: DnsTypeName = 'A') => known(name).resolve(name, type),
    address: async (name: string) => known(name).address(name),
  }
}
