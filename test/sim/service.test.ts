import { expect, test } from 'vitest'
import { concatBytes, equalBytes } from '../../protocols/bytes.ts'
import type { Program } from '../../sim/scenario.ts'
import { defineScenario } from '../../sim/scenario.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const between = (client: Program, server: Program) =>
  defineScenario({
    name: 'services',
    topology: { a: 'host', b: 'host' },
    links: [
      { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '5ms', rate: '100Mbit', loss: '1%' },
    ],
    programs: { a: client, b: server },
    until: '60s',
  })

const run = async (client: Program, server: Program) => {
  const scenario = between(client, server)
  const outcome = await runScenario(scenario, { seed: '1' })
  expect(outcome.failure).toBe(null)
  expect((await verifyScenario(scenario, { seed: '1' })).digest).toBe(outcome.digest)
  return outcome.notes
}

test('echo over TCP: much comes back as it went, to several at once', async () => {
  const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255)
  const client: Program = async (host) => {
    const one = async (name: string) => {
      const socket = await host.connect('10.0.0.2', 7)
      void socket.send(data).then(() => socket.shutdown())
      const back = concatBytes([await socket.receiveAll()])
      host.note(name, equalBytes(back, data) ? 'equal' : `${back.length} bytes`)
      socket.close()
    }
    await Promise.all([one('first'), one('second')])
  }
  expect(await run(client, (host) => host.serve('echo'))).toEqual({
    first: 'equal',
    second: 'equal',
  })
})

test('daytime, discard and chargen over both', async () => {
  const client: Program = async (host) => {
    const text = (bytes: Iterable<number>) => String.fromCharCode(...bytes)
    const time = await host.connect('10.0.0.2', 13)
    host.note('tcp', text(await time.receiveAll()).trim())
    time.close()
    const udp = host.udp()
    udp.sendTo('', '10.0.0.2', 13)
    host.note('udp', text((await udp.receive()).payload).trim())

    const sink = await host.connect('10.0.0.2', 9)
    await sink.send('x'.repeat(5000))
    sink.shutdown()
    host.note('discarded', (await sink.receiveAll()).length)

    const source = await host.connect('10.0.0.2', 1919)
    let got = 0
    while (got < 20_000) got += (await source.receive())!.length
    source.abort()
    host.note('generated', got >= 20_000 ? 'enough' : 'too little')
  }
  const server: Program = (host) => {
    host.serve('daytime', { epoch: 951_827_696 })
    host.serve('discard')
    host.serve('chargen', { port: 1919 })
  }
  expect(await run(client, server)).toMatchObject({
    tcp: expect.stringMatching(/^Tuesday, February 29, 2000 12:34:5\d-UTC$/),
    udp: expect.stringMatching(/^Tuesday, February 29, 2000 12:34:5\d-UTC$/),
    discarded: 0,
    generated: 'enough',
  })
})

test('a taken port and an unknown name are said', async () => {
  const nothing: Program = () => {}
  const failure = async (server: Program) =>
    (await runScenario(between(nothing, server), { seed: '1' })).failure
  const twice: Program = (host) => {
    host.serve('echo')
    host.serve('echo')
  }
  expect(await failure(twice)).toBe('program on b: EADDRINUSE: serve echo on port 7')
  await expect(failure((host) => host.serve('ehco' as 'echo'))).rejects.toThrow(
    "there is no service 'ehco'",
  )
  await expect(failure((host) => host.serve('echo', { port: 0 }))).rejects.toThrow(
    '0 is not a port',
  )
})
