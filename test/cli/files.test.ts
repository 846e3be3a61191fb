import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeFiles, withoutWriting } from '../../cli/files.ts'
import { EnvironmentError, UserError } from '../../sim/user-error.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinwire-files-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const bytes = (text: string) => new TextEncoder().encode(text)
// FIPS 180-4 examples: of "abc", and of nothing.
const OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

test('reads a file with its hash, also an empty one', () => {
  writeFileSync(at('abc.txt'), 'abc')
  writeFileSync(at('empty'), '')
  const files = new NodeFiles()
  const abc = files.read(at('abc.txt'))
  expect(abc).toEqual({ name: 'abc.txt', bytes: bytes('abc'), sha256: OF_ABC })
  expect(Buffer.isBuffer(abc.bytes)).toBe(false)
  expect(files.read(at('empty'))).toMatchObject({ sha256: OF_NOTHING, bytes: { length: 0 } })
})

test('what is written appears at commit, whole', () => {
  const writer = new NodeFiles().create(at('out'))
  writer.write(bytes('a'))
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.out\.[0-9a-f]{8}\.part$/)])
  writer.write(bytes('bc'))
  expect(writer.commit()).toEqual({ path: at('out'), sha256: OF_ABC, bytes: 3 })
  expect(readdirSync(folder)).toEqual(['out'])
  expect(readFileSync(at('out'), 'utf8')).toBe('abc')
  writer.discard()
  expect(readdirSync(folder)).toEqual(['out'])
})

test('pieces small and large keep their order', () => {
  const writer = new NodeFiles().create(at('out'))
  const pieces = [3, 300_000, 1, 262_144, 262_143, 2, 0, 7].map((n, i) =>
    new Uint8Array(n).fill(i + 1),
  )
  for (const piece of pieces) writer.write(piece)
  writer.commit()
  expect(readFileSync(at('out')).equals(Buffer.concat(pieces))).toBe(true)
})

test('a target keeps its mode, and a symbolic link stays one', () => {
  writeFileSync(at('real'), 'before')
  chmodSync(at('real'), 0o640)
  symlinkSync('real', at('link'))
  const writer = new NodeFiles().create(at('link'))
  writer.write(bytes('after'))
  writer.commit()
  expect(lstatSync(at('link')).isSymbolicLink()).toBe(true)
  expect(readFileSync(at('real'), 'utf8')).toBe('after')
  expect(statSync(at('real')).mode & 0o777).toBe(0o640)
})

test('a discarded file leaves the old one alone', () => {
  writeFileSync(at('out'), 'before')
  const files = new NodeFiles()
  files.create(at('out')).write(bytes('after'))
  files.create(at('other')).write(bytes('x'))
  files.discardAll()
  expect(readdirSync(folder)).toEqual(['out'])
  expect(readFileSync(at('out'), 'utf8')).toBe('before')
  files.create(at('out')).discard()
})

test('a device is written directly and never replaced', () => {
  const writer = new NodeFiles().create('/dev/null')
  writer.write(bytes('abc'))
  expect(writer.commit().sha256).toBe(OF_ABC)
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
})

test('what cannot be read or written is named', () => {
  const files = new NodeFiles()
  writeFileSync(at('large'), '')
  truncateSync(at('large'), 2 ** 30 + 1)
  expect(() => files.read(at('nothing'))).toThrow(UserError)
  expect(() => files.read(at('nothing'))).toThrow(/^cannot read '.*': there is no such file/)
  expect(() => files.read(folder)).toThrow('it is a directory')
  expect(() => files.read(at('large'))).toThrow('it is larger than 1 GiB')
  expect(() => files.read('shipped:nothing')).toThrow("cannot read 'shipped:nothing'")
  expect(() => files.create(folder)).toThrow('it is a directory')
  expect(() => files.create(at('no/out'))).toThrow('there is no such file or directory')
  files.create(at('out'))
  expect(() => files.create(at('out'))).toThrow('it is being written already')
  files.discardAll()
})

test('a disk without room is the fault of the machine', () => {
  const writer = new NodeFiles().create('/dev/full')
  writer.write(bytes('abc'))
  expect(() => writer.commit()).toThrow(EnvironmentError)
})

test('withoutWriting hashes and touches nothing', () => {
  const writer = withoutWriting(new NodeFiles()).create(at('out'))
  writer.write(bytes('ab'))
  writer.write(bytes('c'))
  expect(writer.commit()).toEqual({ path: at('out'), sha256: OF_ABC, bytes: 3 })
  expect(readdirSync(folder)).toEqual([])
})
