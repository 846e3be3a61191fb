import { duration, file, flag, output, rate, ratio } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 20

export default defineScenario({
  name: 'file-transfer',
  about: `Carries a file from host a to host b over TCP and one impaired link, byte for byte.
    Name your own with --set file=PATH, keep what arrived with --set out=PATH, and make the link
    worse: --set loss=10% --set reorder=10% --set corrupt=2%. The same seed gives the same run.`,
  params: {
    file: file('shipped:letter.txt', 'what to send'),
    out: output('where to keep what arrived'),
    rate: rate('100Mbit', 'of the link, each way'),
    delay: duration('10ms', 'of the link, each way'),
    jitter: duration('0ms', 'uniform, ± around the delay'),
    loss: ratio('1%', 'of frames, each way'),
    duplicate: ratio('0%', 'of frames that arrive twice'),
    reorder: ratio('0%', 'of frames that overtake'),
    corrupt: ratio('0%', 'of frames with a flipped bit'),
    ipv6: flag(false, 'the addresses are IPv6'),
  },
  topology: { a: 'host', b: 'host' },
  links: (p) => [
    {
      ends: p.ipv6
        ? { a: '2001:db8::1/64', b: '2001:db8::2/64' }
        : { a: '10.0.0.1/24', b: '10.0.0.2/24' },
      queue: '100 frames',
      rate: p.rate,
      delay: p.delay,
      jitter: p.jitter,
      loss: p.loss,
      duplicate: p.duplicate,
      reorder: p.reorder,
      corrupt: p.corrupt,
    },
  ],
  programs: ({ file, out, ipv6 }) => ({
    a: async (host) => {
      host.note('sha256 sent', file.sha256)
      const socket = await host.connect(ipv6 ? '2001:db8::2' : '10.0.0.2', PORT)
      await socket.send(file.bytes)
      socket.shutdown()
      // The end of the other side's stream says that the file has arrived whole.
      await socket.receive()
      socket.close()
    },
    b: async (host) => {
      const writer = host.files.create(out)
      try {
        const socket = await host.listen(PORT).accept()
        for await (const bytes of socket) writer.write(bytes)
        const written = writer.commit()
        host.note('sha256 received', written.sha256)
        host.note('bytes received', written.bytes)
        socket.close()
      } catch (error) {
        writer.discard()
        throw error
      }
    },
  }),
  expect: ({ notes }, { file }) => [
    {
      that: `all ${file.bytes.length} bytes arrive, and no other`,
      holds: notes['sha256 received'] === file.sha256,
    },
  ],
})
