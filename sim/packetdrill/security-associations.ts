import { type IpAddress, parseIpText } from '../../protocols/address.ts'
import { type Bytes, equalBytes, fromHex } from '../../protocols/bytes.ts'
import { Unsupported } from './script.ts'

// FreeBSD's keys for signed segments: `setkey`, as far as it is about them.

/** Segments from `source` to `destination` are signed with this key. */
export interface Association {
  readonly source: IpAddress
  readonly destination: IpAddress
  readonly key: Bytes
}

/** `echo 'add …; add …;' | setkey -c` */
const ADDING = /echo\s+'([^']*)'\s*\|\s*setkey -c/g

/** What a command adds, and the command without that. */
export function associationsIn(
  command: string,
  line: number,
): { readonly added: readonly Association[]; readonly rest: string } {
  const added: Association[] = []
  const rest = command.replaceAll(ADDING, (_, text: string) => {
    for (const each of text.split(';'))
      if (each.trim() !== '') added.push(readAdd(each.trim(), line))
    return ''
  })
  for (const { source, destination, key } of added) {
    const back = added.find((a) => a.source === destination && a.destination === source)
    // One key a peer is what the host keeps.
    if (back !== undefined && !equalBytes(key, back.key)) {
      throw new Unsupported('setkey: a key for each direction', line)
    }
  }
  return { added, rest }
}

/** `add SOURCE DESTINATION tcp SPI -A tcp-md5 KEY`: the key in quotes, or `0x` and hexadecimal digits. */
function readAdd(text: string, line: number): Association {
  const words =
    /^add\s+(\S+)\s+(\S+)\s+tcp\s+\S+\s+-A\s+tcp-md5\s+(?:"([^"]*)"|0x((?:[\da-f]{2})+))$/i
  const [, from = '', to = '', written, digits] = words.exec(text) ?? []
  const source = parseIpText(from)
  const destination = parseIpText(to)
  if (source === null || destination === null) throw new Unsupported(`setkey: ${text}`, line)
  const key = digits === undefined ? new TextEncoder().encode(written) : fromHex(digits)
  return { source, destination, key }
}
