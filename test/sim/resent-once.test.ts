import { expect, test } from 'vitest'
import { run, twoHosts } from './two-hosts.ts'

// On a link without a rate a whole window leaves, and arrives, in one instant.

test.each(['1', '2', '3', '4'])('seed %s: what is lost is sent again once', async (seed) => {
  const scenario = twoHosts({
    a: (host) => host.bulk('10.0.0.2', 80, 1e6),
    b: (host) => void host.sink(80),
    link: { loss: '1%' },
  })
  const { flows } = await run(scenario, { seed })
  const { retransmissions, drops } = flows[0]!.forward
  const { rto, rack, tlp } = retransmissions
  const lost = drops['loss on a>b']!
  expect(lost).toBeGreaterThan(4)
  // A probe of the tail may turn out needless.
  expect(rack + rto + tlp - lost).toBeGreaterThanOrEqual(0)
  expect(rack + rto + tlp - lost).toBeLessThanOrEqual(1)
})
