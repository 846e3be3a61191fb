import { inPlace, recorded } from '../driver.ts'
import { report } from '../packetdrill/report.ts'
import { runScript, type ScriptOptions, type ScriptResult } from '../packetdrill/run-script.ts'

/** What a script is played with; how its steps are run is not asked: both ways. */
export type PacketdrillOptions = Omit<ScriptOptions, 'drive'>

/** A script that a test has written down. */
export class PacketdrillScript {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  /**
   * Plays it with the host's state changed in place, and again recorded.
   *
   * @throws Error where the two differ
   */
  play(options: PacketdrillOptions = {}): ScriptResult {
    const first = runScript(this.source, { ...options, drive: inPlace })
    const second = runScript(this.source, { ...options, drive: recorded })
    if (JSON.stringify(first) === JSON.stringify(second)) return first
    throw new Error(
      `recorded: ${report(this.source, second)}\n\nin place: ${report(this.source, first)}`,
    )
  }
}

/** Writes a script into a test: packetdrill`0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3 …`. */
export function packetdrill(
  parts: TemplateStringsArray,
  ...values: readonly (string | number)[]
): PacketdrillScript {
  return new PacketdrillScript(String.raw(parts, ...values))
}
