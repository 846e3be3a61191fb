import type { Nanos } from '../../protocols/time.ts'
import { parseCall } from './parse-call.ts'
import { parsePacket } from './parse-packet.ts'
import { Scanner } from './scanner.ts'
import {
  type Action,
  type Family,
  type Script,
  type ScriptEvent,
  ScriptSyntaxError,
  type When,
} from './script.ts'

/**
 * Reads a packetdrill script.
 *
 * @param defines what words of the script stand for
 * @param given options that the script need not have
 * @throws ScriptSyntaxError, Unsupported: both with the line.
 */
export function parseScript(
  source: string,
  defines: ReadonlyMap<string, string>,
  given: ReadonlyMap<string, string> = new Map(),
): Script {
  const known = new Map(defines)
  const chosen = withoutOtherBranches(source, known)
  const options = new Map(given)
  let scan = new Scanner(chosen)
  for (;;) {
    const found = scan.take(OPTION)
    if (found === null) break
    const [, name = '', value = ''] = found
    if (name === 'define') define(known, value, scan)
    else options.set(name, value.replace(/^"(.*)"$/, '$1'))
  }
  // Blanked, not cut: lines keep their numbers.
  const head = chosen.slice(0, scan.at).replaceAll(/[^\n]/g, ' ')
  scan = new Scanner(head + substituted(chosen.slice(scan.at), known))
  // Files of both families differ in what ICMP's words mean.
  const family = options.get('ip_version') === 'ipv6' ? 'ipv6' : 'ipv4'
  const init = scan.sees(/`/y) ? { line: scan.line, text: command(scan) } : null
  const events: ScriptEvent[] = []
  let cleanup: Script['cleanup'] = null
  while (!scan.atEnd) {
    if (scan.sees(/`/y)) {
      cleanup = { line: scan.line, text: command(scan) }
      if (!scan.atEnd) scan.fail('a time expected')
    } else events.push(parseEvent(scan, family))
  }
  return { options, init, events, cleanup }
}

const OPTION = /--([a-z_\d]+)(?:=("[^"\n]*"|\w+="[^"\n]*"|\w+=`[^`]*`|[^\s/]+(?:\/\d+)?))?/y

function define(known: Map<string, string>, value: string, scan: Scanner): void {
  const [, name, meaning] = /^(\w+)=(.*)$/s.exec(value) ?? []
  if (name === undefined || meaning === undefined) return scan.fail('--define=NAME=VALUE expected')
  if (!known.has(name)) known.set(name, meaning)
}

/** Keeps `#ifdef NAME` to `#endif` only where the name is defined. */
function withoutOtherBranches(source: string, known: Map<string, string>): string {
  let inside = false
  let keeps = true
  const lines = source.split('\n').map((line, index) => {
    const [, directive, name = '', value = ''] = /^\s*#\s*(\w+)\s*(\w*)\s*(.*)$/.exec(line) ?? []
    switch (directive) {
      case undefined:
        return keeps ? line : ''
      case 'ifdef':
        if (inside || name === '') throw new ScriptSyntaxError('#ifdef within #ifdef', index + 1)
        inside = true
        keeps = known.has(name)
        return ''
      case 'endif':
        if (!inside) throw new ScriptSyntaxError('#endif without #ifdef', index + 1)
        inside = false
        keeps = true
        return ''
      case 'define':
        if (keeps) known.set(name, value)
        return ''
      default:
        throw new ScriptSyntaxError(`unknown directive '#${directive}'`, index + 1)
    }
  })
  if (inside) throw new ScriptSyntaxError('#ifdef without #endif', lines.length)
  return lines.join('\n')
}

/** Comments, strings, commands and code stay as they are; elsewhere words are looked up. */
const PIECES = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"[^"\n]*"|`[^`]*`|%\{[\s\S]*?\}%|[A-Za-z_]\w*/g

const substituted = (text: string, known: ReadonlyMap<string, string>): string =>
  known.size === 0
    ? text
    : text.replaceAll(PIECES, (piece) => {
        const meaning = known.get(piece)
        return meaning === undefined || meaning === '' ? piece : meaning
      })

function command(scan: Scanner): string {
  scan.expect('`')
  return scan.until('`').replaceAll('\\\n', ' ').trim()
}

function parseEvent(scan: Scanner, family: Family): ScriptEvent {
  const when = parseTime(scan)
  const { line, at } = scan
  const action = parseAction(scan, family)
  const outbound = action.kind === 'packet' && !action.inbound
  if (!outbound && (when.kind === 'any' || when.latest !== when.time)) {
    throw new ScriptSyntaxError('only a packet that is sent may have any time, or a range', line)
  }
  if (action.kind !== 'call' && when.kind === 'at' && when.returns !== null) {
    throw new ScriptSyntaxError("only a call may block, 't...u'", line)
  }
  const text = scan.text.slice(at, scan.end).replaceAll(/\s+/g, ' ')
  return { line, when, action, text }
}

function parseAction(scan: Scanner, family: Family): Action {
  if (scan.sees(/`/y)) return { kind: 'command', text: command(scan) }
  if (scan.sign('%{')) return { kind: 'code', text: scan.until('}%').trim() }
  if (scan.sign('<'))
    return { kind: 'packet', inbound: true, packet: parsePacket(scan, true, family) }
  if (scan.sign('>'))
    return { kind: 'packet', inbound: false, packet: parsePacket(scan, false, family) }
  return parseCall(scan)
}

function parseTime(scan: Scanner): When {
  if (scan.sign('*')) return { kind: 'any' }
  const relative = scan.sign('+')
  const time = instant(scan)
  if (scan.sign('...')) {
    scan.sign('+')
    return { kind: 'at', relative, time, latest: time, returns: instant(scan) }
  }
  if (!scan.sign('~')) return { kind: 'at', relative, time, latest: time, returns: null }
  if (relative !== scan.sign('+')) scan.fail('both ends of a range, or none, are relative')
  return { kind: 'at', relative, time, latest: instant(scan), returns: null }
}

/** Seconds, rounded down to microseconds. */
function instant(scan: Scanner): Nanos {
  const found = scan.take(/(\d*)(?:\.(\d+))?/y)
  const [all, whole = '', fraction = ''] = found ?? ['']
  if (all === '') return scan.fail('a time expected')
  return Number(whole) * 1e9 + Number(fraction.slice(0, 6).padEnd(6, '0')) * 1e3
}
