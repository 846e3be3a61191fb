import { createHttpServer, httpServer } from '../protocols/http/server.ts'
import { answerFromTree, type MemoryTree } from '../protocols/http/memory-tree.ts'
import { duration, file, flag, rate, ratio } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

const ADDRESS = '10.0.0.1'
const [HTTP, UPLOAD] = [80, 9000]

export default defineScenario({
  name: 'live-server',
  about: `Host a serves a page and a file by HTTP, echo, discard, chargen and iperf3, and on port 9000 it takes
    what is sent and answers with its SHA-256. Host b, across one link, asks for all of it. Made for
    the wire: with --bind b=tap:tap0 this machine's own programs take the place of b, and curl, nc and
    ping talk to the stack that the simulator runs.`,
  params: {
    file: file('shipped:letter.txt', 'what stands under /file'),
    rate: rate('unlimited', 'of the link, each way'),
    delay: duration('0ms', 'of the link, each way'),
    loss: ratio('0%', 'of frames, each way'),
    reorder: ratio('0%', 'of frames that overtake'),
    large: flag(false, 'b may send segments of 64 KiB, as a card with offload takes them'),
  },
  topology: { a: 'host', b: 'host' },
  links: ({ rate, delay, loss, reorder, large }) => [
    {
      ends: { a: `${ADDRESS}/24`, b: '10.0.0.2/24' },
      rate,
      delay,
      loss,
      reorder,
      // A limit of this direction alone: both ends still have an MTU of 1500.
      to: large ? { a: { mtu: 65_535 } } : {},
    },
  ],
  programs: ({ file }) => ({
    a: [(host) => serveFiles(host, file), (host) => takeUploads(host)],
    b: async (host) => {
      const page = await fetch(host, '/')
      host.note('page', page.includes('Index of /') ? 'a list' : page.slice(0, 40))
      const answer = await fetch(host, '/file')
      const content = answer.slice(answer.indexOf('\r\n\r\n') + 4)
      host.note('bytes of the file', content.length)
      const upload = await host.connect(ADDRESS, UPLOAD)
      await upload.send(file.bytes)
      upload.shutdown()
      host.note('sha256 of the upload', textOf(await upload.receiveAll()).trim())
      upload.close()
      const echo = await host.connect(ADDRESS, 7)
      await echo.send('Hello?')
      host.note('echo', textOf((await echo.receive())!))
      echo.close()
    },
  }),
  expect: (_, { file }) => [
    { note: 'page', equals: 'a list' },
    { note: 'bytes of the file', equals: file.bytes.length },
    { note: 'sha256 of the upload', equals: file.sha256 },
    { note: 'echo', equals: 'Hello?' },
  ],
})

function serveFiles(host: Host, file: { readonly bytes: MemoryTreeBytes }): void {
  const tree: MemoryTree = new Map([['file', { bytes: file.bytes, modified: 0 }]])
  const server = host.run(httpServer, createHttpServer(HTTP, 0), (report) => {
    const command = answerFromTree(tree, report)
    if (command !== null) server.command(command)
  })
  host.serve('echo')
  host.serve('discard')
  host.serve('chargen')
  host.serve('iperf3')
}

type MemoryTreeBytes = NonNullable<ReturnType<MemoryTree['get']>>['bytes']

/** Each connection is one upload; what has arrived is told by its hash. */
async function takeUploads(host: Host): Promise<void> {
  for await (const socket of host.listen(UPLOAD)) {
    const take = async () => {
      const writer = host.files.create(null)
      for await (const bytes of socket) writer.write(bytes)
      await socket.send(`${writer.commit().sha256}\n`)
      socket.close()
    }
    // A peer that breaks off loses its own upload only.
    void take().catch(() => socket.abort())
  }
}

async function fetch(host: Host, path: string): Promise<string> {
  const socket = await host.connect(ADDRESS, HTTP)
  await socket.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  const answer = textOf(await socket.receiveAll())
  socket.close()
  return answer
}

const textOf = (bytes: Iterable<number>): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
