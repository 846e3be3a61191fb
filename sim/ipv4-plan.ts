import { isIpv4 } from '../protocols/address.ts'
import type { InterfaceConfig } from '../protocols/host/state.ts'
import type { Route } from '../protocols/ipv4/routes.ts'
import type { NodePlan } from './topology.ts'
import { UserError } from './user-error.ts'

/** A node's plan in the terms of the host engine, which speaks IPv4. */
export function ipv4Only(plan: NodePlan): { interfaces: InterfaceConfig[]; routes: Route[] } {
  const refuse = (text: string): never => {
    throw new UserError(`${text} is IPv6, which hosts do not speak yet`, {
      where: `node ${plan.name}`,
      hint: 'give it an IPv4 address',
    })
  }
  return {
    interfaces: plan.interfaces.map(({ mac, mtu, addresses }) => ({
      mac,
      mtu,
      claim: plan.claim,
      addresses: addresses.map(({ address, prefixLength }) =>
        isIpv4(address) ? { address, prefixLength } : refuse(address),
      ),
    })),
    routes: plan.routes.map(({ destination, prefixLength, gateway, port }) => {
      if (!isIpv4(destination)) return refuse(destination)
      if (gateway !== null && !isIpv4(gateway)) return refuse(gateway)
      return { destination, prefixLength, gateway, port, source: null }
    }),
  }
}
