import { isIpv4 } from '../protocols/address.ts'
import type { HostConfig, InterfaceConfig } from '../protocols/host/state.ts'
import type { Route } from '../protocols/ipv4/routes.ts'
import type { Ipv6Route } from '../protocols/ipv6/routes.ts'
import { advertisementFor } from './topology-ipv6.ts'
import type { InterfacePlan, NodePlan } from './topology.ts'

/** A node's plan in the terms of the host engine. */
export function hostPlan(
  plan: NodePlan,
): Pick<Required<HostConfig>, 'interfaces' | 'routes' | 'ipv6Routes' | 'nat'> {
  const routes: Route[] = []
  const ipv6Routes: Ipv6Route[] = []
  for (const { destination, prefixLength, gateway, port } of plan.routes) {
    if (isIpv4(destination)) {
      const next = gateway as number | null
      routes.push({ destination, prefixLength, gateway: next, port, source: null })
    } else {
      ipv6Routes.push({ destination, prefixLength, gateway: gateway as string | null, port })
    }
  }
  return {
    interfaces: plan.interfaces.map((each) => interfaceOf(each, plan)),
    routes,
    ipv6Routes,
    nat: plan.nat,
  }
}

/** It speaks IPv6 where it has an address of that family, or wants to be told one. */
function interfaceOf(
  { mac, mtu, addresses, link }: InterfacePlan,
  plan: NodePlan,
): InterfaceConfig {
  const ipv4 = addresses.flatMap(({ address, prefixLength }) =>
    isIpv4(address) ? [{ address, prefixLength }] : [],
  )
  const ipv6 = addresses.flatMap(({ address, prefixLength }) =>
    isIpv4(address) ? [] : [{ address, prefixLength }],
  )
  const { everywhere, detectDuplicates, autoconfigure } = plan.ipv6
  const advertise = advertisementFor(plan.ipv6, addresses, mtu)
  return {
    mac,
    mtu,
    addresses: ipv4,
    claim: link < 0 ? null : plan.claim,
    tun: link < 0,
    ipv6:
      ipv6.length > 0 || everywhere
        ? { addresses: ipv6, detectDuplicates, autoconfigure, advertise }
        : null,
  }
}
