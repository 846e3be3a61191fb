import { type Ipv4Address } from '../protocols/address.ts'
import type { Bytes } from '../protocols/bytes.ts'
import { s as seconds } from '../protocols/time.ts'
import { createFarEnd, FAR_DEFAULTS, farEnd } from '../protocols/tunnel/far-end.ts'
import {
  CHUNK_BYTES,
  createNearEnd,
  NEAR_POLICY,
  nearEnd,
  type TunnelReport,
  type TunnelShape,
} from '../protocols/tunnel/near-end.ts'
import type { RpVersion, TunnelEnds } from '../protocols/tunnel/rp.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import { kernelRaw } from '../wire/kernel-raw.ts'
import { EXIT_EXPECTATION, EXIT_OK } from './exit-codes.ts'
import { checkWritable, PartFile } from './part-file.ts'
import { errorLine, message } from './report.ts'
import { onKernel } from './transfer-run.ts'

/* The tunnel with the original's packets and timing, over the kernel's raw sockets. */

const MAKERS = { makers: { raw: kernelRaw } }

/** A: sends, and writes what comes back where a file is named. */
export function runNearEnd(
  where: { readonly shape: TunnelShape; readonly version: RpVersion; readonly ends: TunnelEnds },
  content: Bytes,
  out: string | null,
): Promise<number> {
  if (out !== null) checkWritable(out)
  return onKernel(MAKERS, (host, end, fail) => {
    const config = {
      ...where,
      content,
      chunkBytes: CHUNK_BYTES,
      first: 0,
      policy: NEAR_POLICY,
      // B sends again each ten seconds: patience for several.
      idle: seconds(100),
    }
    const hear = written(out, end, fail)
    host.run(nearEnd, createNearEnd(config), hear.report)
    return hear.leave
  })
}

/** B: relays, or keeps what is inside where a file is named. */
export function runFarEnd(
  where: {
    readonly shape: TunnelShape
    readonly version: RpVersion
    readonly near: Ipv4Address
    readonly far: Ipv4Address
    readonly inner: Ipv4Address
  },
  out: string | null,
): Promise<number> {
  const { shape, version, near, far, inner } = where
  if (out !== null) checkWritable(out)
  return onKernel(MAKERS, (host, end, fail) => {
    const ends = { near, far, inner }
    const state = createFarEnd({ shape, version, ends, first: 0, ...FAR_DEFAULTS })
    const hear = written(out, end, fail)
    host.run(farEnd, state, hear.report)
    message('waits for packets of IP protocol 253')
    return hear.leave
  })
}

function written(
  out: string | null,
  end: (code: number) => void,
  fail: (error: unknown) => unknown,
): { readonly report: (report: TunnelReport) => void; readonly leave: () => void } {
  const file = out === null ? null : new PartFile(out, null, 0)
  const report = (said: TunnelReport): void => {
    switch (said.kind) {
      case 'line':
        process.stdout.write(`${said.text}\n`)
        return
      case 'data':
        for (const chunk of said.chunks) file?.write(chunk)
        return
      case 'finished':
        file?.commit(null)
        message(
          out === null ? `${said.bytes} bytes went through` : `wrote ${out}: ${said.bytes} bytes`,
        )
        return end(EXIT_OK)
      case 'failed':
        file?.discard()
        errorLine(`no file: ${said.why}`)
        return end(EXIT_EXPECTATION)
      case 'refused':
        fail(new EnvironmentError(`no raw socket: ${said.error}`, 'try it with sudo'))
    }
  }
  const leave = (): void => {
    file?.discard()
    end(EXIT_EXPECTATION)
  }
  return { report, leave }
}
