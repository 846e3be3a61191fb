import type { Ipv4Address } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import {
  createDhcpClient,
  type DhcpClientCommand,
  type DhcpClientReport,
  type DhcpClientState,
  dhcpClient,
  type LostReason,
} from '../protocols/dhcp/client.ts'
import { Lease } from '../protocols/dhcp/message.ts'
import { murmur3 } from '../protocols/murmur3.ts'
import { ascii } from '../protocols/services/ascii.ts'
import { type RunningApplication, startApplication } from './application.ts'
import type { Node } from './node.ts'
import { type Settle, SocketError, type Waiting } from './socket.ts'
import { UserError } from './user-error.ts'
import type { World } from './world.ts'

export interface DhcpOptions {
  /** The interface, counted from 0 in the order of the links. Default 0. */
  readonly port?: number
  /** What the client calls itself. */
  readonly hostName?: string
}

/** Where a lease outlives a crash, as on a disk. */
const STORAGE = 'dhcp-lease'

/**
 * A DHCP client on a simulated host: it puts the address of its lease on the interface, the router
 * into the routes, and takes both back when the lease is over.
 */
export class Dhcp {
  readonly #world: World
  readonly #node: Node
  readonly #port: number
  readonly #settle: Settle
  readonly #storage: Map<string, Bytes>
  readonly #client: RunningApplication<DhcpClientState, DhcpClientCommand>
  readonly #waiting: Waiting<Lease>[] = []
  readonly #mourning: (() => void)[] = []
  /** Being looked for on the link. */
  #checking: Ipv4Address | null = null
  #refused: SocketError | null = null
  /** The lease in use. */
  lease: Lease | null = null

  constructor(
    world: World,
    node: Node,
    settle: Settle,
    storage: Map<string, Bytes>,
    { port = 0, hostName }: DhcpOptions = {},
  ) {
    const iface = node.state.interfaces[port]
    if (iface === undefined) throw new UserError(`${node.name} has no interface ${port}`)
    this.#world = world
    this.#node = node
    this.#port = port
    this.#settle = settle
    this.#storage = storage
    const seed = murmur3(ascii(`${world.seed}/${node.name}/${node.boots}/dhcp/${port}`), 0)
    const state = createDhcpClient(iface.mac, seed, remembered(storage), hostName ?? null)
    this.#client = startApplication(world, node, dhcpClient, state, (said) => this.#heard(said))
  }

  /** Resolves when there is an address; rejects where port 68 is another socket's. */
  ready(): Promise<Lease> {
    if (this.lease !== null) return Promise.resolve(this.lease)
    if (this.#refused !== null) return Promise.reject(this.#refused)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Resolves when the lease in use is over; at once where there is none. */
  lost(): Promise<void> {
    if (this.lease === null) return Promise.resolve()
    return new Promise((resolve) => this.#mourning.push(resolve))
  }

  /** Gives the lease back. */
  release(): void {
    this.#client.command({ kind: 'release' })
  }

  #heard(report: DhcpClientReport): void {
    switch (report.kind) {
      case 'phase':
        return
      case 'check':
        return this.#check(report.lease)
      case 'bound':
        return this.#bound(report.lease)
      case 'lost':
        return this.#lost(report.why)
      case 'refused':
        this.#refused = new SocketError(report.error, 'DHCP needs UDP port 68')
        this.#settle()
        for (const each of this.#waiting.splice(0)) each.reject(this.#refused)
    }
  }

  /** RFC 5227 tells whether somebody has the address; where nobody has, it is ours from then on. */
  #check({ address, prefixLength }: Lease): void {
    const node = this.#node
    if (node.state.interfaces[this.#port]!.addresses.includes(address)) return this.#checked(true)
    this.#checking = address
    node.call({ kind: 'add-address', port: this.#port, address, prefixLength })
    const look = (): void => {
      if (this.#checking !== address) return
      const { addresses, claims } = node.state.interfaces[this.#port]!
      const isTaken = claims?.addresses.find((c) => c.address === address)?.phase === 'given-up'
      if (addresses.includes(address)) this.#checked(true)
      else if (isTaken) {
        node.call({ kind: 'remove-address', port: this.#port, address, prefixLength })
        this.#checked(false)
      } else node.onAddress(look)
    }
    node.onAddress(look)
  }

  #checked(free: boolean): void {
    this.#checking = null
    this.#client.command({ kind: 'checked', free })
  }

  #bound(lease: Lease): void {
    const node = this.#node
    const { address, prefixLength, routers } = lease
    // A lease from before a restart that nobody confirmed: its address is not there yet.
    if (!node.state.interfaces[this.#port]!.addresses.includes(address)) {
      node.call({ kind: 'add-address', port: this.#port, address, prefixLength })
    }
    if (routers.length > 0) {
      node.call({ kind: 'set-gateway', port: this.#port, gateway: routers[0]! })
    }
    this.lease = lease
    this.#storage.set(STORAGE, ascii(JSON.stringify(lease)))
    this.#settle()
    for (const each of this.#waiting.splice(0)) each.resolve(lease)
  }

  #lost(why: LostReason): void {
    const { lease } = this
    this.lease = null
    this.#storage.delete(STORAGE)
    this.#settle()
    if (lease === null) return
    // The word that gives an address back goes out with it: behind this step.
    if (why !== 'released') return this.#takeBack(lease)
    const { boots } = this.#node
    this.#world.at(this.#world.now, () => {
      if (this.#node.up && this.#node.boots === boots) this.#takeBack(lease)
    })
  }

  #takeBack({ address, prefixLength, routers }: Lease): void {
    const port = this.#port
    if (routers.length > 0) this.#node.call({ kind: 'set-gateway', port, gateway: null })
    this.#node.call({ kind: 'remove-address', port, address, prefixLength })
    this.#settle()
    for (const resolve of this.#mourning.splice(0)) resolve()
  }
}

function remembered(storage: Map<string, Bytes>): Lease | null {
  const bytes = storage.get(STORAGE)
  if (bytes === undefined) return null
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  const lease = JSON.parse(text) as { -readonly [Key in keyof Lease]: Lease[Key] }
  // JSON has no infinity.
  for (const key of ['renewAt', 'rebindAt', 'expiresAt'] as const) lease[key] ??= Infinity
  return new Lease(lease)
}
