import type { Scanner } from './scanner.ts'
import type { Expression, Field, SystemCall } from './script.ts'

/** `name(arguments) = result ERRNO (note)`. */
export function parseCall(scan: Scanner): SystemCall {
  const name = scan.word() ?? scan.fail('a packet, a call, a command or code expected')
  scan.expect('(')
  const args = parseList(scan, ')')
  scan.expect('=')
  const result = scan.sign('...') ? null : number(scan)
  const errno = scan.take(/E[A-Z0-9]+\b/y)?.[0] ?? null
  while (scan.take(/\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]/y) !== null);
  return { kind: 'call', name, args, result, errno }
}

function number(scan: Scanner): number {
  const negative = scan.sign('-')
  const n = scan.integer()
  return negative ? -n : n
}

function parseList(scan: Scanner, close: string): Expression[] {
  const items: Expression[] = []
  if (scan.sign(close)) return items
  do items.push(parseExpression(scan))
  while (scan.sign(','))
  scan.expect(close)
  return items
}

export function parseExpression(scan: Scanner): Expression {
  const first = parsePrimary(scan)
  if (!scan.sees(/\|/y)) return first
  const parts = [first]
  while (scan.sign('|')) parts.push(parsePrimary(scan))
  return { kind: 'or', parts }
}

function parsePrimary(scan: Scanner): Expression {
  if (scan.sign('...')) return { kind: 'ellipsis' }
  if (scan.sign('[')) return { kind: 'list', items: parseList(scan, ']') }
  if (scan.sign('{')) return { kind: 'fields', fields: parseFields(scan) }
  if (scan.sees(/"/y)) {
    let value = ''
    for (;;) {
      const found = scan.take(/"((?:[^"\\\n]|\\.)*)"/y)
      if (found === null) return { kind: 'string', value }
      value += found[1]!
    }
  }
  if (scan.sees(/-?\d/y)) return { kind: 'number', value: number(scan) }
  const name = scan.word() ?? scan.fail('a value expected')
  if (scan.sign('(')) return { kind: 'apply', name, args: parseList(scan, ')') }
  return { kind: 'word', name }
}

function parseFields(scan: Scanner): Field[] {
  const fields: Field[] = []
  if (scan.sign('}')) return fields
  do {
    const name = scan.take(/(\w+)(?:\s*\([^)]*\))?\s*=(?!=)/y)?.[1] ?? null
    fields.push({ name, value: parseExpression(scan) })
  } while (scan.sign(','))
  scan.expect('}')
  return fields
}
