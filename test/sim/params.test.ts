import { describe, expect, expectTypeOf, test } from 'vitest'
import { type StoredFile, MemoryFiles } from '../../sim/files.ts'
import {
  type ParamValues,
  choice,
  count,
  defaultText,
  duration,
  file,
  flag,
  output,
  rate,
  ratio,
  resolveParams,
  size,
  text,
} from '../../sim/params.ts'
import { UserError } from '../../sim/user-error.ts'

const params = {
  delay: duration('10ms', 'one way'),
  loss: ratio('1%'),
  rate: rate('100Mbit'),
  buffer: size('64KiB'),
  flows: count(10),
  title: text('none'),
  style: choice(['reno', 'cubic']),
  fast: flag(false),
  input: file('in.bin', 'what to carry'),
  out: output('where to put it'),
}
const abc = new Uint8Array([97, 98, 99])
const files = new MemoryFiles({ 'in.bin': abc, 'dir/other.bin': new Uint8Array(2) })

function refusal(settings: { [name: string]: string }): UserError {
  try {
    resolveParams(params, settings, files)
  } catch (e) {
    expect(e).toBeInstanceOf(UserError)
    return e as UserError
  }
  throw new Error('nothing was refused')
}

test('defaults, in base units', () => {
  const { values, text: shown } = resolveParams(params, {}, files)
  expect(values).toEqual({
    delay: 10_000_000,
    loss: 0.01,
    rate: 100_000_000,
    buffer: 65_536,
    flows: 10,
    title: 'none',
    style: 'reno',
    fast: false,
    // FIPS 180-4's SHA-256 of "abc".
    input: {
      name: 'in.bin',
      bytes: abc,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
    out: null,
  })
  expect(shown).toEqual({
    delay: '10ms',
    loss: '1%',
    rate: '100Mbit',
    buffer: '64KiB',
    flows: '10',
    title: 'none',
    style: 'reno',
    fast: 'false',
    input: 'in.bin',
  })
})

test('settings replace defaults, and are kept as they were written', () => {
  const settings = {
    delay: '0.5s',
    loss: '0.25',
    flows: '3',
    title: 'a=b',
    style: 'cubic',
    fast: 'on',
    input: 'dir/other.bin',
    out: 'x/y.bin',
  }
  const { values, text: shown } = resolveParams(params, settings, files)
  expect(values).toMatchObject({
    delay: 500_000_000,
    loss: 0.25,
    flows: 3,
    title: 'a=b',
    style: 'cubic',
    fast: true,
    input: { name: 'other.bin' },
    out: 'x/y.bin',
  })
  expect(shown).toMatchObject(settings)
  expect(resolveParams(params, shown, files).values).toEqual(values)
})

test('the types follow from the declaration', () => {
  type Values = ParamValues<typeof params>
  expectTypeOf<Values['delay']>().toExtend<number>()
  expectTypeOf<Values['style']>().toEqualTypeOf<'reno' | 'cubic'>()
  expectTypeOf<Values['fast']>().toEqualTypeOf<boolean>()
  expectTypeOf<Values['input']>().toEqualTypeOf<StoredFile>()
  expectTypeOf<Values['out']>().toEqualTypeOf<string | null>()
})

describe('refusals', () => {
  test.each([
    [{ los: '5%' }, '--set los', "there is no parameter 'los'", "did you mean 'loss'?"],
    [{ toString: '5%' }, '--set toString', 'there is no parameter', 'there is delay, loss'],
    [{ delay: '10' }, '--set delay', "'10' has no unit", "write '10ms'"],
    [{ loss: '140%' }, '--set loss', "'140%' is more than all", '100%'],
    [{ style: 'cubik' }, '--set style', "'cubik' is not a choice", "did you mean 'cubic'?"],
    [{ style: 'vegas' }, '--set style', "'vegas' is not a choice", 'expected reno, cubic'],
    [{ fast: '1' }, '--set fast', "'1' is neither true nor false", "write 'true'"],
    [{ input: 'nowhere' }, '--set input', "cannot read 'nowhere'", ''],
    [{ input: '' }, '--set input', 'names no file', '--set input=PATH'],
    [{ out: '' }, '--set out', 'the path is empty', ''],
  ])('%j', (settings, where, message, hint) => {
    const e = refusal(settings)
    expect(e.where).toBe(where)
    expect(e.message).toContain(message)
    expect(e.hint ?? '').toContain(hint)
  })

  test('a file parameter without a default must be set', () => {
    expect(() => resolveParams({ x: file(null) }, {}, files)).toThrow('names no file')
    expect(defaultText(file(null))).toBeNull()
  })

  test('a bad default is an error where it is declared', () => {
    expect(() => duration('10')).toThrow("'10' has no unit")
    expect(() => ratio('140%')).toThrow(UserError)
  })
})
