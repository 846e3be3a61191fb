import { EXIT_ENVIRONMENT, EXIT_OK } from './exit-codes.ts'
import type { RegisterVerb } from './verb.ts'

/** What the machine offers for live mode, with the command that mends each gap. */
async function doctor(json: boolean): Promise<number> {
  const { examine } = await import('../wire/doctor.ts')
  const findings = examine()
  const ready = findings.filter(({ what }) => NEEDED.includes(what)).every(({ ok }) => ok)
  if (json) {
    process.stdout.write(`${JSON.stringify({ schema: 1, ready, findings })}\n`)
    return ready ? EXIT_OK : EXIT_ENVIRONMENT
  }
  const lines = findings.flatMap(({ what, ok, seen, mend, serves }) => {
    const line = `${ok ? 'ok' : '--'}  ${what.padEnd(18)} ${seen}; for ${serves}`
    return mend === null ? [line] : [line, `      ${mend}`]
  })
  lines.push('', ready ? 'Live mode can run here.' : 'Live mode cannot run here yet.')
  process.stdout.write(`${lines.join('\n')}\n`)
  return ready ? EXIT_OK : EXIT_ENVIRONMENT
}

/** Without these there is no live mode; the others widen it. */
const NEEDED = ['kernel', 'package koffi', '/dev/net/tun', 'CAP_NET_ADMIN', 'CAP_NET_RAW']

export const doctorVerb: RegisterVerb = (program, _files, verb) => {
  program
    .command('doctor')
    .description('what this machine offers for live mode, and how to mend what is missing')
    .option('--json', 'one JSON object', false)
    .addHelpText('after', '\nExit code 0 where live mode can run, 4 where it cannot.')
    .action(({ json }: { json: boolean }) => {
      verb.act = async () => ({ code: await doctor(json) })
    })
}
