import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttpServer, httpServer } from '../../protocols/http/server.ts'
import { KernelHost } from '../../wire/kernel-host.ts'
import { WebFiles } from '../../wire/web-files.ts'

// The HTTP server on the kernel's sockets, asked by curl over loopback.

const present = spawnSync('curl', ['--version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'twinwire-web-'))
const root = join(folder, 'root')
const host = new KernelHost()
let url = ''

beforeAll(async () => {
  mkdirSync(join(root, 'sub'), { recursive: true })
  writeFileSync(join(folder, 'secret'), 'nobody is to see this')
  writeFileSync(join(root, 'hello.txt'), 'Hello, world!\n')
  writeFileSync(
    join(root, 'big.bin'),
    new Uint8Array(3_000_000).map((_, i) => i * 7),
  )
  symlinkSync(join(folder, 'secret'), join(root, 'link'))
  const files = new WebFiles(root)
  const server = host.run(httpServer, createHttpServer(0, 0), (report) => {
    const command = files.answer(report)
    if (command !== null) server.command(command)
  })
  let port = 0
  for (; port === 0; port = host.localOf(server.state.listener)?.port ?? 0) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  url = `http://127.0.0.1:${port}`
})
afterAll(() => {
  host.close()
  rmSync(folder, { recursive: true })
})

const run = promisify(execFile)
const curl = async (...args: string[]): Promise<string> =>
  (
    await run('curl', ['-s', '--max-time', '5', ...args], {
      encoding: 'latin1',
      maxBuffer: 1 << 24,
    })
  ).stdout

describe.skipIf(!present)('curl', () => {
  test('gets files, parts of them, heads, and lists', async () => {
    expect(await curl(`${url}/hello.txt`)).toBe('Hello, world!\n')
    expect(await curl('-r', '7-11', `${url}/hello.txt`)).toBe('world')
    expect(await curl('-I', `${url}/big.bin`)).toMatch(
      /^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 3000000/,
    )
    expect(await curl('-L', `${url}/sub`)).toContain('Index of /sub/')
    const big = await curl(`${url}/big.bin`)
    expect(big.length).toBe(3_000_000)
    expect(big.charCodeAt(2_999_999)).toBe((2_999_999 * 7) & 255)
  })

  test('several on one connection', async () => {
    const target = `${url}/hello.txt`
    const out = await curl('-w', '%{num_connects} ', target, target, target)
    expect(out).toBe('Hello, world!\n1 Hello, world!\n0 Hello, world!\n0 ')
  })

  test('finds nothing outside the folder, whatever it asks', async () => {
    const status = ['-o', '/dev/null', '-w', '%{http_code}', '--path-as-is']
    const targets = ['/../secret', '/%2e%2e/secret', '/sub/../../secret', '/..%2fsecret', '/link']
    const got = []
    for (const target of targets) got.push(await curl(...status, url + target))
    expect(got).toEqual(['404', '404', '404', '400', '404'])
    expect(await curl(`${url}/`)).not.toContain('link')
  })
})
