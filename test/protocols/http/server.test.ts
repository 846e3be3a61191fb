import { expect, test } from 'vitest'
import { answerFromTree, type MemoryTree } from '../../../protocols/http/memory-tree.ts'
import { createHttpServer, httpServer } from '../../../protocols/http/server.ts'
import type { HttpReport } from '../../../protocols/http/state.ts'
import type { Host } from '../../../sim/programs.ts'
import { verifyScenario } from '../../../sim/verify.ts'
import { randomBytes, run, twoHosts } from '../../sim/two-hosts.ts'

// The server on a simulated host, asked by a program that writes and reads bytes.

const BIG = randomBytes(300_000, 1)
const file = (bytes: Uint8Array) => ({ bytes, modified: 784_111_777 })
const text = (words: string) => file(new TextEncoder().encode(words))
const TREE: MemoryTree = new Map([
  ['hello.txt', text('Hello, world!\n')],
  ['big.bin', file(BIG)],
  ['empty', file(new Uint8Array(0))],
  ['site/index.html', text('<p>Home')],
  ['docs/a & b.txt', text('x')],
  ['docs/deep/c.txt', text('y')],
])

function server(log: string[] = []) {
  return (host: Host): void => {
    const running = host.run(httpServer, createHttpServer(80, 784_111_777), (report) => {
      if (report.kind === 'answered') log.push(`${report.method} ${report.target} ${report.status}`)
      const command = answerFromTree(TREE, report)
      if (command !== null) running.command(command)
    })
  }
}

/** All that comes back for these bytes, sent in these pieces. */
async function ask(host: Host, ...pieces: (string | Uint8Array)[]): Promise<Uint8Array> {
  const socket = await host.connect('10.0.0.2', 80)
  for (const piece of pieces) {
    await socket.send(piece)
    await host.sleep('30ms')
  }
  const chunks: Uint8Array[] = []
  for await (const bytes of socket) chunks.push(bytes as Uint8Array)
  socket.close()
  return Buffer.concat(chunks)
}
const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const headOf = (answer: string) => answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n')

const CLOSE = 'Host: b\r\nConnection: close\r\n\r\n'
const get = (target: string, fields = '') => `GET ${target} HTTP/1.1\r\n${fields}${CLOSE}`

async function answers(...requests: (string | string[])[]): Promise<string[]> {
  const got: string[] = []
  const scenario = twoHosts({
    a: async (host) => {
      for (const each of requests) got.push(latin(await ask(host, ...[each].flat())))
    },
    b: server(),
  })
  const outcome = await run(scenario)
  expect(outcome.failure).toBeNull()
  return got
}

test('a file comes with its facts', async () => {
  const [answer] = await answers(get('/hello.txt'))
  expect(answer!.split('\r\n')).toEqual([
    'HTTP/1.1 200 OK',
    'Date: Sun, 06 Nov 1994 08:49:37 GMT',
    'Server: twinwire',
    'Content-Type: text/plain; charset=utf-8',
    'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT',
    'ETag: "e-2ebc98a1"',
    'Accept-Ranges: bytes',
    'Content-Length: 14',
    'Connection: close',
    '',
    'Hello, world!\n',
  ])
})

test('a large file arrives whole over a bad link, and a part of it is that part', async () => {
  let whole: Uint8Array = new Uint8Array(0)
  let part: Uint8Array = whole
  const scenario = twoHosts({
    link: { loss: '5%', reorder: '10%', duplicate: '2%' },
    a: async (host) => {
      whole = await ask(host, get('/big.bin'))
      part = await ask(host, get('/big.bin', 'Range: bytes=299990-\r\n'))
    },
    b: server(),
  })
  expect((await run(scenario)).failure).toBeNull()
  expect(Buffer.from(whole.subarray(-BIG.length)).equals(BIG)).toBe(true)
  expect(headOf(latin(part))).toContain('Content-Range: bytes 299990-299999/300000')
  expect(Buffer.from(part.subarray(-10)).equals(BIG.subarray(-10))).toBe(true)
})

test('every status has its cause', async () => {
  const requests = [
    get('/hello.txt', 'If-None-Match: "e-2ebc98a1"\r\n'),
    get('/docs'),
    get('/nothing'),
    get('/hello.txt/'),
    get('/%2e%2e%2fetc/passwd'),
    get('/hello.txt', 'Range: bytes=99-\r\n'),
    `POST / HTTP/1.1\r\nContent-Length: 3\r\n${CLOSE}abc`,
    'nonsense\r\n\r\n',
    get('/empty'),
  ]
  const got = await answers(...requests)
  expect(got.map((answer) => headOf(answer)[0])).toEqual([
    'HTTP/1.1 304 Not Modified',
    'HTTP/1.1 301 Moved Permanently',
    'HTTP/1.1 404 Not Found',
    'HTTP/1.1 404 Not Found',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 416 Range Not Satisfiable',
    'HTTP/1.1 405 Method Not Allowed',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 200 OK',
  ])
  expect(headOf(got[1]!)).toContain('Location: /docs/')
  expect(headOf(got[5]!)).toContain('Content-Range: bytes */14')
  expect(headOf(got[6]!)).toContain('Allow: GET, HEAD')
})

test('a folder is its index, or a list', async () => {
  const [index, list, root] = await answers(get('/site/'), get('/docs/'), get('/'))
  expect(index).toMatch(/text\/html[^]*<p>Home$/)
  expect(list).toContain('<a href="./a%20%26%20b.txt">a &amp; b.txt</a></td><td>1</td>')
  expect(list!.indexOf('deep/')).toBeLessThan(list!.indexOf('a &amp; b'))
  expect(root).toContain('Index of /')
  expect(root).not.toContain('../')
})

test('requests on one connection are answered in order, however they are cut', async () => {
  const first = 'HEAD /hello.txt HTTP/1.1\r\nHost: b\r\n\r\n'
  const second = 'PUT /x HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n12345'
  const third = get('/hello.txt')
  const all = first + second + third
  const [together, cut] = await answers(all, [all.slice(0, 9), all.slice(9, 80), all.slice(80)])
  expect(together).toBe(cut!.replaceAll(/08:49:\d\d/g, '08:49:37').replace(/(Last.*)38/, '$137'))
  expect(together!.match(/^HTTP.*/gm)).toEqual([
    'HTTP/1.1 200 OK',
    'HTTP/1.1 405 Method Not Allowed',
    'HTTP/1.1 200 OK',
  ])
  expect(together!.match(/Hello/g)).toHaveLength(1)
})

test('who asks nothing, or takes nothing, is let go; others are served meanwhile', async () => {
  const log: string[] = []
  const ended: string[] = []
  const scenario = twoHosts({
    a: [
      async (host) => {
        const idle = await host.connect('10.0.0.2', 80)
        await idle.send('GET / HT')
        await idle.receive().then(
          (bytes) =>
            ended.push(`idle ${bytes === null ? 'end' : 'bytes'} ${Math.round(host.now / 1e9)}`),
          () => ended.push(`idle reset ${Math.round(host.now / 1e9)}`),
        )
      },
      async (host) => {
        const hog = await host.connect('10.0.0.2', 80)
        await hog.send(get('/hello.txt').repeat(2))
        await host.sleep('5s')
        log.push(latin(await ask(host, get('/empty'))).slice(0, 15))
        hog.close()
      },
    ],
    b: server(log),
  })
  await run(scenario)
  expect(ended).toEqual(['idle end 15'])
  expect(log).toEqual(['GET /hello.txt 200', 'GET /empty 200', 'HTTP/1.1 200 OK'])
})

test('a file that vanishes while it is sent breaks the connection', async () => {
  const got: string[] = []
  const scenario = twoHosts({
    a: async (host) => {
      await ask(host, get('/big.bin')).then(
        (bytes) => got.push(`${bytes.length} bytes`),
        (error: { code?: string }) => got.push(String(error.code)),
      )
    },
    b: (host) => {
      let reads = 0
      const running = host.run(httpServer, createHttpServer(80, 0), (report: HttpReport) => {
        const command = answerFromTree(TREE, report)
        const gone = report.kind === 'read' && ++reads > 2
        if (gone) running.command({ kind: 'data', id: report.id, bytes: null })
        else if (command !== null) running.command(command)
      })
    },
  })
  await run(scenario)
  expect(got).toEqual(['ECONNRESET'])
})

test('the same in place, recorded and byte by byte', async () => {
  const scenario = twoHosts({
    link: { loss: '10%' },
    a: async (host) => {
      await ask(host, get('/big.bin'))
      await ask(host, get('/docs/'))
    },
    b: server(),
  })
  expect((await verifyScenario(scenario, { seed: '3' })).difference).toBeNull()
})
