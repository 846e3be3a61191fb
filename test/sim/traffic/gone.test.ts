import { expect, test } from 'vitest'
import { run, twoHosts } from '../two-hosts.ts'

test('who asks between two pauses leaves alone what has the number of a connection that broke', async () => {
  let received = -1
  const outcome = await run(
    twoHosts({
      a: async (host) => {
        host.traffic({
          kind: 'request-response',
          to: '10.0.0.2:80',
          request: '10B',
          response: '10B',
          think: '20s',
          stop: '5s',
        })
        // The first connection is long gone, the next request not yet due.
        await host.sleep('100ms')
        const socket = await host.connect('10.0.0.2', 81)
        expect(socket.id).toBe(0)
        await host.sleep('300s')
        await socket.send('mine')
        socket.close()
      },
      b: [
        async (host) => {
          const socket = await host.listen(80).accept()
          await socket.receive()
          await socket.send('0123456789')
          await host.sleep('15ms')
          socket.abort()
        },
        async (host) => {
          const socket = await host.listen(81).accept()
          received = (await socket.receiveAll()).length
        },
      ],
    }),
  )
  expect(outcome.failure).toBeNull()
  expect(received).toBe(4)
})
