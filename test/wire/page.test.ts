import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROGRAM } from './live.ts'
import { needs } from './namespace.ts'

// The two blocks of docs/live.md, as root would type them; their namespaces have other names here.

const able = needs('curl', 'ping', 'iperf3')
const page = readFileSync(join(import.meta.dirname, '../../docs/live.md'), 'utf8')
const blocks = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, text]) => text!)

function typed(block: string): string {
  const own = (name: string) => `tw-${process.pid}-${name}`
  let text = block
  for (const name of ['lab', 'east', 'west']) {
    text = text.replaceAll(new RegExp(`\\b${name}\\b(?!-)`, 'g'), own(name))
  }
  const env = { ...process.env, PATH: `${dirname(PROGRAM)}:${process.env['PATH']}` }
  const { stdout, stderr, status } = spawnSync('bash', ['-c', text], { encoding: 'utf8', env })
  for (const name of ['lab', 'east', 'west']) spawnSync('ip', ['netns', 'del', own(name)])
  expect({ stderr: stderr.replaceAll(/^(live|emulate): .*\n/gm, ''), status }).toEqual({
    stderr: '',
    status: 0,
  })
  return stdout
}

describe.skipIf(!able)('docs/live.md', () => {
  test('a page for curl: the list and the file, by our stack', () => {
    const out = typed(blocks[0]!)
    expect(out).toContain('3 received, 0% packet loss')
    expect(out).toContain('Index of /')
    expect(out).toMatch(/bits\/sec +receiver/)
    expect(out).toContain('17e61cc7b0515ec1091cf9eb388cec2a6bb8d48a1286fc00d179a7ac7922afeb')
  })

  test('two machines across a bad link: a tenth is lost, each way', () => {
    const out = typed(blocks[1]!)
    const received = Number(/(\d+) received/.exec(out)![1])
    // 81 % of 200, and 4 σ.
    expect(Math.abs(received - 162)).toBeLessThan(4 * Math.sqrt(200 * 0.81 * 0.19))
    expect(out).toMatch(/lab-e>lab-w: loss \d+/)
  })
})

test('the README shows the same two blocks', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].slice(0, 2).map(([, text]) => text!)
  for (const block of blocks) expect(readme).toContain(block)
})
